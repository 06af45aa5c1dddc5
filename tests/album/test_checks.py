"""Damage is done to a whole album; a check names it, a repair mends it, and then it is whole again."""

from __future__ import annotations

import json
import shutil
import sqlite3

import numpy as np
import pytest
from tiny_world import COLOURS, dataset, paint, painted

from cartolina.album import Album
from cartolina.album.album import FORMAT
from cartolina.album.checks import KINDS, check
from cartolina.errors import AlbumError, AlbumLocked
from cartolina.post import Post
from cartolina.store.segments import HEADER

NAMES = [f"{colour}-{n}.png" for n in (1, 2) for colour in COLOURS]


@pytest.fixture
def whole(album, tmp_path):
    """The path of an album with ten photos, one post that came as bytes, and two spaces; closed."""
    album.add(painted(tmp_path / "photos", NAMES))
    data = paint(tmp_path / "z.png", "red", (24, 30)).read_bytes()
    album.add(dataset(tmp_path / "zip", [Post("zipped", data, captions=("from an archive",))]))
    album.edit(["red-1.png"], tags=["sea"])
    album._catalogue._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    album.close()
    return album.path


def kinds(findings):
    return sorted({one.kind for one in findings})


def sql(path, *statements):
    """Statements that no program of ours would give: nothing refers to anything."""
    data = sqlite3.connect(path / "album.sqlite", isolation_level=None)
    data.create_function("told", 1, lambda texts: "")
    for statement in statements:
        data.execute(statement)
    data.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data.close()


def segment(path):
    (file,) = (path / "spaces").glob("*/vectors/0000.npy")
    return file


def poke(file, at, data):
    with file.open("r+b") as opened:
        opened.seek(at)
        opened.write(data)


def row(number):
    return HEADER + number * 3 * 4


def answers(path):
    with Album.open(path) as album:
        info = album.info()
        assert info["space"]["without_vector"] == 0
        return {
            colour: [(hit.id, round(hit.score, 3)) for hit in album.search(colour, 20)] for colour in COLOURS
        }


def bad_page(path):
    """A page of the words' table, far from the file's beginning, overwritten."""
    data = sqlite3.connect(path / "album.sqlite")
    (root,) = data.execute("SELECT rootpage FROM sqlite_master WHERE name = 'posts'").fetchone()
    (size,) = data.execute("PRAGMA page_size").fetchone()
    data.close()
    poke(path / "album.sqlite", (root - 1) * size, b"\xff" * size)


