"""A backup is an album: whole, of one moment, and never in the way of the one before."""

from __future__ import annotations

import multiprocessing
import os
import shutil

import numpy as np
import pytest
from churn import adding, churn
from tiny_world import COLOURS, dataset, paint, painted

from cartolina import durable
from cartolina.album import Album, backup, writer
from cartolina.album.checks import check
from cartolina.errors import AlbumError, InputError
from cartolina.post import Post

NAMES = [f"{colour}-{n}.png" for n in (1, 2) for colour in COLOURS]
back_up = backup.backup

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["churn", "onnxruntime", "PIL.Image"])


@pytest.fixture
def filled(album, tmp_path):
    album.add(painted(tmp_path / "photos", NAMES))
    data = paint(tmp_path / "z.png", "red", (24, 30)).read_bytes()
    album.add(dataset(tmp_path / "zip", [Post("zipped", data)]))
    return album


def contents(path):
    with Album.open(path) as album:
        posts = list(album.posts())
        return {post.id: post for post in posts}, album.vectors([post.id for post in posts])


def files(folder):
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}


def test_a_backup_is_the_album_without_what_is_derived(filled, tmp_path):
    report = back_up(filled.path, tmp_path / "b")
    assert (report.posts, report.missing, report.reused) == (11, 0, 0)
    there = files(tmp_path / "b")
    assert {name.split("/")[0] for name in there} == {
        "album.json", "album.sqlite", "backup.json", "spaces", "pictures",
    }  # fmt: skip
    assert (report.files, report.bytes) == (
        len(there) - 1,
        sum(path.stat().st_size for name, path in there.items() if name != "backup.json"),
    )
    assert check(tmp_path / "b", deep=True).findings == []
    ours, theirs = contents(filled.path), contents(tmp_path / "b")
    zipped = theirs[0].pop("zipped")
    assert zipped.image.parent == tmp_path / "b" / "pictures"
    assert zipped.image.read_bytes() == ours[0].pop("zipped").image.read_bytes()
    assert ours[0] == theirs[0]
    np.testing.assert_array_equal(ours[1], theirs[1])
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_restored_album_is_what_it_was_and_goes_on(filled, tmp_path):
    back_up(filled.path, tmp_path / "b")
    expected = [hit.id for hit in filled.search("red", 20)]
    filled.close()
    shutil.rmtree(filled.path)
    shutil.copytree(tmp_path / "b", filled.path)
    with Album.open(filled.path) as album:
        assert [hit.id for hit in album.search("red", 20)] == expected
        album.undo()
        assert "zipped" not in album
        album.undo(redo=True)
        album.add(painted(tmp_path / "photos", [*NAMES, "red-9.png"]))
        assert "red-9.png" in album
    assert check(filled.path).is_clean


def test_a_second_backup_copies_what_is_new(filled, tmp_path):
    back_up(filled.path, tmp_path / "b")
    before = {name: path.stat().st_ino for name, path in files(tmp_path / "b").items()}
    same = back_up(filled.path, tmp_path / "b")
    now = {name: path.stat().st_ino for name, path in files(tmp_path / "b").items()}
    linked = {name for name in now if now[name] == before[name]}
    assert set(now) - linked == {"album.json", "album.sqlite", "backup.json"}
    assert same.reused == len(linked)
    filled.add(painted(tmp_path / "photos", [*NAMES, "red-9.png"]))
    third = back_up(filled.path, tmp_path / "b")
    assert third.reused == same.reused - 1  # the segment has grown
    assert len(contents(tmp_path / "b")[0]) == 12
    assert check(tmp_path / "b", deep=True).findings == []


def test_on_a_disk_without_hard_links_and_without_exchange(filled, tmp_path, monkeypatch):
    def refused(*_):
        raise OSError(1, "not permitted")

    monkeypatch.setattr(os, "link", refused)
    monkeypatch.setattr(durable, "_exchange", lambda *_: False)
    back_up(filled.path, tmp_path / "b")
    assert back_up(filled.path, tmp_path / "b").reused > 3
    assert check(tmp_path / "b", deep=True).findings == []
    assert sorted(path.name for path in tmp_path.iterdir() if "b" in path.name.split(".")) == ["b"]


def test_a_segment_of_the_same_number_and_size_but_other_vectors_is_copied(filled, tmp_path):
    back_up(filled.path, tmp_path / "b")
    (copy,) = (tmp_path / "b").glob("spaces/*/vectors/0000.npy")
    data = bytearray(copy.read_bytes())
    data[-1] ^= 1
    copy.write_bytes(data)
    back_up(filled.path, tmp_path / "b")
    np.testing.assert_array_equal(contents(filled.path)[1], contents(tmp_path / "b")[1])


