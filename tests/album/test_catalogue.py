"""The catalogue: what goes in comes out; ids of several sources; all or nothing."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_world import paint

from cartolina.album.catalogue import Catalogue, folded
from cartolina.album.entry import Entry
from cartolina.album.schema import MIGRATIONS
from cartolina.errors import AlbumError
from cartolina.post import Place, Post


@pytest.fixture
def catalogue(tmp_path):
    made = Catalogue.create(tmp_path / "album.sqlite")
    yield made
    made.close()


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    return paint(tmp_path_factory.mktemp("photos") / "red.png", "red")


def source(catalogue, root="/photos", *, stable_ids=False):
    return catalogue.source(Path(root), "folder", stable_ids)[0]


def put(catalogue, post, number, content="c0"):
    entry = Entry.of(post, number)
    with catalogue.transaction():
        return catalogue.put(Entry(entry.post, entry.source, entry.size, entry.mtime, entry.digest, content))


characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
words = st.text(characters, max_size=12)
posts = st.builds(
    Post,
    id=st.text(characters, min_size=1, max_size=20),
    captions=st.lists(words, max_size=3).map(tuple),
    tags=st.lists(words, max_size=4).map(tuple),
    labels=st.lists(words, max_size=2).map(tuple),
    place=st.none() | st.builds(Place, st.floats(-90, 90), st.floats(-180, 180)),
    taken=st.none() | st.datetimes(timezones=st.none() | st.just(UTC)),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(posts)
def test_a_post_comes_out_as_it_went_in(catalogue, photo, post):
    post = Post(post.id, photo, post.captions, post.tags, post.place, post.taken, post.labels)
    stored = put(catalogue, post, source(catalogue))
    assert catalogue.posts([stored.key]) == {stored.key: post}
    with catalogue.transaction():
        catalogue.remove([stored.key])
    assert len(catalogue) == 0


def test_what_is_not_unicode_is_spelt_out(catalogue, photo):
    name = b"caf\xe9.jpg".decode("utf-8", "surrogateescape")
    stored = put(catalogue, Post(name, photo, captions=("\ud83d half\0",)), source(catalogue))
    assert stored.id == "caf\\udce9.jpg"
    assert catalogue.posts([stored.key])[stored.key].text == "\\ud83d half\\x00"


def test_a_path_that_is_not_utf8_comes_out_as_it_went_in(catalogue, tmp_path):
    path = tmp_path / b"caf\xe9.png".decode("utf-8", "surrogateescape")
    path.write_bytes(b"x")
    stored = put(catalogue, Post("a", path), source(catalogue, tmp_path))
    assert catalogue.posts([stored.key])[stored.key].image == path
    assert catalogue.shows(path)


def test_a_known_post_is_replaced_with_all_its_words(catalogue, photo):
    number = source(catalogue)
    first = put(catalogue, Post("a", photo, ("one", "two"), ("x", "y"), labels=("l",)), number)
    second = put(catalogue, Post("a", photo, ("three",), ()), number, content="c1")
    assert (second.key, second.former_hash) == (first.key, "c0")
    assert catalogue.posts([first.key])[first.key] == Post("a", photo, ("three",))
    assert catalogue.hashes([first.key]) == {first.key: "c1"}


def test_a_chance_clash_of_ids_gets_the_folders_name(catalogue, photo):
    one, two, three = (source(catalogue, f"/{name}/photos") for name in "abc")
    put(catalogue, Post("1.jpg", photo), one)
    names = [put(catalogue, Post("1.jpg", photo), number).id for number in (two, three)]
    assert names == ["photos/1.jpg", "photos/1.jpg (2)"]
    again = put(catalogue, Post("1.jpg", photo), two)
    assert (again.id, again.former_hash) == ("photos/1.jpg", "c0")
    assert len(catalogue) == 3


def test_ids_of_the_data_itself_replace_across_sources(catalogue, photo):
    one, two = source(catalogue, "/a", stable_ids=True), source(catalogue, "/b", stable_ids=True)
    first = put(catalogue, Post("42", photo, ("old",)), one)
    second = put(catalogue, Post("42", photo, ("new",)), two)
    assert second.key == first.key
    assert catalogue.posts([first.key])[first.key].text == "new"
    assert len(catalogue) == 1


def test_a_removed_posts_key_is_never_given_again(catalogue, photo):
    first = put(catalogue, Post("a", photo), source(catalogue))
    with catalogue.transaction():
        catalogue.remove([first.key])
    assert put(catalogue, Post("a", photo), source(catalogue)).key > first.key


def test_nothing_outlives_its_post(catalogue, photo):
    stored = put(catalogue, Post("a", photo, ("word",), ("tag",), labels=("l",)), source(catalogue))
    with catalogue.transaction():
        space = catalogue.space("f" * 32, 3)
        catalogue.place(space, {0: 1}, np.array([stored.key]), np.array([0]))
    with catalogue.transaction():
        catalogue.remove([stored.key])
    for table in ("captions", "tags", "labels", "vectors"):
        assert catalogue.rows(f"SELECT count(*) FROM {table}") == [(0,)]
    assert catalogue.rows("SELECT rowid FROM words WHERE words MATCH 'word'") == []


def test_a_vector_needs_its_post_and_its_segment(catalogue):
    def place_nothing():
        with catalogue.transaction():
            space = catalogue.space("f" * 32, 3)
            catalogue.place(space, {0: 1}, np.array([99]), np.array([0]))

    with pytest.raises(sqlite3.IntegrityError):
        place_nothing()
    assert catalogue.rows("SELECT * FROM spaces") == []


def test_a_transaction_that_fails_leaves_nothing(catalogue, photo):
    number = source(catalogue)

    def fail():
        with catalogue.transaction():
            catalogue.put(Entry.of(Post("a", photo, ("word",)), number))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert len(catalogue) == 0
    put(catalogue, Post("b", photo), number)
    assert len(catalogue) == 1


def test_readers_never_wait_and_see_one_moment(catalogue, photo):
    number = source(catalogue)
    put(catalogue, Post("a", photo), number)
    reader = Catalogue(catalogue.path)
    with catalogue.transaction():
        catalogue.put(Entry.of(Post("b", photo), number))
        with reader.snapshot():
            before = reader.moment()
            assert len(reader) == 1
    with reader.snapshot():
        assert reader.moment() != before
        assert len(reader) == 2
        put(catalogue, Post("c", photo), number)
        assert len(reader) == 2
    reader.close()


def test_placement_comes_back_sorted(catalogue, photo):
    keys = np.array([put(catalogue, Post(name, photo), source(catalogue)).key for name in "abc"])
    with catalogue.transaction():
        space = catalogue.space("f" * 32, 3)
        catalogue.place(space, {0: 65536, 1: 2}, keys[::-1], np.array([65537, 65536, 7]))
    rows, back, positions = catalogue.placement(space)
    assert rows == {0: 65536, 1: 2}
    assert back.tolist() == keys.tolist()
    assert positions.tolist() == [7, 65536, 65537]


def test_the_file_says_its_version_and_migrating_twice_is_nothing(catalogue):
    assert catalogue.version == len(MIGRATIONS)
    catalogue.migrate()
    assert len(catalogue) == 0


def test_migrations_that_fail_leave_the_former_version(catalogue, monkeypatch):
    monkeypatch.setattr(
        "cartolina.album.catalogue.MIGRATIONS", (*MIGRATIONS, "CREATE TABLE new (a); CREATE TABLE new (a);")
    )
    with pytest.raises(sqlite3.OperationalError):
        catalogue.migrate()
    assert catalogue.version == len(MIGRATIONS)
    assert catalogue.rows("SELECT name FROM sqlite_master WHERE name = 'new'") == []


@pytest.mark.parametrize("content", [None, b"this is no database, whatever its name says"])
def test_no_catalogue_is_told(tmp_path, content):
    path = tmp_path / "album.sqlite"
    if content:
        path.write_bytes(content)
    with pytest.raises(AlbumError, match="backup"):
        Catalogue(path)


@pytest.mark.parametrize(
    ("tag", "same"), [("#Beach", "beach"), (" ÉTÉ ", "été"), ("ﬁsh", "FISH"), ("Straße", "STRASSE")]
)
def test_tags_are_compared_without_case_or_hash(tag, same):
    assert folded(tag) == folded(same)


def test_when_a_post_was_taken_keeps_its_zone_or_none(catalogue, photo):
    for name, taken in (("a", datetime(2019, 7, 14, 9, 30)), ("b", datetime(2019, 7, 14, 9, 30, tzinfo=UTC))):
        stored = put(catalogue, Post(name, photo, taken=taken), source(catalogue))
        assert catalogue.posts([stored.key])[stored.key].taken == taken
