"""Every action can be taken back, and the taking back: the album is then what it was, to the last row."""

from __future__ import annotations

import random
import shutil
from collections import Counter

import numpy as np
import pytest
from tiny_world import COLOURS, dataset, paint, painted

from cartolina.album import Album, history, writer
from cartolina.album.remembering import FORMER, FORMER_ROWS
from cartolina.datasets import open_dataset
from cartolina.errors import InputError
from cartolina.post import Place, Post

TABLES = {
    "posts": "key, id, source, source_id, image, within, content_hash, size, mtime, digest, taken, lat, lon, "
    "added, offline, said, beside",
    "copies": "*",
    "edits": "*",
    "captions": "key, position, text",
    "tags": "*",
    "labels": "*",
    "words": "rowid, captions, tags",
    "sources": "source, root",
    "readings": "source, path, format, columns, split",
    "settings": "*",
}


def state(album):
    """All that is true of an album, but where in the files its vectors lie."""
    rows = {
        name: Counter(album._catalogue.rows(f"SELECT {columns} FROM {name}"))
        for name, columns in TABLES.items()
    }
    ids = sorted(post.id for post in album.posts())
    vectors = album.vectors(ids) if ids and album.space else np.empty((0, 3))
    return rows, dict(zip(ids, np.round(vectors, 5).tolist(), strict=True))


def removed(album):
    return Counter(album._catalogue.rows("SELECT source, source_id, content_hash FROM removed"))


def found(album, query, k=100):
    return [hit.id for hit in album.search(query, k)]


@pytest.fixture
def photos(tmp_path):
    for n in (1, 2):
        for colour in COLOURS:
            photo = paint(tmp_path / "photos" / f"{colour}-{n}.png", colour)
            photo.with_suffix(".txt").write_text(f"a {colour} thing\n")
    return tmp_path / "photos"


@pytest.fixture
def filled(album, photos):
    album.add(open_dataset(photos))
    return album


def test_an_edit_is_taken_back_and_done_again(filled):
    before = state(filled)
    filled.edit(
        ["red-1.png", "blue-1.png"], tags=["sea"], captions=["Ida"], place=Place(44.06, 12.570000000000002)
    )
    after = state(filled)
    report = filled.undo()
    assert (report.action.name, report.restored) == ("edit", ["blue-1.png", "red-1.png"])
    assert (report.out, report.back, report.left) == ([], [], [])
    assert state(filled) == before
    assert found(filled, "tag:sea") == []
    assert filled.undo(redo=True).restored == ["blue-1.png", "red-1.png"]
    assert state(filled) == after
    assert sorted(found(filled, "tag:sea text:Ida")) == ["blue-1.png", "red-1.png"]
    filled.undo()
    assert state(filled) == before


def test_an_added_folder_is_one_entry_however_many_batches_it_took(album, photos, monkeypatch):
    monkeypatch.setattr(writer, "BATCH", 3)
    monkeypatch.setattr("cartolina.album.intake.BATCH", 3)
    before = state(album)
    album.add(open_dataset(photos))
    (action, _activation) = album.actions()
    assert (action.name, action.detail, action.posts) == ("add", str(photos), 10)
    report = album.undo()
    assert len(report.out) == 10
    assert state(album) == before
    assert len(album) == 0
    assert counts(album.sync()) == {}  # the folder is none of the album's any more
    album.undo(redo=True)
    assert len(album) == 10
    assert removed(album) == Counter()


def counts(report):
    return {name: count for name in ("added", "back", "left_out") if (count := getattr(report, name, 0))}


def test_what_an_undo_takes_out_sync_leaves_out_and_add_takes_in(filled, photos):
    paint(photos / "red-3.png", "red")
    assert counts(filled.sync()) == {"added": 1}
    assert filled.undo().out == ["red-3.png"]
    assert counts(filled.sync()) == {"left_out": 1}
    assert counts(filled.add(open_dataset(photos))) == {"added": 1}
    filled.undo()
    filled.undo(redo=True)
    assert "red-3.png" in filled


def test_a_removal_is_taken_back_with_keys_edits_and_vectors(filled, photos, monkeypatch):
    filled.edit(["red-1.png"], tags=["sea"])
    before, vectors, answer = state(filled), filled.info()["space"]["vectors"], found(filled, "red")
    filled.remove(["red-1.png", "blue-2.png"])
    assert "red-1.png" not in found(filled, "red")
    shutil.rmtree(filled.path / "features")
    shutil.rmtree(photos)  # nothing is read again: the rows are still on disk
    report = filled.undo()
    assert sorted(report.back) == ["blue-2.png", "red-1.png"]
    assert state(filled) == before
    assert filled.info()["space"]["vectors"] == vectors
    assert filled.info()["space"]["holes"] == 0
    assert found(filled, "red") == answer
    assert removed(filled) == Counter()


