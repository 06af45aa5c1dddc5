import threading
import time
from itertools import pairwise

import pytest

from cartolina.errors import InputError
from cartolina.geo import Gazetteer, haversine_km


@pytest.fixture(scope="module")
def gazetteer():
    with Gazetteer.open() as opened:
        yield opened


def first(gazetteer, name):
    return gazetteer.find(name)[0]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Barcelona", "Barcelona, Catalonia, Spain"),
        ("bArCeLoNa", "Barcelona, Catalonia, Spain"),
        ("Firenze", "Florence, Tuscany, Italy"),
        ("東京", "Tokyo, Tokyo, Japan"),
        ("sao paulo", "São Paulo, São Paulo, Brazil"),
        ("New York", "New York City, New York, United States"),
        ("Springfield, Illinois", "Springfield, Illinois, United States"),
        ("Springfield, IL", "Springfield, Illinois, United States"),
        ("Paris, US", "Paris, Texas, United States"),
        ("paris,usa", "Paris, Texas, United States"),
        ("Valencia, Spain", "Valencia, Valencia, Spain"),
        ("Cancun", "Cancún, Quintana Roo, Mexico"),  # and not Changchun, so called in some languages
        ("NYC", "New York City, New York, United States"),
        ("Portugal", "Portugal"),
        ("Spanien", "Spain"),
        ("西班牙", "Spain"),
        ("UK", "United Kingdom"),
        ("Tuscany", "Tuscany, Italy"),
        ("Georgia, US", "Georgia, United States"),
        ("Toskana", "Tuscany, Italy"),
        ("Bretagne", "Brittany, France"),  # the list has it as Région Bretagne
        ("Andalucía", "Andalusia, Spain"),  # and not the village in Colombia
        ("北海道", "Hokkaido, Japan"),
        ("Positano", "Positano, Campania, Italy"),  # 2,300 people
    ],
)
def test_takes_the_best_known_place_of_that_name(gazetteer, name, label):
    town = first(gazetteer, name)
    unrepeated = ", ".join(dict.fromkeys(label.split(", ")))
    assert town.label == unrepeated


@pytest.mark.parametrize("words", ["", " ", ",", "the water", "water", "sea", "bus", "nyc", "Paris, Japan"])
def test_finds_nothing_that_is_not_a_name(gazetteer, words):
    # Abbreviations want capitals: "sea" is not SEA, Seattle's airport.
    assert gazetteer.find(words) == []


def test_lists_the_other_places_of_that_name_by_size(gazetteer):
    towns = gazetteer.find("Springfield", limit=10)
    assert len({town.region for town in towns}) >= 5
    assert all(a.population >= b.population for a, b in pairwise(towns))
    assert gazetteer.find("Springfield", limit=2) == towns[:2]
    assert [t.country for t in gazetteer.find("Barcelona")][:2] == ["Spain", "Venezuela"]


def test_coordinates_are_those_of_the_town(gazetteer):
    town = first(gazetteer, "Barcelona")
    assert haversine_km(town.lat, town.lon, 41.3874, 2.1686) < 3
    assert town.radius_km is None
    assert town.population > 1_500_000


@pytest.mark.parametrize(
    ("country", "inside", "outside"),
    [
        ("Portugal", [("Lisbon", "Portugal"), ("Porto", "Portugal")], [("Bilbao", "Spain")]),
        ("Fiji", [("Suva", "Fiji")], [("Auckland", "New Zealand")]),  # its islands lie on both sides of 180°
        ("France", [("Paris", "France"), ("Lyon", "France")], [("Rome", "Italy")]),
    ],
)
def test_a_country_is_a_circle_about_its_towns(gazetteer, country, inside, outside):
    area = first(gazetteer, country)

    def away_km(name):
        town = first(gazetteer, ", ".join(name))
        return haversine_km(area.lat, area.lon, town.lat, town.lon)

    assert all(away_km(name) < area.radius_km for name in inside)
    assert all(away_km(name) > area.radius_km for name in outside)


@pytest.mark.parametrize("typo", ["Bracelona", "Barcelonna", "barselona"])
def test_suggests_names_spelt_nearly_so(gazetteer, typo):
    assert "Barcelona" in [town.name for town in gazetteer.suggest(typo)]


def test_suggests_nothing_for_noise(gazetteer):
    assert gazetteer.suggest("xqzvw") == []
    assert gazetteer.suggest("") == []


def test_opens_and_finds_within_30_ms():
    def once():
        start = time.perf_counter()
        with Gazetteer.open() as gazetteer:
            gazetteer.find("Barcelona")
        return time.perf_counter() - start

    assert min(once() for _ in range(5)) < 0.03


def test_any_thread_may_ask(gazetteer):
    found = []
    thread = threading.Thread(target=lambda: found.extend(gazetteer.find("Lisboa")))
    thread.start()
    thread.join()
    assert found[0].name == "Lisbon"


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match="reinstall"):
        Gazetteer.open(tmp_path / "none.sqlite")
