"""Guessed places: hand-made days of a trip, in plain colours that say what looks alike."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from tiny_world import dataset, paint

from cartolina.album.clock import clocks, own_clock
from cartolina.album.missing import ALONE, APART, NO_TIME, REASONS, UNLIKE, _agrees
from cartolina.errors import InputError
from cartolina.post import Place, Post

NOON = datetime(2021, 7, 1, 12)
LISBON, CAMPO, SINTRA, KYOTO = (
    Place(38.717, -9.140),
    Place(38.714, -9.167),
    Place(38.798, -9.388),
    Place(35.02, 135.75),
)


def minutes(count):
    return NOON + timedelta(minutes=count)


@pytest.fixture
def filled(album, tmp_path):
    """Fill the album with posts of (name, colour, place, taken)."""

    def fill(*rows):
        posts = [
            Post(name, paint(tmp_path / "photos" / f"{name}.png", colour), place=place, taken=taken)
            for name, colour, place, taken in rows
        ]
        album.add(dataset(tmp_path / "photos", posts))
        return album

    return fill


LISBON_DAY = [
    ("a", (250, 5, 5), LISBON, minutes(0)),
    ("b", (245, 0, 0), CAMPO, minutes(50)),
    ("c", (250, 10, 0), LISBON, minutes(130)),
]
KYOTO_DAY = [(f"k{n}", (0, 5 * n, 250), KYOTO, minutes(60 * 24 * 400 + n)) for n in range(12)]


def test_time_and_look_agree(filled):
    album = filled(*LISBON_DAY, *KYOTO_DAY, ("x", (255, 0, 0), None, minutes(60)))
    missing = album.missing_places()
    (guess,) = missing.guesses
    assert (guess.id, guess.place, guess.locality.name) == ("x", CAMPO, "Lisbon, Portugal")
    assert [(one.id, one.hours) for one in guess.in_time] == [("a", -1.0), ("b", -0.167), ("c", 1.167)]
    assert [one.away_km for one in guess.in_time] == pytest.approx([2.367, 0, 2.367], abs=0.01)
    assert {one.id for one in guess.in_look} == {"a", "b", "c"}
    assert guess.in_look[0].similarity > 0.99
    assert (guess.looks_for, guess.looks, guess.by_chance) == (3, 3, 0.6)  # three of fifteen lie there
    assert "3 posts around it in time within 2.4 km, the nearest 10 min away; 3 of 3" in guess.why
    assert (missing.posts, missing.why_not) == (1, {})
    assert album.get("x").place is None  # nothing is written unasked


def test_time_agrees_but_look_does_not(filled):
    missing = filled(*LISBON_DAY, *KYOTO_DAY, ("x", (0, 20, 255), None, minutes(60))).missing_places()
    assert missing.why_not == {"x": UNLIKE}


def test_look_agrees_but_time_does_not(filled):
    far = [("s", (250, 0, 0), SINTRA, minutes(70))]
    rows = [*LISBON_DAY, *far, ("x", (255, 0, 0), None, minutes(60))]
    assert filled(*rows).missing_places().why_not == {"x": APART}


@pytest.mark.parametrize(
    ("taken", "reason"),
    [(None, NO_TIME), (minutes(-181), ALONE), (minutes(311), ALONE), (minutes(-179), ALONE)],
)
def test_neighbours_in_time_are_two_within_three_hours(filled, taken, reason):
    missing = filled(*LISBON_DAY, ("x", (255, 0, 0), None, taken)).missing_places()
    assert (missing.guesses, missing.why_not) == ((), {"x": reason})
    assert missing.reasons == {reason: 1}


def test_neighbours_may_all_be_on_one_side(filled):
    (guess,) = filled(*LISBON_DAY, ("x", (255, 0, 0), None, minutes(200))).missing_places().guesses
    assert guess.place == LISBON
    assert [one.id for one in guess.in_time] == ["b", "c"]


def test_only_the_three_nearest_on_each_side_count(filled):
    early = ("s", (250, 0, 0), SINTRA, minutes(-60))
    (guess,) = filled(early, *LISBON_DAY, ("x", (255, 0, 0), None, minutes(140))).missing_places().guesses
    assert [one.id for one in guess.in_time] == ["a", "b", "c"]


def test_an_album_without_places_or_without_gaps(filled):
    album = filled(("x", (255, 0, 0), None, NOON))
    assert album.missing_places().why_not == {"x": ALONE}
    album.place({"x": LISBON})
    assert album.missing_places().posts == 0


def test_posts_with_places_but_no_time_count_for_look_alone(filled):
    timeless = [(f"t{n}", (250, n, 0), KYOTO, None) for n in range(10)]
    missing = filled(*LISBON_DAY, *timeless, ("x", (254, 4, 0), None, minutes(60))).missing_places()
    assert missing.why_not == {"x": UNLIKE}


def test_the_wall_clock_meets_utc(filled):
    # Lisbon is an hour ahead of UTC in July, Kyoto nine: a phone's UTC and a camera's wall clock.
    phone = [(name, colour, place, taken.replace(tzinfo=UTC)) for name, colour, place, taken in LISBON_DAY]
    camera = ("camera", (255, 0, 0), None, minutes(60 + 55))
    zoned = ("zoned", (255, 0, 1), None, minutes(55 - 300).replace(tzinfo=timezone(timedelta(hours=-5))))
    missing = filled(*phone, camera, zoned).missing_places()
    assert {guess.id: guess.place for guess in missing.guesses} == {"camera": CAMPO, "zoned": CAMPO}
    for guess in missing.guesses:
        assert [one.hours for one in guess.in_time] == [-0.917, -0.083, 1.25]


def test_clocks():
    summer, winter = datetime(2021, 7, 1, 12), datetime(2021, 1, 1, 12)
    taken = [summer, winter, summer.replace(tzinfo=UTC), summer.replace(tzinfo=timezone(timedelta(hours=-7)))]
    rows = clocks([*taken, summer], ["Europe/Lisbon"] * 4 + ["No/Where"], [-9.0] * 4 + [-118.0])
    ahead = ((rows[:, 0] - rows[:, 1]) / 3600).tolist()
    assert ahead == [1, 0, 1, 1, -8]
    assert rows[3, 1] == rows[2, 1] + 7 * 3600
    assert own_clock(summer) == (0, rows[0, 0])
    assert own_clock(taken[3]) == (1, rows[3, 1])
    assert own_clock(datetime(1, 1, 1))[1] < 0  # the year 1 overflows a local timestamp
    assert clocks([], [], []).shape == (0, 2)


def test_look_agrees_beyond_chance():
    # Ten of a hundred posts were taken there: of 50 alike, 5 ± 2.1 by chance.
    assert not _agrees(7, 50, 0.1)
    assert _agrees(8, 50, 0.1)
    assert not _agrees(0, 50, 0.001)  # 0.05 ± 0.2
    assert _agrees(1, 50, 0.001)
    assert _agrees(50, 50, 1.0)  # an album of one town
    assert not _agrees(49, 50, 1.0)
    assert _agrees(3, 3, 0.9)


def test_accepting_writes_all_or_nothing(filled):
    album = filled(*LISBON_DAY, ("x", (255, 0, 0), None, minutes(60)), ("y", (255, 0, 2), None, minutes(61)))
    guesses = album.missing_places().guesses
    with pytest.raises(InputError, match="no post 'z'"):
        album.place({"x": LISBON, "z": LISBON})
    assert album.get("x").place is None
    assert album.place({guess.id: guess.place for guess in guesses}) == 2
    assert (album.get("x").place, album.get("y").place) == (CAMPO, CAMPO)
    assert [post.id for post, _ in album.edited()] == ["x", "y"]
    assert album.missing_places().posts == 0


def test_reasons_are_stable():
    assert REASONS == (
        "no time", "too few neighbours in time", "neighbours in time disagree",
        "picture not readable", "look disagrees",
    )  # fmt: skip