def test_vectors_that_a_compaction_dropped_come_from_the_cached_features(filled, monkeypatch):
    monkeypatch.setattr(writer, "COMPACT_FROM", 4)
    before, names = state(filled), [f"{colour}-1.png" for colour in COLOURS]
    filled.remove([*names, "red-2.png"])
    assert filled.info()["space"]["holes"] == 0
    assert filled._catalogue.rows("SELECT count(*) FROM former_vectors WHERE entry = 3") == [(0,)]
    monkeypatch.setattr("cartolina.album.writer.extract", None)
    filled.undo()
    assert state(filled) == before


def test_and_without_features_from_the_pictures(filled, monkeypatch, photos):
    monkeypatch.setattr(writer, "COMPACT_FROM", 4)
    before = state(filled)
    filled.remove([f"{colour}-{n}.png" for colour in COLOURS for n in (1, 2)])
    shutil.rmtree(filled.path / "features")
    (photos / "blue-2.png").unlink()
    report = filled.undo()
    assert report.skipped == Counter({"no such image": 1})
    assert len(filled) == 10
    assert filled.info()["space"]["without_vector"] == 1
    assert sorted(found(filled, "red")) == sorted(set(before[1]) - {"blue-2.png"})


def test_rows_of_a_number_given_anew_are_nobodys(album, tmp_path, monkeypatch):
    """A compaction of nothing begins with segment 0 again: former vectors there are not these rows."""
    monkeypatch.setattr(writer, "COMPACT_FROM", 1)
    album.add(painted(tmp_path / "photos", ["red-1.png", "red-2.png"]))
    album.remove(["red-1.png", "red-2.png"])
    assert album._catalogue.rows("SELECT * FROM segments") == []
    album.add(painted(tmp_path / "photos", ["blue-1.png", "blue-2.png"]))
    album.undo()
    album.undo()
    assert found(album, "red") == ["red-1.png", "red-2.png"]
    np.testing.assert_allclose(album.vectors(["red-1.png", "red-2.png"]), [[1, 0, 0]] * 2, atol=2e-3)


def test_a_replaced_picture_gets_its_former_vector(filled, photos):
    before = state(filled)
    former = (photos / "red-1.png").read_bytes()
    paint(photos / "red-1.png", "green", size=(25, 25))
    filled.add(open_dataset(photos))
    assert found(filled, "green", 3).count("red-1.png") == 1
    assert filled.undo().restored == ["red-1.png"]
    assert state(filled) == before
    (photos / "red-1.png").write_bytes(former)
    assert found(filled, "red", 1) == ["red-1.png"]


def test_a_learnt_space_is_taken_back_and_has_the_posts_that_came_since(filled, photos, turned_space_folder):
    first = filled.space.folder.name
    filled.activate(turned_space_folder)
    filled.add(painted(photos, ["red-7.png"]))
    filled.undo()
    filled.undo(redo=True)
    report = filled.undo()  # the photo again
    assert report.out == ["red-7.png"]
    report = filled.undo()
    assert (report.action.name, report.space) == ("activate", first)
    assert filled.space.folder.name == first
    assert len(found(filled, "red")) == 10
    filled.undo(redo=True)
    assert filled.space.folder.name != first
    assert len(found(filled, "red")) == 10


def test_the_first_learning_is_taken_back_to_nothing(album):
    assert album.undo().space == ""
    assert album.space is None
    with pytest.raises(InputError, match="nothing to undo"):
        album.undo()
    album.undo(redo=True)
    assert album.space is not None


def test_a_space_that_is_gone_stays_out_of_use_and_is_told(filled, turned_space_folder):
    first = filled.space.folder
    filled.activate(turned_space_folder)
    shutil.rmtree(first)
    filled._spaces.clear()
    report = filled.undo()
    assert "is not a space" in report.left[0]
    assert filled.space.folder != first
    assert len(filled.undo().out) == 10  # it does not stand in the way


