"""`missing places` as people give it."""

import json
from datetime import datetime, timedelta

import pytest
from tiny_world import dataset, paint

from cartolina.album import Album
from cartolina.post import Place, Post


@pytest.fixture
def trip(tmp_path, space):
    """An album of a trip to Kiel, with two photos without a place: one with a time, one without."""
    noon = datetime(2020, 5, 1, 12)
    rows = [("a.png", Place(54.32, 10.13), 0), ("b.png", Place(54.33, 10.14), 30), ("x.png", None, 10)]
    posts = [
        Post(name, paint(tmp_path / "p" / name, (250, n, 0)), place=place, taken=noon + timedelta(minutes=m))
        for n, (name, place, m) in enumerate(rows)
    ]
    posts.append(Post("timeless.png", paint(tmp_path / "p" / "timeless.png", "blue")))
    with Album.create(tmp_path / "T") as made:
        made.activate(space)
        made.add(dataset(tmp_path / "p", posts))
    return tmp_path / "T"


def test_lists_guesses_and_writes_nothing(cartolina, trip, tmp_path):
    said = cartolina("missing", "places", trip, "--sheet", tmp_path / "g.png").stdout
    assert "2 posts have no place; for 1 there is a guess" in said
    assert "x.png" in said
    assert "Kiel, Germany" in said
    assert "1 without a guess: no time" in said
    assert "Nothing was written" in said
    assert (tmp_path / "g.png").stat().st_size > 1000
    answer = json.loads(cartolina("missing", "places", trip, "--json").stdout)
    assert (answer["without_place"], answer["accepted"], answer["no_guess"]) == (2, 0, {"no time": 1})
    (guess,) = answer["guesses"]
    assert guess["guess"] is True
    assert guess["place"] == {
        "lat": 54.32, "lon": 10.13, "name": "Kiel, Germany", "town": "Kiel",
        "region": "Schleswig-Holstein", "country": "Germany",
    }  # fmt: skip
    assert guess["in_time"] == [
        {"id": "a.png", "away_km": 0.0, "hours": -0.167},
        {"id": "b.png", "away_km": pytest.approx(1.29, abs=0.01), "hours": 0.333},
    ]
    assert [one["id"] for one in guess["in_look"]] == ["b.png", "a.png"]


def test_accepts_what_is_named(cartolina, trip):
    refused = cartolina("missing", "places", trip, "--accept", "timeless.png")
    assert refused.exit_code == 2
    assert "'timeless.png' cannot be accepted: it has no guess (no time)" in refused.stderr
    assert "has a place already" in cartolina("missing", "places", trip, "--accept", "a.png").stderr
    assert "1 accepted" in cartolina("missing", "places", trip, "--accept", "x.png").stdout
    with Album.open(trip) as album:
        assert album.get("x.png").place == Place(54.32, 10.13)
    again = json.loads(cartolina("missing", "places", trip, "--accept-all", "--json").stdout)
    assert (again["without_place"], again["accepted"]) == (1, 0)


def test_accepts_all(cartolina, trip):
    assert json.loads(cartolina("missing", "places", trip, "--accept-all", "--json").stdout)["accepted"] == 1


def test_search_and_info_name_places(cartolina, trip):
    assert "Kiel, Germany" in cartolina("search", trip, "red").stdout
    place = json.loads(cartolina("search", trip, "has:place", "--json").stdout)["results"][0]["place"]
    assert (place["town"], place["country"], place["lat"]) == ("Kiel", "Germany", 54.32)
    facts = json.loads(cartolina("info", trip, "--json").stdout)["places"]
    assert facts == {
        "countries": [{"name": "Germany", "posts": 2}],
        "towns": [{"name": "Kiel, Germany", "posts": 2}],
    }
    assert "Kiel, Germany (2)" in cartolina("info", trip).stdout
