"""A space: words and pictures as unit vectors, each model loaded when it is needed."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_world import paint

from cartolina.album import Space
from cartolina.errors import AlbumError, InputError


@pytest.fixture(params=["space_folder", "turned_space_folder"])
def space(request):
    return Space.open(request.getfixturevalue(request.param))


def test_words_and_pictures_of_one_colour_meet(space, tmp_path):
    names = ["red", "blue", "purple"]
    texts = space.encode_texts(names)
    images = space.encode_images([paint(tmp_path / f"{name}.png", name) for name in names])
    assert texts.dtype == images.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(texts, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(images, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(texts, images, atol=1e-3)


def test_the_head_is_applied_to_the_words(turned_space_folder):
    (vector,) = Space.open(turned_space_folder).encode_texts(["red"])
    np.testing.assert_allclose(vector, [0, 1, 0], atol=1e-6)


def test_a_text_of_unknown_words_is_nothing(space):
    np.testing.assert_array_equal(space.encode_texts(["xyzzy", "red"])[0], [0, 0, 0])
    assert space.unknown("red xyzzy") == ["xyzzy"]
    assert space.nearest("gren") == "green"


def test_features_of_any_number_of_pictures(space):
    features = np.array([[1, 0, 0], [0, 3, 0]], np.float32)
    vectors = space.encode_features([features])
    np.testing.assert_allclose(vectors, space.encode_texts(["red", "green"]), atol=1e-6)
    assert space.encode_features([features[:0]]).shape == (0, 3)


def test_views_are_averaged_and_made_unit_again(space_folder):
    space = Space.open(space_folder)
    one, other = np.array([[1, 0, 0]], np.float32), np.array([[0, 1, 0]], np.float32)
    np.testing.assert_allclose(space.encode_views([[one], [other]]), [[0.5**0.5, 0.5**0.5, 0]], atol=1e-6)


def test_words_load_nothing_that_looks_at_pictures(space):
    space.encode_texts(["red"])
    assert {"backbones", "_image_head"}.isdisjoint(vars(space))


def test_features_of_another_backbone_are_refused(space):
    with pytest.raises(InputError, match="of 2 backbones; the space has 1"):
        space.encode_features([np.ones((2, 3), np.float32), np.ones((2, 3), np.float32)])


def test_what_is_no_space_is_told(tmp_path):
    with pytest.raises(AlbumError, match="is not a space"):
        Space.open(tmp_path)