def test_build_is_one_action(tmp_path, photos, space_folder, monkeypatch):
    with Album.create(tmp_path / "a.album") as album:
        with album.as_one("build", str(photos)):
            album.ingest(open_dataset(photos))
            album.activate(space_folder)
        (action,) = album.actions()
        assert (action.name, action.posts, action.space) == ("build", 10, album.space.folder.name)
        report = album.undo()
        assert (len(report.out), report.space) == (10, "")
        assert album.undo(redo=True).space == action.space
        assert len(found(album, "red")) == 10


def test_what_changed_nothing_is_no_entry(filled, photos):
    last = filled.actions()[0]
    filled.add(open_dataset(photos))
    filled.sync()
    filled.embed_missing()
    assert filled.actions()[0] == last


def test_redo_only_until_something_is_done(filled):
    filled.edit(["red-1.png"], tags=["sea"])
    filled.undo()
    filled.edit(["red-2.png"], tags=["sand"])
    with pytest.raises(InputError, match="nothing to redo"):
        filled.undo(redo=True)
    assert filled.undo().restored == ["red-2.png"]
    assert filled.undo(redo=True).restored == ["red-2.png"]


def test_a_dry_run_says_the_same_and_does_nothing(filled):
    filled.remove(["red-1.png"])
    before = state(filled)
    dry = filled.undo(dry_run=True)
    assert state(filled) == before
    done = filled.undo()
    assert (dry.action, dry.out, dry.back, dry.restored) == (done.action, done.out, done.back, done.restored)


def test_pictures_from_archives_stay_until_history_is_forgotten(album, tmp_path):
    data = paint(tmp_path / "p.png", "red").read_bytes()
    album.add(dataset(tmp_path / "zip", [Post("a", data)]))
    image = album.get("a").image
    album.remove(["a"])
    album.undo()
    assert found(album, "red") == ["a"]
    assert image.read_bytes() == data
    album.remove(["a"])
    album.forget_history()
    assert not image.exists()
    with pytest.raises(InputError, match="nothing to undo"):
        album.undo()


def test_the_albums_own_pictures_move_with_it(album, tmp_path):
    data = paint(tmp_path / "p.png", "red").read_bytes()
    album.add(dataset(tmp_path / "zip", [Post("a", data)]))
    album.close()
    album.path.rename(tmp_path / "elsewhere.album")
    with Album.open(tmp_path / "elsewhere.album") as moved:
        assert moved.get("a").image.read_bytes() == data
        assert moved.get("a").image.parent == tmp_path / "elsewhere.album" / "pictures"


def test_history_is_bounded(filled, monkeypatch):
    monkeypatch.setattr(history.prune, "__defaults__", (5, 200))
    for n in range(9):
        filled.edit(["red-1.png"], tags=[f"t{n}"])
    assert len(filled.actions()) == 5
    for _ in range(5):
        filled.undo()
    assert filled.get("red-1.png").tags == ("t0", "t1", "t2", "t3")
    with pytest.raises(InputError, match="nothing to undo"):
        filled.undo()
    filled.edit(["red-1.png"], tags=["x"])
    kept = "SELECT (SELECT count(*) FROM former_posts), (SELECT sum(kept) FROM journal WHERE kept > 0)"
    assert filled._catalogue.rows(kept) == [(5, 5)]  # four undos among them


def test_the_last_entry_is_kept_however_large(filled, monkeypatch):
    monkeypatch.setattr(history.prune, "__defaults__", (1000, 3))
    filled.edit(["red-1.png"], tags=["sea"])
    before = state(filled)
    filled.edit([f"{colour}-1.png" for colour in COLOURS], tags=["sand"])
    assert len(filled.actions()) == 1
    filled.undo()
    assert state(filled) == before


