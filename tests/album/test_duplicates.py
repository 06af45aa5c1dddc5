"""What an album has twice: copies to the byte, near ones, and what only seems so."""

import shutil
import sqlite3
import sys
from pathlib import Path

import pytest
from PIL import ImageOps
from tiny_world import dataset, paint, write_space

from cartolina.album import Album, duplicates, looks
from cartolina.datasets import open_dataset
from cartolina.post import Post

sys.path.insert(0, str(Path(__file__).parents[1] / "vision"))

from test_looks import scene


@pytest.fixture
def photos(tmp_path):
    """Two scenes, one of them five times, and three black frames."""
    root = tmp_path / "photos"
    (root / "more").mkdir(parents=True)
    first = scene(1, (640, 480))
    first.save(root / "sea.jpg", quality=92)
    first.resize((320, 240)).save(root / "small.jpg", quality=90)
    first.save(root / "squeezed.jpg", quality=40)
    ImageOps.mirror(first).save(root / "turned.jpg", quality=91)
    shutil.copy(root / "sea.jpg", root / "more" / "sea copy.jpg")
    scene(2, (640, 480)).save(root / "hill.jpg")
    for n in range(3):
        paint(root / f"black-{n}.png", (0, 0, 0))
    return root


@pytest.fixture
def filled(tmp_path, photos):
    with Album.create(tmp_path / "a.album") as album:
        album.add(open_dataset(photos))
        yield album


def told(group):
    return group.best.post.id, {other.post.id: group.differs(other) for other in group.others}


def test_the_best_comes_first_and_what_differs_is_said(filled, photos):
    found = filled.duplicates()
    (group,) = found.groups
    best, others = told(group)
    assert Path(best).name in ("sea.jpg", "sea copy.jpg")
    assert others == {
        "squeezed.jpg": ("fewer bytes",),
        "small.jpg": ("smaller",),
        "turned.jpg": others["turned.jpg"],
    }
    assert others["turned.jpg"][0] == "mirrored"
    assert (group.best.width, group.best.height) == (640, 480)
    assert {group.best.post.image, *group.best.copies} == {
        photos / "sea.jpg",
        photos / "more" / "sea copy.jpg",
    }
    sizes = [(photos / name).stat().st_size for name in ("sea.jpg", *others)]
    assert group.spare_bytes == sum(sizes)
    assert (found.looked_at, found.by, found.unseen) == (8, "looks", ())


def test_strict_takes_no_mirrored_ones(filled):
    (group,) = filled.duplicates(strict=True).groups
    assert set(told(group)[1]) == {"small.jpg", "squeezed.jpg"}


def test_black_frames_are_no_duplicates_but_copies_of_one_are(filled, photos):
    shutil.copy(photos / "black-1.png", photos / "more" / "black.png")
    filled.add(open_dataset(photos))
    groups = [group for group in filled.duplicates().groups if not group.others]
    assert [len(group.best.copies) for group in groups] == [1]
    assert "black" in groups[0].best.post.id


def test_posts_of_one_content_under_ids_of_their_own(tmp_path, photos):
    posts = [Post(name, photos / "hill.jpg") for name in ("b", "a")]
    with Album.create(tmp_path / "t.album") as album:
        album.add(dataset(photos, posts, stable_ids=True, name="table"))
        (group,) = album.duplicates().groups
    assert told(group) == ("b", {"a": ("same bytes",)})


def test_a_crop_is_found_by_features(tmp_path, monkeypatch):
    """Features that agree join what bits alone do not; the tiny world's backbone sees the mean colour."""
    root = tmp_path / "crops"
    root.mkdir()
    scene(2, (640, 480)).save(root / "hill.jpg", quality=92)
    scene(2, (640, 480)).crop((32, 24, 640, 480)).save(root / "crop.jpg", quality=92)
    monkeypatch.setattr(duplicates, "SIZES", {"mean-colour": 16})
    with Album.create(tmp_path / "f.album") as album:
        album.activate(write_space(tmp_path / "space"))
        album.add(open_dataset(root))
        found = album.duplicates()
        (group,) = found.groups
        assert told(group)[0] == "hill.jpg"
        assert "smaller" in told(group)[1]["crop.jpg"]
        assert found.by == "looks and features"
        assert album.duplicates(strict=True).groups == ()
        monkeypatch.setattr(duplicates, "SIZES", {})
        again = album.duplicates()
        assert (again.by, again.groups) == ("looks", ())


def test_each_picture_is_looked_at_once(filled, photos, monkeypatch):
    first = filled.duplicates()
    monkeypatch.setattr(looks, "look", lambda data: pytest.fail("looked at again"))
    assert filled.duplicates() == first
    filled.remove(["hill.jpg"])
    assert filled.duplicates().looked_at == 7


def test_stopped_on_the_way_it_goes_on(filled, monkeypatch):
    monkeypatch.setattr(looks, "KEPT_TOGETHER", 2)
    real, count = looks.look, []

    def failing(data):
        count.append(1)
        if len(count) > 4:
            raise KeyboardInterrupt
        return real(data)

    monkeypatch.setattr(looks, "look", failing)
    monkeypatch.setattr(looks, "available_cores", lambda: 1)
    with pytest.raises(KeyboardInterrupt):
        filled.duplicates()
    kept = filled._catalogue.rows("SELECT count(*) FROM looks")[0][0]
    assert kept == 4
    monkeypatch.setattr(looks, "look", lambda data: count.append(2) or real(data))
    assert len(filled.duplicates().groups) == 1
    assert count.count(2) == 8 - kept


def test_what_cannot_be_looked_at_is_told(filled, photos):
    (photos / "hill.jpg").unlink()
    scene(9).save(photos / "small.jpg")
    (photos / "squeezed.jpg").write_bytes(b"")
    unseen = dict(filled.duplicates().unseen)
    assert unseen == {
        "hill.jpg": "no such image",
        "small.jpg": "changed since it was added",
        "squeezed.jpg": "empty file",
    }


def test_an_album_that_cannot_be_written_is_looked_through_all_the_same(filled, monkeypatch):
    said = []

    class Told:
        def say(self, message):
            said.append(message)

        def task(self, *_):
            from cartolina.progress import SILENT

            return SILENT.task("", None, "")

    def refused(*_):
        raise sqlite3.OperationalError("attempt to write a readonly database")

    monkeypatch.setattr(filled._catalogue, "transaction", refused)
    assert len(filled.duplicates(progress=Told()).groups) == 1
    assert len(said) == 1
    assert "readonly" in said[0]
