"""Filters and circles, against plain Python over the posts."""

from __future__ import annotations

from datetime import datetime
from unicodedata import normalize

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tiny_world import paint

from cartolina.album.catalogue import Catalogue
from cartolina.album.entry import Entry
from cartolina.album.filters import Circle, allowed
from cartolina.geo import haversine_km
from cartolina.post import Place, Post
from cartolina.query import Filter


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("photos", numbered=False)


def fill(catalogue, root, posts):
    with catalogue.transaction():
        source, _ = catalogue.source(root, "folder", False)
        for post in posts:
            if not post.image.exists():
                paint(post.image, "red")
            catalogue.put(Entry.of(post, source))


@pytest.fixture(scope="module")
def catalogue(root, tmp_path_factory):
    made = Catalogue.create(tmp_path_factory.mktemp("album") / "album.sqlite")
    fill(
        made,
        root,
        [
            Post("beach", root / "Holidays" / "Rome" / "a.jpg", ("A red car, parked.",), ("Beach", "#sea"),
                 Place(41.9, 12.5), datetime(2019, 7, 14, 23, 59, 59)),
            Post("car", root / "Holidays" / "b.jpeg", ("Un café à Paris", "the car is red"), ("car",),
                 None, datetime(2020, 1, 1)),
            Post("rome", root / "rome.png", ("Rome wasn't built in a day",), (), Place(0, 0)),
            Post("plain", root / "romeo" / "c.png", ("",), ("seaside",), None, datetime(2018, 12, 31)),
        ],
    )  # fmt: skip
    yield made
    made.close()


def ids(catalogue, *filters, circle=None):
    found = allowed(catalogue, filters, circle)
    return [catalogue.posts([key])[key].id for key in found.keys.tolist()]


ALL = ["beach", "car", "rome", "plain"]


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("tag", "beach", ["beach"]),
        ("tag", "#BEACH", ["beach"]),
        ("tag", "sea", ["beach"]),
        ("tag", "50%", []),
        ("text", "car", ["beach", "car"]),
        ("text", "red car", ["beach"]),
        ("text", "CAFE", ["car"]),
        ("text", "wasn't", ["rome"]),
        ("text", 'red" OR "rome', []),
        ("text", "*", []),
        ("text", "ca", []),
        ("date", "2019", ["beach"]),
        ("date", "2019-07", ["beach"]),
        ("date", "2019-07-14", ["beach"]),
        ("date", "2019-07-15..", ["car"]),
        ("date", "..2018", ["plain"]),
        ("date", "2018-12-31..2019", ["beach", "plain"]),
        ("date", "1999", []),
        ("folder", "holidays", ["beach", "car"]),
        ("folder", "Holidays/Rome/", ["beach"]),
        ("folder", "rome", ["beach"]),
        ("folder", "Holi", []),
        ("folder", "photos/rome", []),
        ("folder", "Photos/holidays", ["beach", "car"]),
        ("folder", "..", []),
        ("type", "jpg", ["beach", "car"]),
        ("type", ".PNG", ["rome", "plain"]),
        ("has", "place", ["beach", "rome"]),
        ("has", "date", ["beach", "car", "plain"]),
        ("has", "text", ["beach", "car", "rome"]),
        ("has", "tags", ["beach", "car", "plain"]),
    ],
)
def test_each_filter_and_its_opposite(catalogue, key, value, expected):
    assert ids(catalogue, Filter(key, value)) == expected
    assert ids(catalogue, Filter(key, value, negated=True)) == [name for name in ALL if name not in expected]


def test_a_folder_is_that_of_any_file_of_a_post_however_it_is_spelt(root, tmp_path):
    made = Catalogue.create(tmp_path / "album.sqlite")
    fill(
        made,
        root,
        [Post("a", root / normalize("NFD", "ÉTÉ") / "a.png"), Post("b", root / "Straße" / "b.png")],
    )
    with made.transaction():
        made.change(
            "INSERT INTO copies SELECT source, 'copy', key, image, ?, size, mtime, digest, '[]', NULL "
            "FROM posts WHERE id = 'a'",
            "Best/a.png",
        )
    assert ids(made, Filter("folder", "été")) == ["a"]
    assert ids(made, Filter("folder", "STRASSE")) == ids(made, Filter("folder", "straße")) == ["b"]
    assert ids(made, Filter("folder", "best")) == ["a"]
    assert ids(made, Filter("folder", "best", negated=True)) == ["b"]
    made.close()


def test_files_whose_names_are_no_utf8_have_folders_and_types(root, tmp_path):
    made = Catalogue.create(tmp_path / "album.sqlite")
    image = tmp_path / b"caf\xe9/Rome/p\xe9.JPG".decode("utf-8", "surrogateescape")
    image.parent.mkdir(parents=True)
    image.write_bytes(b"looked at by nobody")
    fill(made, tmp_path, [Post("a", image)])
    assert ids(made, Filter("folder", "rome")) == ["a"]
    assert ids(made, Filter("type", "jpg")) == ["a"]
    made.close()


def test_filters_all_hold(catalogue):
    assert ids(catalogue, Filter("text", "car"), Filter("tag", "car", negated=True)) == ["beach"]
    assert ids(catalogue, Filter("tag", "car"), Filter("tag", "sea")) == []
    assert ids(catalogue, Filter("text", "rome"), circle=Circle(Place(1, 1), 200)) == ["rome"]


def test_nothing_asked_for_is_no_restriction(catalogue):
    assert allowed(catalogue, (), None) is None


def test_a_circle_says_how_far(catalogue):
    found = allowed(catalogue, (), Circle(Place(0, 1), 112))
    np.testing.assert_allclose(found.distance_km, [111.195], atol=1e-3)


PLACES = [
    (lat, lon)
    for lat in (-90, -89.99, -60, 0, 0.5, 45, 89, 90)
    for lon in (-180, -179.9, -90, 0, 0.3, 179.8, 180)
]


@pytest.fixture(scope="module")
def world(root, tmp_path_factory):
    made = Catalogue.create(tmp_path_factory.mktemp("world") / "album.sqlite")
    posts = [Post(f"{lat},{lon}", root / "rome.png", place=Place(lat, lon)) for lat, lon in PLACES]
    fill(made, root, [*posts, Post("nowhere", root / "rome.png")])
    yield made
    made.close()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(0.001, 21_000))
@example(0.0, 180.0, 50.0)
@example(0.0, -180.0, 50.0)
@example(90.0, 0.0, 0.001)
@example(-89.995, 10.0, 2.0)
@example(89.0, 0.0, 111.2)
@example(45.0, 179.9, 9000.0)
@example(0.0, 0.0, 20_016.0)
def test_a_circle_takes_exactly_what_lies_within(world, lat, lon, radius_km):
    expected = [f"{a},{b}" for a, b in PLACES if haversine_km(a, b, lat, lon) <= radius_km]
    assert ids(world, circle=Circle(Place(lat, lon), radius_km)) == expected