def bad_index(path):
    data = sqlite3.connect(path / "album.sqlite")
    (root,) = data.execute("SELECT rootpage FROM sqlite_master WHERE name = 'tags_by_name'").fetchone()
    (size,) = data.execute("PRAGMA page_size").fetchone()
    data.close()
    poke(path / "album.sqlite", (root - 1) * size, bytes([10, 0, 0, 0, 0, size // 256, size % 256, 0]))


def flipped(path):
    """One exponent bit of a vector's number."""
    at = row(2)
    byte = segment(path).read_bytes()[at + 3]
    poke(segment(path), at + 3, bytes([byte ^ 0x40]))


def feature_folder(path):
    (folder,) = (path / "features").iterdir()
    return folder


def changed_space_file(path):
    file = segment(path).parents[1] / "space.json"
    file.write_text(file.read_text().replace("made for tests", "made for TESTS"))


def ghost_tag(path):
    sql(path, "INSERT INTO tags VALUES (999, 0, 'x', 'x')")


def lost_settings(path):
    (path / "album.json").unlink()


def other_settings(path):
    said = json.loads((path / "album.json").read_text())
    (path / "album.json").write_text(json.dumps(said | {"uuid": "another"}))


MENDABLE = {
    "album.json is missing": ("about", lost_settings),
    "album.json is no JSON": ("about", lambda path: (path / "album.json").write_text("{")),
    "album.json is another album's": ("about", other_settings),
    "an index lost its rows": ("catalogue", bad_index),
    "a tag of no post": ("ghost", ghost_tag),
    "a vector of no post": ("ghost", lambda path: sql(path, "UPDATE vectors SET key = 999 WHERE key = 2")),
    "words of no post": ("ghost", lambda path: sql(path, "UPDATE captions SET key = 999 WHERE key = 2")),
    "keys are counted wrong": ("key-sequence", lambda path: sql(path, "UPDATE sqlite_sequence SET seq = 3")),
    "words not as they are said": (
        "full-text",
        lambda path: sql(path, "UPDATE words SET captions = 'x' WHERE rowid = 1"),
    ),
    "words are not indexed": ("full-text", lambda path: sql(path, "DELETE FROM words WHERE rowid = 4")),
    "the index of words is damaged": (
        "full-text",
        lambda path: sql(path, "UPDATE words_data SET block = x'ffff' WHERE id > 10"),
    ),
    "a segment is missing": ("segment", lambda path: segment(path).unlink()),
    "a segment is cut": ("segment", lambda path: poke_short(segment(path))),
    "a segment is empty": ("segment", lambda path: segment(path).write_bytes(b"")),
    "a segment's head is damaged": ("segment", lambda path: poke(segment(path), 0, b"no head")),
    "a segment is of another width": (
        "segment",
        lambda path: np.save(segment(path), np.zeros((11, 4), "f4")),
    ),
    "a vector is not finite": ("vector", lambda path: poke(segment(path), row(3), b"\0\0\xc0\x7f")),
    "a vector's bit is flipped": ("vector", flipped),
    "a vector is zero": ("vector", lambda path: poke(segment(path), row(5), bytes(12))),
    "a vector lies nowhere": ("vector", lambda path: sql(path, "UPDATE vectors SET row = 70 WHERE key = 2")),
    "a post has no vector": ("vector-missing", lambda path: sql(path, "DELETE FROM vectors WHERE key = 3")),
    "features are gone, vectors too": (
        "vector-lacking",
        lambda path: (shutil.rmtree(path / "features"), sql(path, "DELETE FROM vectors WHERE key = 3")),
    ),
    "an index of features is damaged": (
        "features",
        lambda path: (feature_folder(path) / "index.sqlite").write_bytes(b"no database" * 99),
    ),
    "an index of features is missing": (
        "features",
        lambda path: (feature_folder(path) / "index.sqlite").unlink(),
    ),
    "features are cut": ("features", lambda path: poke_short(feature_folder(path) / "0000.f16")),
    "features are missing": ("features", lambda path: (feature_folder(path) / "0000.f16").unlink()),
    "features half written": ("features-tail", lambda path: append(feature_folder(path) / "0000.f16")),
    "a picture nobody shows": ("picture-unused", lambda path: (path / "pictures" / "f00").write_bytes(b"x")),
    "a segment nobody counts": ("segment-unused", lambda path: segment(path).with_name("0009.npy").touch()),
    "a space nobody knows": ("space-unknown", lambda path: (path / "spaces" / "0123").mkdir()),
    "a staged file": ("staged", lambda path: ((path / "tmp").mkdir(exist_ok=True), (path / "tmp/x").touch())),
    "a staged album.json": ("staged", lambda path: (path / ".album.json.7.tmp").touch()),
    "own pictures under an old path": (
        "picture-elsewhere",
        lambda path: sql(path, "UPDATE posts SET image = '/old/' || image WHERE id = 'zipped'"),
    ),
}


def poke_short(file):
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size - 10)


def append(file):
    with file.open("ab") as opened:
        opened.write(b"12345")


def test_a_whole_album_is_clean(whole):
    before = {path: path.stat().st_mtime_ns for path in whole.rglob("*") if path.suffix not in (".sqlite",)}
    for deep in (False, True):
        report = check(whole, deep=deep)
        assert (report.findings, report.is_clean) == ([], True)
    after = {path: path.stat().st_mtime_ns for path in before if path.exists()}
    changed = {path.name for path in before if after.get(path) != before[path]}
    assert changed <= {"LOCK", "album.sqlite-wal", "album.sqlite-shm", "index.sqlite-wal", "index.sqlite-shm",
                       whole.name, feature_folder(whole).name}  # fmt: skip


@pytest.mark.parametrize("injury", MENDABLE)
def test_damage_is_named_and_mended(whole, injury):
    kind, injure = MENDABLE[injury]
    expected = answers(whole)
    injure(whole)
    found = check(whole)
    assert kind in kinds(found.findings), found.findings
    assert found.is_clean == (KINDS[kind] != "damage")
    assert kinds(check(whole).findings) == kinds(found.findings)  # looking changes nothing
    mended = check(whole, repair=True)
    assert all(one.repaired for one in mended.findings), mended.findings
    assert mended.is_clean, mended.left
    assert kinds(mended.left) == []
    assert check(whole, deep=True).findings == []
    now = answers(whole)
    if injury not in ("words of no post",):  # a caption that is lost is lost
        assert now == expected
    with Album.open(whole) as album:
        assert album.info()["format"] == FORMAT
        album.add(painted(whole.parent / "photos", [*NAMES, "red-7.png"]))
        assert "red-7.png" in [hit.id for hit in album.search("red", 20)]
        album.undo()
    assert check(whole).is_clean


def test_a_damaged_page_of_the_truth_needs_a_backup(whole):
    shutil.copytree(whole, whole.with_name("backup"))
    bad_page(whole)
    for repair in (False, True):
        report = check(whole, repair=repair)
        assert kinds(report.left) == ["catalogue"]
        assert not report.is_clean
    assert "restore the album from a backup" in report.findings[0].detail
    shutil.rmtree(whole)
    shutil.copytree(whole.with_name("backup"), whole)
    assert check(whole).is_clean


@pytest.mark.parametrize("content", [None, b"no database, whatever its name says", b"", b"x"])
def test_a_lost_catalogue_is_told(whole, content):
    (whole / "album.sqlite").unlink()
    if content is not None:
        (whole / "album.sqlite").write_bytes(content)
        with pytest.raises(AlbumError, match="backup"):
            Album.open(whole)
    report = check(whole, repair=True)
    assert (kinds(report.left), report.is_clean) == (["catalogue"], False)
    assert "backup" in report.left[0].detail


def test_no_album_is_no_damage(tmp_path):
    with pytest.raises(AlbumError, match="there is no album"):
        check(tmp_path / "nothing")


def test_posts_of_a_lost_source_are_never_thrown_away(whole):
    sql(whole, "UPDATE posts SET source = 99 WHERE key = 1")
    report = check(whole, repair=True)
    assert (kinds(report.left), report.left[0].mend) == (["ghost"], None)
    with Album.open(whole) as album:
        assert len(album) == 11


SPOILT = {
    "gone": lambda folder: shutil.rmtree(folder),
    "half": lambda folder: (folder / "image.onnx").unlink(),
    "no model": lambda folder: (folder / "image.onnx").write_bytes(b"x"),
    "changed": lambda folder: (folder / "space.json").write_text(
        (folder / "space.json").read_text().replace("made for tests", "changed")
    ),
    "no card": lambda folder: (folder / "space.json").write_text("{"),
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_lost_active_space_gives_way_to_the_one_before(whole, how, turned_space_folder):
    expected = answers(whole)
    with Album.open(whole) as album:
        first = album.space.folder.name
        album.activate(turned_space_folder)
        lost = album.space.folder
        album.add(painted(whole.parent / "photos", [*NAMES, "red-8.png"]))  # in the lost one only
    SPOILT[how](lost)
    found = check(whole)
    assert "space" in kinds(found.findings)
    assert not found.is_clean
    report = check(whole, repair=True)
    assert report.is_clean, report.left
    assert f"searches in {first} now" in " ".join(one.repaired or "" for one in report.findings)
    assert not lost.exists()
    assert kinds(report.left) == ([] if how == "gone" else ["set-aside"])
    now = [name for name, _ in answers(whole)["red"] if name != "red-8.png"]
    assert now == [name for name, _ in expected["red"]]
    assert check(whole, deep=True).is_clean


def test_a_lost_only_space_leaves_an_album_that_can_learn(whole, space_folder):
    expected = answers(whole)
    shutil.rmtree(segment(whole).parents[1])
    report = check(whole, repair=True)
    assert report.is_clean
    with Album.open(whole) as album:
        assert album.space is None
        album.activate(space_folder)
    assert answers(whole) == expected


def test_a_lost_former_space_is_dropped(whole, turned_space_folder):
    former = segment(whole).parents[1]
    with Album.open(whole) as album:
        album.activate(turned_space_folder)
    shutil.rmtree(former)
    assert "a former space" in check(whole).findings[0].detail
    assert check(whole, repair=True).is_clean
    with Album.open(whole) as album:
        assert len(album.spaces()) == 1


def test_lost_vectors_of_a_former_space_are_made_when_it_is_gone_back_to(whole, turned_space_folder):
    former = segment(whole)
    expected = answers(whole)
    with Album.open(whole) as album:
        album.activate(turned_space_folder)
    poke_short(former)
    report = check(whole, repair=True)
    assert report.is_clean
    assert "goes back to" in report.findings[0].repaired
    with Album.open(whole) as album:
        assert album.rollback().added == 1
    assert answers(whole) == expected


def test_lost_vectors_of_lost_photos_are_told(whole):
    segment(whole).unlink()
    shutil.rmtree(whole / "features")
    (whole.parent / "photos" / "red-2.png").unlink()
    report = check(whole, repair=True)
    assert "10 vectors made again; not 1 × no such image" in report.findings[0].repaired
    assert kinds(report.left) == ["photo-gone", "vector-lacking"]
    assert report.is_clean


def test_own_pictures_that_are_gone_come_back_with_their_archive(whole):
    (own,) = (whole / "pictures").iterdir()
    data = own.read_bytes()
    own.unlink()
    report = check(whole, repair=True)
    assert (kinds(report.left), report.is_clean) == (["picture-missing"], False)
    with Album.open(whole) as album:
        album.add(dataset(whole.parent / "zip", [Post("zipped", data, captions=("from an archive",))]))
    assert check(whole).is_clean


def test_deep_reads_pictures_and_encodes_vectors_anew(whole):
    (own,) = (whole / "pictures").iterdir()
    data = own.read_bytes()
    own.write_bytes(data[:-1] + b"x")
    moved = np.array([[0, 0, 1]], "<f4").tobytes()
    poke(segment(whole), row(0), moved)  # a unit row, but not red's
    assert check(whole).findings == []
    assert kinds(check(whole, deep=True).findings) == ["picture-changed", "vector"]
    own.write_bytes(data)
    report = check(whole, deep=True, repair=True)
    assert report.is_clean
    with Album.open(whole) as album:
        np.testing.assert_allclose(album.vectors(["red-1.png"]), [[1, 0, 0]], atol=2e-3)


def test_deep_reads_features(whole):
    poke(feature_folder(whole) / "0000.f16", 0, b"\x00\x7e")
    assert check(whole).findings == []
    assert kinds(check(whole, deep=True).findings) == ["features"]
    assert check(whole, deep=True, repair=True).is_clean


def test_photos_that_went_are_for_sync(whole):
    (whole.parent / "photos" / "red-1.png").unlink()
    report = check(whole)
    assert (kinds(report.findings), report.is_clean) == (["photo-gone"], True)
    with Album.open(whole) as album:
        album._catalogue.change("UPDATE posts SET offline = 'now' WHERE id = 'red-1.png'")
    assert check(whole).findings == []


def test_offline_posts_keep_their_vectors_through_a_repair(whole):
    sql(whole, "UPDATE posts SET offline = 'now' WHERE id = 'red-1.png'")
    poke_short(segment(whole))
    assert check(whole, repair=True).is_clean
    sql(whole, "UPDATE posts SET offline = NULL")
    assert check(whole).findings == []


def test_while_another_writes_it_can_be_looked_at_and_not_repaired(whole):
    (whole / "tmp").mkdir(exist_ok=True)
    (whole / "tmp" / "x").touch()
    with Album.open(whole) as album, album._lock:
        report = check(whole)
        assert (kinds(report.findings), report.is_clean) == (["busy"], True)
        with pytest.raises(AlbumLocked):
            check(whole, repair=True)
    assert kinds(check(whole).findings) == ["staged"]


def test_every_kind_is_tried_here():
    tried = {kind for kind, _ in MENDABLE.values()}
    others = {"space", "picture-missing", "picture-changed", "photo-gone", "set-aside", "busy"}
    assert tried | others == set(KINDS)
