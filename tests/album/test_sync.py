"""An album in step with its folders, whatever happens in them."""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter

import numpy as np
import pytest
from tiny_world import COLOURS, paint

from cartolina.album import Album, intake
from cartolina.datasets import folder as folder_reader
from cartolina.datasets import open_dataset, walk

NAMES = [f"{colour}-{n}.png" for n in (1, 2) for colour in COLOURS]


@pytest.fixture
def photos(tmp_path):
    for name in NAMES:
        photo = paint(tmp_path / "photos" / name, name.split("-")[0])
        photo.with_suffix(".txt").write_text(f"a {name.split('-')[0]} thing")
    return tmp_path / "photos"


@pytest.fixture
def synced(album, photos):
    """The album with ten photos of two for each colour."""
    album.add(open_dataset(photos))
    return album


def move(photo, to):
    """A photo and its words elsewhere, as file managers do it."""
    to.parent.mkdir(parents=True, exist_ok=True)
    for suffix in (".txt", photo.suffix):
        if photo.with_suffix(suffix).exists():
            photo.with_suffix(suffix).rename(to.with_suffix(suffix))


def ids(album):
    return sorted(post.id for post in album.posts())


def counts(report):
    """What is not zero of a report, but `unchanged`."""
    names = (
        "added",
        "replaced",
        "copies",
        "touched",
        "moved",
        "back",
        "offline",
        "copies_gone",
        "left_out",
        "pruned",
    )
    return {name: getattr(report, name) for name in names if getattr(report, name)}


def found(album, query, k=100):
    return [hit.id for hit in album.search(query, k, by="picture")]


def test_nothing_changed_and_nothing_opened(synced, photos, monkeypatch):
    monkeypatch.setattr(folder_reader, "read_post", None)
    monkeypatch.setattr(intake, "content_hash", None)
    report = synced.sync()
    assert counts(report) == {}
    assert report.unchanged == len(NAMES)
    assert [(one.root, one.state, one.posts) for one in report.sources] == [(photos, "read", 10)]


def test_new_photos_are_taken_in(synced, photos):
    paint(photos / "2020" / "red-9.png", "red")
    assert counts(synced.sync()) == {"added": 1}
    assert "2020/red-9.png" in found(synced, "red", 3)


def test_another_picture_in_a_file_is_seen_anew(synced, photos):
    paint(photos / "red-1.png", "blue", size=(30, 30))
    assert counts(synced.sync()) == {"replaced": 1}
    assert found(synced, "red", 1) == ["red-2.png"]
    assert "red-1.png" in found(synced, "blue", 3)


def test_a_file_with_another_time_is_read_and_no_more(synced, photos):
    os.utime(photos / "red-1.png", ns=(1, 1))
    assert counts(synced.sync()) == {"touched": 1}
    assert counts(synced.sync()) == {}


def test_words_beside_a_photo_are_read_when_they_change(synced, photos):
    (photos / "red-1.txt").write_text("quite another thing")
    assert counts(synced.sync()) == {"replaced": 1}
    assert synced.get("red-1.png").captions == ("quite another thing",)


def test_moved_photos_keep_their_ids_and_what_was_said_of_them(synced, photos):
    synced.edit(["red-1.png"], tags=["favourite"])
    move(photos / "red-1.png", photos / "best" / "one.png")
    assert counts(synced.sync()) == {"moved": 1}
    assert ids(synced) == sorted(NAMES)
    moved = synced.get("red-1.png")
    assert moved.image == photos / "best" / "one.png"
    assert moved.tags == ("favourite",)
    assert moved.captions == ("a red thing",)
    assert found(synced, "red", 2) == ["red-1.png", "red-2.png"]
    assert counts(synced.sync()) == {}


def test_a_renamed_folder_of_all_photos(synced, photos):
    for name in NAMES:
        move(photos / name, photos / "2021" / name)
    assert counts(synced.sync()) == {"moved": 10}
    assert ids(synced) == sorted(NAMES)
    assert counts(synced.sync()) == {}


def test_a_photo_that_moved_to_another_source_keeps_its_id(synced, photos, tmp_path):
    other = tmp_path / "other"
    paint(other / "blue-7.png", "blue")
    synced.add(open_dataset(other))
    move(photos / "red-1.png", other / "gone there.png")
    assert counts(synced.sync()) == {"moved": 1}
    assert synced.get("red-1.png").image == other / "gone there.png"


