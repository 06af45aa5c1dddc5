import math
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartolina.errors import InputError
from cartolina.post import Place, Post


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_every_point_on_the_earth_is_a_place(lat, lon):
    assert Place(lat, lon) == Place(lat, lon)


@pytest.mark.parametrize(("lat", "lon"), [(math.nan, 0), (0, math.inf)])
def test_coordinates_that_are_no_numbers_are_refused(lat, lon):
    with pytest.raises(InputError, match="not finite"):
        Place(lat, lon)


@pytest.mark.parametrize(("lat", "lon"), [(90.01, 0), (-91, 0), (0, 180.5), (0, -181)])
def test_coordinates_off_the_map_are_refused_with_the_range(lat, lon):
    with pytest.raises(InputError, match="latitude is −90 to 90"):
        Place(lat, lon)


def test_a_post_speaks_its_first_caption_and_cannot_change():
    post = Post("1", captions=("a dog", "a brown dog"))
    assert post.text == "a dog"
    assert Post("2").text == ""
    with pytest.raises(FrozenInstanceError):
        post.id = "3"  # type: ignore[misc]


def test_a_post_without_id_is_refused():
    with pytest.raises(InputError, match="non-empty id"):
        Post("")