@pytest.mark.parametrize("where", ["inside", "itself", "something", "file", "another", "used"])
def test_what_is_no_backup_of_this_album_is_left_alone(filled, tmp_path, where, space_folder):
    target = tmp_path / "b"
    if where == "inside":
        target = filled.path / "b"
    elif where == "itself":
        target = filled.path
    elif where == "something":
        target.mkdir()
        (target / "thesis.txt").write_text("years of work")
    elif where == "file":
        target.write_text("years of work")
    elif where == "another":
        with Album.create(tmp_path / "other.album"):
            pass
        back_up(tmp_path / "other.album", target)
    else:
        back_up(filled.path, target)
        with Album.open(target) as used:
            used.edit(["red-1.png"], tags=["precious"])
    before = {
        name: path.stat().st_mtime_ns for name, path in files(tmp_path).items() if ".sqlite-" not in name
    }
    with pytest.raises(InputError, match="choose a"):
        back_up(filled.path, target)
    after = {
        name: path.stat().st_mtime_ns for name, path in files(tmp_path).items() if ".sqlite-" not in name
    }
    assert {n: t for n, t in after.items() if n != "test.album/LOCK"} == {
        n: t for n, t in before.items() if n != "test.album/LOCK"
    }


def test_a_damaged_album_does_not_replace_a_good_backup(filled, tmp_path):
    back_up(filled.path, tmp_path / "b")
    expected = contents(tmp_path / "b")[0]
    (segment,) = filled.path.glob("spaces/*/vectors/0000.npy")
    data = bytearray(segment.read_bytes())
    data[131] ^= 0x40
    segment.write_bytes(data)
    with pytest.raises(AlbumError, match=r"finite unit rows.*former backup stays"):
        back_up(filled.path, tmp_path / "b")
    segment.write_bytes(data[:100])
    with pytest.raises(AlbumError, match="too short"):
        back_up(filled.path, tmp_path / "b")
    segment.unlink()
    with pytest.raises(AlbumError, match=r"0000\.npy is missing"):
        back_up(filled.path, tmp_path / "b")
    (segment.parents[1] / "space.json").write_text("{}")
    with pytest.raises(AlbumError, match="is damaged"):
        back_up(filled.path, tmp_path / "b")
    assert contents(tmp_path / "b")[0] == expected
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".backup")]


def test_own_pictures_that_are_lost_are_counted(filled, tmp_path):
    next((filled.path / "pictures").iterdir()).unlink()
    assert back_up(filled.path, tmp_path / "b").missing == 1


def test_a_compaction_in_the_middle_begins_the_copy_anew(filled, tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "COMPACT_FROM", 4)
    copy_rows, calls = backup.copy_rows, []

    def compacting(*args):
        if not calls:
            with Album.open(filled.path) as other:
                other.remove(NAMES[:7])
        calls.append(args)
        copy_rows(*args)

    monkeypatch.setattr(backup, "copy_rows", compacting)
    assert back_up(filled.path, tmp_path / "b").posts == 4
    assert len(calls) == 2
    assert check(tmp_path / "b").findings == []


def test_an_interrupted_backup_leaves_the_former_one(filled, tmp_path, monkeypatch):
    back_up(filled.path, tmp_path / "b")

    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(backup, "swap_folders", stopped)
    with pytest.raises(KeyboardInterrupt):
        back_up(filled.path, tmp_path / "b")
    (tmp_path / ".b.0123.backup").mkdir()  # what kill -9 leaves
    monkeypatch.undo()
    assert back_up(filled.path, tmp_path / "b").posts == 11
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".backup")]


@pytest.fixture
def writing(tmp_path, space_folder):
    """Begins a process that writes to an album of two photos it leaves alone; hears what it tells."""
    photos, begun = tmp_path / "photos", []
    for n in range(40):
        for colour in COLOURS:
            paint(photos / f"{colour}-{n}.png", colour)
    with Album.create(tmp_path / "a.album") as album:
        album.activate(space_folder)
        album.add(painted(tmp_path / "always", ["red-100.png", "blue-101.png"]))
        album.forget_history()  # so that no undo takes these two

    def begin(what, *more):
        hear, tell = PROCESSES.Pipe(duplex=False)
        begun.append(PROCESSES.Process(target=what, args=(tmp_path / "a.album", photos, *more, tell)))
        begun[0].start()
        tell.close()
        assert hear.poll(60)
        return hear

    yield begin
    begun[0].kill()
    begun[0].join()


def whole(path):
    """The ids of a backup that is whole, and has of each post the vector of its own picture."""
    found = check(path)
    assert found.findings == [], found.findings
    there, vectors = contents(path)
    expected = np.array([COLOURS[name.split("-")[0]] for name in there], np.float32)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors, expected, atol=4e-3)
    return set(there)


def test_backups_while_another_process_adds_edits_removes_and_undoes(writing, tmp_path):
    hear = writing(churn, 7)
    states = set()
    for _ in range(8):
        while hear.poll():
            hear.recv()
        back_up(tmp_path / "a.album", tmp_path / "b")
        ids = whole(tmp_path / "b")
        assert {"red-100.png", "blue-101.png"} <= ids
        states.add(frozenset(ids))
    assert len(states) > 1  # it was written to meanwhile


def test_what_was_acknowledged_before_a_backup_began_is_in_it(writing, tmp_path):
    hear, acknowledged, sizes = writing(adding), set(), set()
    for _ in range(6):
        while hear.poll():
            acknowledged.add(hear.recv())
        back_up(tmp_path / "a.album", tmp_path / "b")
        assert acknowledged <= whole(tmp_path / "b")
        sizes.add(len(acknowledged))
    assert len(sizes) > 1