def test_all_photos_of_a_folder_that_moved_keep_their_ids(synced, photos, tmp_path):
    new = tmp_path / "another disk"
    photos.rename(new)
    assert synced.add(open_dataset(new)).copies == 10
    assert counts(synced.sync()) == {"moved": 10}
    assert ids(synced) == sorted(NAMES)
    assert synced.get("red-1.png").image == new / "red-1.png"
    assert len(synced.sync().sources) == 1, "a source without anything is not looked for again"


def test_missing_photos_are_not_found_until_they_are_back(synced, photos, tmp_path, monkeypatch):
    move(photos / "red-1.png", tmp_path / "away" / "red-1.png")
    assert counts(synced.sync()) == {"offline": 1}
    assert "red-1.png" not in found(synced, "red")
    assert "red-1.png" not in found(synced, "red has:text")
    assert len(synced) == 9
    assert synced.info()["offline"] == 1
    assert counts(synced.sync()) == {}
    move(tmp_path / "away" / "red-1.png", photos / "red-1.png")
    assert counts(synced.sync()) == {"back": 1}
    assert found(synced, "red", 2) == ["red-1.png", "red-2.png"]


def test_a_missing_photo_may_come_back_elsewhere(synced, photos, tmp_path):
    move(photos / "red-1.png", tmp_path / "away.png")
    synced.sync()
    move(tmp_path / "away.png", photos / "there" / "again.png")
    assert counts(synced.sync()) == {"moved": 1}
    assert synced.get("red-1.png").image == photos / "there" / "again.png"


def test_missing_posts_are_pruned_on_request(synced, photos):
    (photos / "red-1.png").unlink()
    assert counts(synced.sync(prune=True)) == {"offline": 1, "pruned": 1}
    assert ids(synced) == sorted(set(NAMES) - {"red-1.png"})
    paint(photos / "red-1.png", "red")  # its file is no stranger to sync because it was pruned
    assert counts(synced.sync()) == {"added": 1}


def test_more_than_a_tenth_is_not_pruned(synced, photos):
    for name in NAMES[:2]:
        (photos / name).unlink()
    report = synced.sync(prune=True)
    assert counts(report) == {"offline": 2}
    assert not report.sources[0].may_be_pruned
    assert synced.info()["offline"] == 2
    assert synced.remove_offline() == 2
    assert len(synced) == 8


@pytest.mark.parametrize("emptied", [True, False])
def test_a_disk_that_is_not_there_changes_nothing(synced, photos, tmp_path, emptied):
    photos.rename(tmp_path / "unmounted")
    if emptied:
        photos.mkdir()
    report = synced.sync(prune=True)
    assert counts(report) == {}
    assert report.sources[0].state == "gone"
    assert len(synced) == 10
    shutil.rmtree(photos, ignore_errors=True)
    (tmp_path / "unmounted").rename(photos)
    assert counts(synced.sync()) == {}


def test_a_folder_that_cannot_be_read_is_not_missing(synced, photos, monkeypatch):
    for name in NAMES[:4]:
        move(photos / name, photos / "locked" / name)
    synced.sync()
    truly = walk._listing

    def entries(folder, home):
        if folder.id == "locked/":
            raise PermissionError(13, "Permission denied")
        return truly(folder, home)

    monkeypatch.setattr(walk, "_listing", entries)
    report = synced.sync()
    assert counts(report) == {}
    assert report.skipped == {"unreadable folder": 1}
    assert len(synced) == 10


def test_removed_posts_stay_out_until_they_are_added(synced, photos):
    synced.remove(["red-1.png"])
    assert counts(synced.sync()) == {"left_out": 1}
    move(photos / "red-1.png", photos / "renamed.png")
    assert counts(synced.sync()) == {"left_out": 1}
    assert len(synced) == 9
    synced.add(open_dataset(photos))
    assert len(synced) == 10


def test_files_with_the_same_bytes_share_one_post(synced, photos):
    shutil.copy2(photos / "red-1.png", photos / "copy.png")
    (photos / "copy.txt").write_text("the very same")
    assert counts(synced.sync()) == {"copies": 1}
    assert synced.get("red-1.png").captions == ("a red thing", "the very same")
    (photos / "copy.txt").write_text("still the same")
    synced.sync()
    assert synced.get("red-1.png").captions == ("a red thing", "still the same")
    (photos / "red-1.png").unlink()
    assert counts(synced.sync()) == {"copies_gone": 1}
    assert synced.get("red-1.png").image == photos / "copy.png"
    assert synced.get("red-1.png").captions == ("still the same",)
    assert found(synced, "red", 2) == ["red-1.png", "red-2.png"]


