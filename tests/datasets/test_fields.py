from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartolina.datasets.fields import (
    PhotoMetadata,
    clean,
    distinct,
    hashtags,
    merge,
    read_captions,
    read_fix,
    read_place,
    read_tags,
    read_taken,
)
from cartolina.errors import InputError
from cartolina.post import Place


@pytest.mark.parametrize(
    ("caption", "tags"),
    [
        ("Sunset #beach", ("beach",)),
        ("#beach#sea #Sea", ("beach", "sea")),
        ("in #München, #año_2024!", ("München", "año_2024")),
        ("#東京 ＃夜景", ("東京", "夜景")),
        ("#हिन्दी", ("हिन्दी",)),
        ("C# and F#, #1, it&#39;s http://a.b/#top page#part ## heading", ()),
        ("(#art)", ("art",)),
        ("", ()),
    ],
)
def test_hashtags(caption, tags):
    assert hashtags(caption) == tags


@given(st.text())
def test_hashtags_are_clean_pieces_of_the_caption(caption):
    for tag in hashtags(caption):
        assert f"#{tag}" in caption or f"＃{tag}" in caption
        assert not set(tag) & set(" #＃,.!\n")


def test_a_posts_tags_are_its_own_then_those_in_its_captions():
    post = PhotoMetadata(captions=("a #Sea", "b #sky"), tags=("sea", "me")).post("1", None)
    assert post.tags == ("sea", "me", "sky")
    assert post.captions == ("a #Sea", "b #sky")


def test_distinct_keeps_the_first_spelling_and_the_order():
    assert distinct(["Sea", "b", "", "sea", "a", "B"]) == ("Sea", "b", "a")


def test_clean_leaves_nothing_a_database_refuses():
    assert clean(" a\n\tb\x00 c\ud800 e\u0301 ") == "a b c é"


@given(st.text(st.characters()))
def test_clean_is_idempotent_and_encodable(text):
    assert clean(clean(text)) == clean(text)
    clean(text).encode()


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ("sunset, New York ,#beach", ("sunset", "New York", "beach")),
        ("sunset beach", ("sunset", "beach")),
        ("a;b|c", ("a", "b", "c")),
        ("['sea side', \"sky\"]", ("sea side", "sky")),
        (["#one", "two words", None], ("one", "two words")),
        ("[]", ()),
        ("", ()),
        (None, ()),
        (float("nan"), ()),
        (7, ("7",)),
    ],
)
def test_tags(value, tags):
    assert read_tags(value) == tags


def test_captions_come_as_a_text_or_a_list():
    assert read_captions(" a  dog ") == ("a dog",)
    assert read_captions(["a dog", "", None, "A dog", "a cat"]) == ("a dog", "a cat")
    assert read_captions(float("nan")) == read_captions({"a": 1}) == ()


@pytest.mark.parametrize(
    ("lat", "lon", "place"),
    [
        ("41.38", "2.17", Place(41.38, 2.17)),
        (-90, 180, Place(-90, 180)),
        ("", None, None),
        (0, 0, Place(0, 0)),
    ],
)
def test_places(lat, lon, place):
    assert read_place(lat, lon) == place


@pytest.mark.parametrize(
    ("lat", "lon"),
    [("x", 1), ("nan", 1), (91, 0), (0, -180.1), (1, None), ("1,5", "2"), (float("inf"), 0), (10**400, 1)],
)
def test_places_that_make_no_sense(lat, lon):
    with pytest.raises(InputError, match="coordinates"):
        read_place(lat, lon)


def test_a_receiver_at_null_island_has_no_fix():
    with pytest.raises(InputError, match="without a fix"):
        read_fix(0.0, -0.0)
    assert read_fix(0, 1) == Place(0, 1)


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ("2019:07:04 12:34:56", datetime(2019, 7, 4, 12, 34, 56)),
        ("2019-07-04T12:34:56+02:00", datetime(2019, 7, 4, 12, 34, 56, tzinfo=timezone(timedelta(hours=2)))),
        ("2019-07-04T12:34:56Z", datetime(2019, 7, 4, 12, 34, 56, tzinfo=UTC)),
        ("2019-07-04", datetime(2019, 7, 4)),
        ("2019:07:04", datetime(2019, 7, 4)),
        ("1562236496", datetime(2019, 7, 4, 10, 34, 56, tzinfo=UTC)),
        (1562236496, datetime(2019, 7, 4, 10, 34, 56, tzinfo=UTC)),
        (1562236496000, datetime(2019, 7, 4, 10, 34, 56, tzinfo=UTC)),
        (datetime(2019, 7, 4).date(), datetime(2019, 7, 4)),
        ("0000:00:00 00:00:00", None),
        ("    :  :     :  :  ", None),
        ("", None),
        (None, None),
    ],
)
def test_dates(value, taken):
    assert read_taken(value) == taken


@pytest.mark.parametrize(
    "value", ["yesterday", "2019:13:40 00:00:00", "2019", 2019, "99999999999999999999", [1]]
)
def test_dates_that_make_no_sense(value):
    with pytest.raises(InputError, match="date"):
        read_taken(value)


@given(st.one_of(st.text(), st.integers(), st.floats(), st.lists(st.text())))
def test_dates_and_places_are_read_or_refused_never_crash(value):
    for read in (read_taken, lambda one: read_place(one, one)):
        try:
            read(value)
        except InputError:
            continue


def test_merging_takes_all_words_and_the_first_of_the_rest():
    first = PhotoMetadata(captions=("a",), tags=("x",), place=Place(1, 1), problems=(("bad date", "no"),))
    second = PhotoMetadata(("A", "b"), ("y",), Place(2, 2), datetime(2020, 1, 1), 6, (("bad date", "no"),))
    assert merge([first, second]) == PhotoMetadata(
        ("a", "b"), ("x", "y"), Place(1, 1), datetime(2020, 1, 1), 6, (("bad date", "no"),)
    )