def test_an_undo_that_fails_changes_nothing(filled, monkeypatch):
    filled.remove(["red-1.png", "blue-1.png"])
    before = state(filled)

    def failing(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(history, "undone", failing)
    with pytest.raises(KeyboardInterrupt):
        filled.undo()
    assert state(filled) == before
    monkeypatch.undo()
    assert len(filled.undo().back) == 2


def test_nobody_can_change_a_post_unnoticed(filled):
    """Whatever statement touches what a post is made of, its former rows are kept."""
    catalogue = filled._catalogue
    before = state(filled)
    (key,) = catalogue.rows("SELECT key FROM posts WHERE id = 'red-1.png'")[0]
    statements = [
        "UPDATE posts SET lat = 1, lon = 2 WHERE key = ?",
        "INSERT INTO tags VALUES (?, 7, 'x', 'x')",
        "INSERT INTO labels VALUES (?, 7, 'x')",
        "UPDATE captions SET text = 'x' WHERE key = ?",
        "DELETE FROM captions WHERE key = ?",
        "REPLACE INTO edits VALUES (?, 'tags', 'x', '')",
        "DELETE FROM posts WHERE key = ?",
    ]
    for statement in statements:
        with catalogue.action("test"), catalogue.transaction():
            catalogue.change(statement, key)
            catalogue.change(statement, key) if "INSERT" not in statement else None
        assert state(filled)[0] != before[0], statement
        assert len(filled.undo().action.name) == 4
        assert state(filled) == before, statement


def test_a_clash_in_the_stack_of_two_processes_is_kept_in_order(filled):
    """What another process did between two steps of an action is taken back before the later step is."""
    start = state(filled)
    with filled.as_one("build"):
        filled.edit(["red-1.png"], tags=["one"])
        with Album.open(filled.path) as other:
            other.edit(["red-1.png"], tags=["two"])
        filled.edit(["red-1.png"], tags=["three"])
    assert [action.name for action in filled.actions()[:3]] == ["build", "edit", "build"]
    assert set(filled.get("red-1.png").tags) == {"one", "two", "three"}
    filled.undo()
    assert set(filled.get("red-1.png").tags) == {"one", "two"}
    filled.undo()
    assert filled.get("red-1.png").tags == ("one",)
    filled.undo()
    assert state(filled) == start


@pytest.mark.parametrize("seed", range(6))
def test_any_history_can_be_walked_back_and_forth(
    album, tmp_path, turned_space_folder, space_folder, seed, monkeypatch
):
    """Random actions on two folders and an archive, then all undone and redone: each state comes again."""
    monkeypatch.setattr(writer, "COMPACT_FROM", 6)
    chance = random.Random(seed)
    roots = [tmp_path / "one", tmp_path / "two"]
    for root in roots:
        paint(root / "red-0.png", "red")
    spaces = [turned_space_folder, space_folder]
    states = [state(album)]
    done = 0
    while done < 14:
        act(album, chance, roots, spaces, tmp_path)
        now = state(album)
        if now != states[-1]:
            states.append(now)
            done += 1
    for _ in range(2):
        for former in states[-2::-1]:
            while state(album) != former:  # an entry may only have said that a folder is to be read
                album.undo()
        for later in states[1:]:
            while state(album) != later:
                album.undo(redo=True)
    assert album._catalogue.rows("PRAGMA foreign_key_check") == []


def act(album, chance, roots, spaces, tmp_path):
    """One of all the things people do."""
    ids = sorted(post.id for post in album.posts())
    some = chance.sample(ids, min(len(ids), chance.randint(1, 3)))
    root = chance.choice(roots)
    files = sorted(root.rglob("*.png"))
    match chance.randrange(10):
        case 0 | 1:
            for _ in range(chance.randint(1, 3)):
                name = f"{chance.choice(list(COLOURS))}-{chance.randrange(20)}"
                photo = paint(root / f"{name}.png", name.split("-")[0])
                photo.with_suffix(".txt").write_text(f"{name} {chance.random()}")
            album.add(open_dataset(root))
        case 2 if files:
            photo = chance.choice(files)
            photo.rename(photo.with_name(f"moved{chance.randrange(99)}-{photo.name}"))
            album.sync()
        case 3 if len(files) > 1:
            chance.choice(files).unlink()
            album.sync(prune=chance.random() < 0.5)
        case 4 if files:
            shutil.copy(chance.choice(files), root / f"copy{chance.randrange(99)}.png")
            album.sync()
        case 5 if files:
            paint(chance.choice(files), chance.choice(list(COLOURS)), size=(24, 24 + chance.randrange(9)))
            album.sync()
        case 6 if some:
            album.remove(some)
        case 7 if some:
            album.edit(some, tags=[f"t{chance.randrange(4)}"], place=Place(chance.random() * 80, 7.1))
        case 8:
            album.activate(chance.choice(spaces))
        case 9:
            data = paint(tmp_path / "x.png", chance.choice(list(COLOURS)), (24, 33 + chance.randrange(9)))
            album.add(dataset(tmp_path / "zip", [Post(f"zipped-{chance.randrange(3)}", data.read_bytes())]))


def test_former_rows_are_found_by_their_index(filled):
    """A column that a table made from a SELECT has no type for takes no index: undo would be quadratic."""
    for name in (*FORMER, *FORMER_ROWS):
        column = filled._catalogue.rows(f"SELECT type FROM pragma_table_info('former_{name}') WHERE cid = 0")
        assert column == [("INT",)], name