def test_a_table_is_read_again_with_its_columns(album, photos, tmp_path):
    table = tmp_path / "posts.csv"
    lines = [f"{photos / name},{name} said" for name in NAMES]
    table.write_text("\n".join(["path,words", *lines]))
    album.add(open_dataset(table, columns="image=path,text=words"))
    table.write_text("\n".join(["path,words", *lines[1:5], f"{photos / NAMES[5]},other words", *lines[6:]]))
    report = album.sync()
    assert counts(report) == {"offline": 1, "replaced": 1}
    table.write_text("nothing,known\n1,2\n")
    report = album.sync()
    assert report.sources[0].state == "unreadable"
    assert "path" in report.sources[0].why
    assert counts(report) == {}
    assert len(album) == 9


def test_only_the_split_that_was_added(album, tmp_path):
    for split in ("train", "test"):
        for colour in ("red", "blue"):
            paint(tmp_path / "scenes" / split / colour / f"{colour}-{split}.png", colour)
    album.add(open_dataset(tmp_path / "scenes", "imagefolder"), "train")
    assert counts(album.sync()) == {}
    album.add(open_dataset(tmp_path / "scenes", "imagefolder"), "test")
    assert counts(album.sync()) == {}
    assert len(album) == 4


def test_a_compaction_loses_nobody(synced, photos, tmp_path, monkeypatch):
    monkeypatch.setattr("cartolina.album.writer.COMPACT_FROM", 4)
    for name in NAMES[:7]:
        move(photos / name, tmp_path / "away" / name)
    assert counts(synced.sync()) == {"offline": 7}
    for name in NAMES[:7]:
        move(tmp_path / "away" / name, photos / name)
    assert counts(synced.sync()) == {"back": 7}
    check(synced, photos)


def check(album, root):
    """Every picture of the folder is a post with its vector and all its files' words; no other is found."""
    files = {}
    for path in sorted(root.rglob("*.png")):
        files.setdefault(path.read_bytes(), []).append(path)
    posts = list(album.posts())
    assert len(posts) == len(files)
    for post in posts:
        same = files[post.image.read_bytes()]
        assert post.image in same
        words = {path.with_suffix(".txt").read_text() for path in same if path.with_suffix(".txt").exists()}
        assert {*post.captions} == words
        expected = np.array(COLOURS[words_colour(post)], np.float64)
        (vector,) = album.vectors([post.id])
        np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=4e-3)
    assert sorted(found(album, "red", 1000)) == ids(album)


def words_colour(post):
    """The colour of a post's picture, as its pixels have it."""
    from PIL import Image

    with Image.open(post.image) as picture:
        pixel = picture.convert("RGB").getpixel((0, 0))
    return next(name for name, colour in COLOURS.items() if colour == pixel)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_done_to_a_folder_the_album_follows(album, photos, tmp_path, seed):
    chance = random.Random(seed)
    album.add(open_dataset(photos))
    for _ in range(12):
        for _ in range(chance.randint(1, 5)):
            disturb(photos, tmp_path / "away", chance)
        if not any(photos.rglob("*.png")):
            paint(photos / "last.png", "red")
        album.sync()
        check(album, photos)
        assert counts(album.sync()) == {}, "in step is in step"
    fresh = Album.create(tmp_path / "fresh.album")
    fresh.add(open_dataset(photos))
    assert Counter(map(said, fresh.posts())) == Counter(map(said, album.posts()))


def said(post):
    return post.image.read_bytes(), frozenset(post.captions)


def disturb(root, away, chance):
    """One thing people do to their photos."""
    there = sorted(root.rglob("*.png"))
    some = chance.choice(there) if there else None
    to = root / chance.choice(["", "2019", "2020/rome"]) / f"{chance.choice('abcdefgh')}.png"
    match chance.choice(
        ["new", "move", "copy", "delete", "repaint", "away", "home", "words", "swap", "touch"]
    ):
        case "new":
            paint(to, chance.choice(list(COLOURS)), size=(chance.randint(16, 40), 20))
        case "move" if some and not to.exists():
            move(some, to)
        case "copy" if some and some != to:
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(some, to)
        case "delete" if some:
            some.unlink()
        case "repaint" if some:
            paint(some, chance.choice(list(COLOURS)), size=(chance.randint(16, 40), 22))
        case "away" if some:
            move(some, away / some.name)
        case "home" if away.exists() and (gone := sorted(away.glob("*.png"))) and not to.exists():
            move(gone[0], to)
        case "words" if some:
            some.with_suffix(".txt").write_text(f"words {chance.random()}")
        case "swap" if len(there) > 1:
            one, other = chance.sample(there, 2)
            kept = one.read_bytes()
            one.write_bytes(other.read_bytes())
            other.write_bytes(kept)
        case "touch" if some:
            os.utime(some)
