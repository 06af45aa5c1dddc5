"""The album as its users see it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from tiny_world import COLOURS, dataset, paint, painted, write_space

from cartolina.album import Album
from cartolina.album.catalogue import Catalogue
from cartolina.datasets import Skipped
from cartolina.errors import AlbumError, AlbumLocked, InputError
from cartolina.post import Place, Post


def found(album, query, k=10):
    return [hit.id for hit in album.search(query, k)]


def colour_vector(name):
    vector = np.array(COLOURS[name], np.float32)
    return vector / np.linalg.norm(vector)


def test_posts_are_found_by_what_they_show(album, tmp_path):
    report = album.add(painted(tmp_path / "photos", ["red-1.png", "blue-1.png", "yellow-1.png"]))
    assert (report.added, report.replaced, report.unchanged, report.skipped) == (3, 0, 0, Counter())
    assert report.skipped_file is None
    assert found(album, "red") == ["red-1.png", "yellow-1.png", "blue-1.png"]
    hit = album.search("yellow", k=1)[0]
    assert hit.id == "yellow-1.png"
    assert hit.score == pytest.approx(1, abs=1e-3)
    assert hit.post == Post("yellow-1.png", tmp_path / "photos" / "yellow-1.png", ("a yellow thing",))


def test_vectors_are_those_of_the_pictures(album, tmp_path):
    album.add(painted(tmp_path / "photos", ["red-1.png", "purple-1.png"]))
    vectors = album.vectors(["purple-1.png", "red-1.png"])
    np.testing.assert_allclose(vectors, [colour_vector("purple"), colour_vector("red")], atol=2e-3)
    with pytest.raises(InputError, match=r"no post 'purple-2.png' in the album: did you mean 'purple-1.png'"):
        album.vectors(["purple-2.png"])


def test_get_posts_len_in(album, tmp_path):
    album.add(painted(tmp_path / "photos", ["red-1.png", "blue-1.png"]))
    assert len(album) == 2
    assert "red-1.png" in album
    assert "red-9.png" not in album
    assert album.get("blue-1.png").text == "a blue thing"
    assert [post.id for post in album.posts()] == ["red-1.png", "blue-1.png"]
    with pytest.raises(InputError, match=r"did you mean 'red-1\.png'"):
        album.get("red-9.png")


def test_what_is_unchanged_is_not_even_read(album, tmp_path, monkeypatch):
    posts = painted(tmp_path / "photos", ["red-1.png", "blue-1.png"])
    album.add(posts)

    def read(*_):
        raise AssertionError("a photo was read")

    monkeypatch.setattr("cartolina.vision.features.read_bytes", read)
    report = album.add(posts)
    assert (report.added, report.replaced, report.unchanged) == (0, 0, 2)


def test_a_changed_picture_gets_its_new_vector(album, tmp_path):
    root = tmp_path / "photos"
    album.add(painted(root, ["red-1.png", "blue-1.png"]))
    paint(root / "red-1.png", "green", size=(25, 25))
    report = album.add(painted(root, ["red-1.png", "blue-1.png"]))
    assert (report.added, report.replaced, report.unchanged) == (0, 1, 1)
    assert found(album, "green")[0] == "red-1.png"
    assert album.info()["space"]["holes"] == 1


def test_changed_words_alone_need_no_new_vector(album, tmp_path):
    root = tmp_path / "photos"
    album.add(painted(root, ["red-1.png"]))
    report = album.add(dataset(root, [Post("red-1.png", root / "red-1.png", captions=("scarlet",))]))
    assert (report.replaced, album.get("red-1.png").text) == (1, "scarlet")
    assert (album.info()["space"]["vectors"], album.info()["space"]["holes"]) == (1, 0)


def test_removed_posts_are_gone_and_may_come_again(album, tmp_path):
    posts = painted(tmp_path / "photos", ["red-1.png", "yellow-1.png"])
    album.add(posts)
    assert album.remove(["red-1.png", "red-1.png"]) == 1
    assert found(album, "red") == ["yellow-1.png"]
    assert (tmp_path / "photos" / "red-1.png").exists()
    album.add(posts)
    assert found(album, "red") == ["red-1.png", "yellow-1.png"]


def test_removing_what_is_not_there_removes_nothing(album, tmp_path):
    album.add(painted(tmp_path / "photos", ["red-1.png", "yellow-1.png"]))
    with pytest.raises(InputError, match=r"red-2\.png.*did you mean 'red-1\.png'"):
        album.remove(["yellow-1.png", "red-2.png"])
    assert len(album) == 2


def test_what_cannot_be_read_is_counted_and_listed(album, tmp_path):
    root = tmp_path / "photos"
    (paint(root / "red-1.png", "red").parent / "broken.png").write_bytes(b"no picture")
    (root / "empty.png").write_bytes(b"")
    posts = [
        Post("red-1.png", root / "red-1.png"),
        Post("broken.png", root / "broken.png"),
        Post("empty.png", root / "empty.png"),
        Post("gone.png", root / "gone.png"),
        Post("nul", Path("a\0b.png")),
        Post("words only", captions=("words",)),
        Post("red-1.png", root / "red-1.png"),
    ]
    made = dataset(root, posts)
    made = type(made)(**{**vars(made), "stream": lambda split: iter([Skipped("row 7", "bad row"), *posts])})
    report = album.add(made)
    assert report.added == 1
    expected = ["bad row", "empty file", "no picture", "no such image", "not an image", "repeated id"]
    expected += ["unreadable image"]  # a path with NUL in it
    assert report.skipped == Counter(expected)
    lines = [json.loads(line) for line in report.skipped_file.read_text().splitlines()]
    assert report.skipped_file == album.path / "runs" / "skipped.jsonl"
    assert sorted(line["reason"] for line in lines) == expected
    assert {line["where"]: line["source"] for line in lines}["broken.png"] == str(root)


def test_a_chance_clash_of_ids_is_reported(album, tmp_path):
    album.add(painted(tmp_path / "one", ["red-1.png"]))
    paint(tmp_path / "two" / "red-1.png", "blue")
    report = album.add(painted(tmp_path / "two", ["red-1.png"]))
    assert report.renamed == {"red-1.png": "two/red-1.png"}
    assert found(album, "blue")[0] == "two/red-1.png"
    assert album.add(painted(tmp_path / "two", ["red-1.png"])).unchanged == 1


def test_ids_of_the_data_replace_across_sources(album, tmp_path):
    album.add(painted(tmp_path / "one", ["red-1.png"], stable_ids=True))
    paint(tmp_path / "two" / "red-1.png", "blue")
    report = album.add(painted(tmp_path / "two", ["red-1.png"], stable_ids=True))
    assert (report.added, report.replaced, report.renamed) == (0, 1, {})
    np.testing.assert_allclose(album.vectors(["red-1.png"]), [colour_vector("blue")], atol=2e-3)


@pytest.mark.parametrize(
    "name", ["../../escape", "/etc/escape", "..", "a/../../b", "\x00", "CON", "'; DROP TABLE posts"]
)
def test_no_id_leads_out_of_the_album(album, tmp_path, name):
    data = paint(tmp_path / "outside.png", "red").read_bytes()
    before = {path for path in tmp_path.rglob("*") if album.path not in path.parents}
    album.add(dataset(tmp_path / "photos", [Post(name, data)]))
    assert {path for path in tmp_path.rglob("*") if album.path not in path.parents} == before
    post = album.get(name)
    assert album.path in post.image.resolve().parents
    assert found(album, "red") == [post.id]
    album.remove([name])
    assert post.image.exists()  # undo needs it
    album.forget_history()
    assert not post.image.exists()


def test_bytes_shared_by_two_posts_go_with_the_last(album, tmp_path):
    data = paint(tmp_path / "p.png", "red").read_bytes()
    album.add(dataset(tmp_path / "photos", [Post("a", data), Post("b", data)], stable_ids=True))
    image = album.get("a").image
    album.remove(["a"])
    album.forget_history()
    assert image.exists()
    album.remove(["b"])
    album.forget_history()
    assert not image.exists()


def test_ingested_posts_wait_for_a_space(tmp_path, space_folder):
    posts = painted(tmp_path / "photos", ["red-1.png", "blue-1.png"])
    (tmp_path / "photos" / "broken.png").write_bytes(b"no picture")
    broken = Post("broken.png", tmp_path / "photos" / "broken.png")
    with Album.create(tmp_path / "a.album") as album:
        report = album.add(dataset(tmp_path / "photos", [*posts.posts(), broken]))
        assert report.added == 3
        assert album.space is None
        with pytest.raises(AlbumError, match="learnt nothing yet"):
            album.search("red", by="picture")
        with pytest.raises(AlbumError, match="learnt nothing yet"):
            album.vectors(["red-1.png"])
        assert found(album, "red") == ["red-1.png"]  # by its words
        report = album.activate(space_folder)
        assert (report.added, report.skipped) == (2, Counter({"not an image": 1}))
        assert found(album, "red") == ["red-1.png", "blue-1.png"]
        assert album.info()["space"]["without_vector"] == 1
        with pytest.raises(InputError, match="could not be read"):
            album.vectors(["broken.png"])


def test_features_kept_while_entering_are_not_computed_again(tmp_path, space_folder, monkeypatch):
    from cartolina.album import Space

    backbone = Space.open(space_folder).backbones[0]
    root = tmp_path / "photos"
    with Album.create(tmp_path / "a.album") as album:
        posts = painted(root, ["red-1.png", "blue-1.png"])
        (root / "broken.png").write_bytes(b"no picture")
        broken = Post("broken.png", root / "broken.png")
        report = album.ingest(dataset(root, [*posts.posts(), broken]), backbones=[backbone])
        assert (report.added, report.skipped) == (2, Counter({"not an image": 1}))
        contents = {post.id: content for post, content in album.contents()}
        with album.feature_caches([backbone]) as (cache,):
            features = cache.get([f"{contents['red-1.png']}/plain"])
        np.testing.assert_allclose(features, [[1, 0, 0]], atol=1e-3)
        shutil.rmtree(root)  # nothing is read from there any more
        assert album.activate(space_folder).added == 2
        assert found(album, "blue")[0] == "blue-1.png"


def test_another_space_takes_over_with_the_same_answers(album, tmp_path, turned_space_folder):
    album.add(painted(tmp_path / "photos", ["red-1.png", "blue-1.png", "yellow-1.png"]))
    before, former = found(album, "yellow"), album.space.folder
    old = album.vectors(["red-1.png"])
    assert album.activate(turned_space_folder).added == 3
    assert album.space.views == ("plain", "mirror")
    assert found(album, "yellow") == before
    assert not np.allclose(album.vectors(["red-1.png"]), old, atol=0.1)
    assert len(album.info()["spaces"]) == 2
    assert former.exists()
    assert album.activate(turned_space_folder).added == 0


def test_activation_that_was_stopped_goes_on(album, tmp_path, turned_space_folder, monkeypatch):
    monkeypatch.setattr("cartolina.album.writer.BATCH", 2)
    names = [f"red-{n}.png" for n in range(6)]
    album.add(painted(tmp_path / "photos", names))
    from cartolina.album.writer import Writer

    place, calls = Writer._place, []

    def failing(writer, contents, caches):
        if len(calls) == 1:
            raise KeyboardInterrupt
        calls.append(contents)
        place(writer, contents, caches)

    with monkeypatch.context() as patch:
        patch.setattr(Writer, "_place", failing)
        with pytest.raises(KeyboardInterrupt):
            album.activate(turned_space_folder)
    assert album.info()["space"]["text_head"] is False  # the former one is still in use
    assert found(album, "red", 3) == names[:3]
    # "plain" was cached by adding; the stopped run has written two posts' mirrored view at least
    assert album.activate(turned_space_folder).added == 4
    assert album.info()["space"]["vectors"] == 6


def test_a_space_that_does_not_work_is_not_installed(album, tmp_path):
    folder = write_space(tmp_path / "bad")
    info = json.loads((folder / "space.json").read_text())
    (folder / "space.json").write_text(json.dumps({**info, "dim": 4}))
    with pytest.raises(AlbumError, match=r"expected finite \(1, 4\)"):
        album.activate(folder)
    (folder / "space.json").write_text("{}")
    with pytest.raises(AlbumError, match="is not a space"):
        album.activate(folder)
    (folder / "space.json").write_text(json.dumps({**info, "format": 99}))
    with pytest.raises(AlbumError, match="format 99"):
        album.activate(folder)
    assert len(list((album.path / "spaces").iterdir())) == 1


def test_many_holes_are_closed_and_readers_go_on(album, tmp_path, monkeypatch):
    monkeypatch.setattr("cartolina.album.writer.COMPACT_FROM", 4)
    names = [f"{colour}-1.png" for colour in COLOURS]
    album.add(painted(tmp_path / "photos", names))
    with Album.open(album.path) as reader:
        before = found(reader, "red")
        album.remove(names[1:3])
        assert album.info()["space"]["holes"] == 2
        album.remove(names[3:4])
        assert album.info()["space"]["holes"] == 0
        vectors = album.space.folder / "vectors"
        assert [path.name for path in vectors.iterdir()] == ["0001.npy"]
        assert before[0] == "red-1.png"
        assert found(reader, "red") == found(album, "red") == ["red-1.png", "purple-1.png"]
    album.add(painted(tmp_path / "photos", names))
    assert sorted(found(album, "red")) == sorted(names)


def test_a_compaction_that_is_stopped_leaves_all_as_it_was(album, tmp_path, monkeypatch):
    monkeypatch.setattr("cartolina.album.writer.COMPACT_FROM", 4)
    names = [f"{colour}-1.png" for colour in COLOURS]
    album.add(painted(tmp_path / "photos", names))
    note = Catalogue.note

    def stopped(catalogue, action, *rest):
        if action == "compact":  # the last step before it becomes true
            raise KeyboardInterrupt
        note(catalogue, action, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(Catalogue, "note", stopped)
        with pytest.raises(KeyboardInterrupt):
            album.remove(names[1:4])
    for reader in (album, Album.open(album.path)):
        assert found(reader, "red") == ["red-1.png", "purple-1.png"]
    assert album.info()["space"]["holes"] == 3
    album.add(painted(tmp_path / "photos", names[:2]))
    assert found(album, "green") == ["green-1.png", "red-1.png", "purple-1.png"]
    album.remove(["red-1.png"])  # compacts in its turn
    assert found(album, "green") == ["green-1.png", "purple-1.png"]
    assert album.info()["space"]["holes"] == 0


def test_a_compaction_that_was_killed_is_tidied(album, tmp_path):
    album.add(painted(tmp_path / "photos", ["red-1.png"]))
    leftover = album.space.folder / "vectors" / "0007.npy"
    leftover.write_bytes(b"half a segment")
    album.add(painted(tmp_path / "photos", ["red-1.png", "blue-1.png"]))
    assert not leftover.exists()
    assert found(album, "blue") == ["blue-1.png", "red-1.png"]


def test_one_writer_and_readers_that_never_wait(album, tmp_path):
    album.add(painted(tmp_path / "photos", ["red-1.png"]))
    with Album.open(album.path) as other, album._writing(None):
        with album._catalogue.transaction():
            album._catalogue.remove([1])
            assert found(other, "red") == ["red-1.png"]
        with pytest.raises(AlbumLocked, match=str(os.getpid())):
            other.remove(["red-1.png"])
    assert len(album) == 0


def test_a_reader_sees_what_another_process_wrote(album, tmp_path):
    album.add(painted(tmp_path / "photos", ["red-1.png"]))
    with Album.open(album.path) as reader:
        assert found(reader, "red") == ["red-1.png"]
        album.add(painted(tmp_path / "photos", ["red-1.png", "yellow-1.png"]))
        assert found(reader, "yellow") == ["yellow-1.png", "red-1.png"]
        album.remove(["red-1.png"])
        assert found(reader, "red") == ["yellow-1.png"]


def test_where_nobody_may_write_an_album_is_searched(album, tmp_path, monkeypatch):
    album.add(painted(tmp_path / "photos", ["red-1.png", "blue-1.png"]))
    album.close()
    files = {path: path.stat().st_mtime_ns for path in album.path.rglob("*")}
    monkeypatch.setattr("cartolina.album.catalogue.os.access", lambda *_: False)  # root may write anywhere
    with Album.open(album.path) as reader:
        assert found(reader, "red") == ["red-1.png", "blue-1.png"]
        assert {path: path.stat().st_mtime_ns for path in album.path.rglob("*")} == files
    (album.path / "LOCK").unlink()
    (album.path / "LOCK").mkdir()
    with Album.open(album.path) as reader, pytest.raises(AlbumError, match="cannot be written"):
        reader.remove(["red-1.png"])


def test_however_a_folder_is_named_it_is_one_source(album, tmp_path, monkeypatch):
    album.add(painted(tmp_path / "photos", ["red-1.png"]))
    (tmp_path / "link").symlink_to(tmp_path / "photos")
    assert album.add(painted(tmp_path / "link", ["red-1.png"])).unchanged == 1
    monkeypatch.chdir(tmp_path)
    assert album.add(painted(Path("photos"), ["red-1.png"])).unchanged == 1
    assert album.add(painted(Path("x/../photos"), ["blue-1.png"])).added == 1
    assert album.get("blue-1.png").image == tmp_path / "photos" / "blue-1.png"
    assert found(album, "blue folder:photos") == ["blue-1.png", "red-1.png"]
    assert found(album, "blue folder:x") == []


def test_creating_over_something_is_refused(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"something at .* already"):
        Album.create(tmp_path / "full")
    (tmp_path / "empty").mkdir()
    Album.create(tmp_path / "empty").close()
    with pytest.raises(InputError, match=r"an album at .* already"):
        Album.create(tmp_path / "empty")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no album at"),
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ('{"oldest_reader": 99, "format": 99, "uuid": "", "created": ""}', "reads format 99"),
    ],
)
def test_what_is_no_album_of_ours_is_told(tmp_path, content, message):
    if content:
        (tmp_path / "album.json").write_text(content)
    with pytest.raises(AlbumError, match=message):
        Album.open(tmp_path)


def test_info_is_json_and_adds_up(album, tmp_path):
    root = tmp_path / "photos"
    paint(root / "a.png", "red"), paint(root / "b.png", "blue")
    album.add(
        dataset(
            root,
            [
                Post("a", root / "a.png", ("one", "two"), ("Sea", "sea"), Place(41.4, 2.2)),
                Post("b", root / "b.png"),
            ],
        )
    )
    info = json.loads(json.dumps(album.info()))
    counts = {
        key: info[key] for key in ("posts", "captions", "with_captions", "with_tags", "tags", "with_place")
    }
    assert counts == {
        "posts": 2,
        "captions": 2,
        "with_captions": 1,
        "with_tags": 1,
        "tags": 1,
        "with_place": 1,
    }
    assert info["sources"] == [{"root": str(root), "format": "folder", "stable_ids": False, "posts": 2}]
    assert info["space"]["how"] == "contrastive"
    assert (info["space"]["vectors"], info["space"]["holes"], info["space"]["without_vector"]) == (2, 0, 0)
    on_disk = sum(path.stat().st_size for path in album.path.rglob("*") if path.is_file())
    listed = info["bytes"].pop("total")
    assert listed == sum(info["bytes"].values())
    assert 0 <= on_disk - listed < 1000  # album.json and LOCK


LEAN = """
import sys
from pathlib import Path
from cartolina.album import Album
from cartolina.album.catalogue import Catalogue
from cartolina.datasets import open_dataset
with Album.open(sys.argv[1]) as album:
    before = set(sys.modules)
    album.search("red")
    assert not {name for name in set(sys.modules) - before if name.startswith("PIL")}, "words need no Pillow"
    assert "backbones" not in vars(album.space), "a query of words loaded the backbones"
    assert album.add(open_dataset(sys.argv[2], format="folder")).added == 1
loaded = {name.split(".")[0] for name in sys.modules}
heavy = {"torch", "transformers", "gensim", "onnx", "pyarrow", "scipy"} & loaded
assert not heavy, heavy
"""


def test_searching_and_adding_import_nothing_heavy(album, tmp_path):
    album.add(painted(tmp_path / "photos", ["red-1.png"]))
    paint(tmp_path / "more" / "blue.png", "blue")
    done = subprocess.run(
        [sys.executable, "-c", LEAN, str(album.path), str(tmp_path / "more")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
