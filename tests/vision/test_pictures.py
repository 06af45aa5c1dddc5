"""Decoded pictures: the same from disk and decoded anew, never decoded twice for nothing, bounded."""

import json

import numpy as np
import pytest
from vision_photos import photo

from cartolina.datasets import Skipped
from cartolina.errors import InputError
from cartolina.post import Post
from cartolina.vision import pictures
from cartolina.vision.decode import UnreadableImage
from cartolina.vision.pictures import gather, listing
from cartolina.vision.preprocessing import Preprocessing

SQUARES = Preprocessing(20)


@pytest.fixture
def posts(tmp_path):
    """Five posts, the third of which has no picture any more."""
    made = []
    for number in range(5):
        path = tmp_path / f"{number}.png"
        path.write_bytes(photo(number))
        made.append(Post(str(number), path, captions=(f"number {number}",)))
    (tmp_path / "2.png").write_bytes(b"not a picture")
    return made


def parts(posts):
    return [lambda: [*posts[:3], Skipped("x", "bad row"), Skipped("y", "bad date")], lambda: posts[3:]]


def test_kept_and_decoded_anew_are_the_same(posts, tmp_path):
    kept = gather(listing(parts(posts)), tmp_path / "kept", SQUARES)
    anew = gather(listing(parts(posts)), tmp_path / "anew", SQUARES, budget=0)
    assert (tmp_path / "kept" / "pictures.u8").stat().st_size == 4 * 20 * 20 * 3
    assert not (tmp_path / "anew" / "pictures.u8").exists()
    for found in (kept, anew):
        assert found.skipped == {"not an image": 1, "bad row": 1}
        assert found.captions == [("number 0",), ("number 1",), ("number 3",), ("number 4",)]
        assert found.part.tolist() == [0, 0, 1, 1]
        assert len(found.pictures) == 4
    for number in range(4):
        assert (kept.pictures.take(number) == anew.pictures.take(number)).all()
    assert len({kept.pictures.take(number).tobytes() for number in range(4)}) == 4


def test_what_was_decoded_is_found_again_until_a_picture_changes(posts, tmp_path, monkeypatch):
    first = gather(listing(parts(posts)), tmp_path / "work", SQUARES)
    decoded = []
    real = pictures.open_rgb
    monkeypatch.setattr(
        pictures, "open_rgb", lambda image, at_least: decoded.append(image) or real(image, at_least)
    )
    again = gather(listing(parts(posts)), tmp_path / "work", SQUARES)
    assert decoded == []
    assert again.skipped == first.skipped
    assert (again.pictures.stored == first.pictures.stored).all()
    posts[2].image.write_bytes(photo(2))
    mended = gather(listing(parts(posts)), tmp_path / "work", SQUARES)
    assert len(decoded) == 5
    assert len(mended.pictures) == 5
    (tmp_path / "work" / "pictures.json").write_text(json.dumps({"digest": "torn"}))
    gather(listing(parts(posts)), tmp_path / "work", SQUARES)
    assert len(decoded) == 10


def test_pictures_in_archives_must_fit(posts, tmp_path):
    packed = [Post(post.id, post.image.read_bytes(), captions=post.captions) for post in posts]
    kept = gather(listing([lambda: packed]), tmp_path / "kept", SQUARES)
    assert np.array_equal(kept.pictures.take(0), SQUARES.resized(pictures.open_rgb(posts[0].image)))
    with pytest.raises(InputError, match=r"5 pictures lie in archives.*allow 1 GB"):
        gather(listing([lambda: packed]), tmp_path / "anew", SQUARES, budget=0)


def test_a_picture_that_goes_later_is_an_error_not_another_picture(posts, tmp_path):
    anew = gather(listing(parts(posts)), tmp_path / "anew", SQUARES, budget=0)
    posts[0].image.unlink()
    with pytest.raises(UnreadableImage, match="no such image"):
        anew.pictures.take(0)
