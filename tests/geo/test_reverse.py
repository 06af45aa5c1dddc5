"""Coordinates → names. What is expected of the known points was typed by hand, from maps."""

import numpy as np
import pytest

from cartolina.geo import Gazetteer, Locality, haversine_km, localities
from cartolina.geo.bands import REACH_KM, Bands
from cartolina.geo.quarters import PEOPLE_PER_KM2, quarters
from cartolina.geo.shapes import Ring, Shapes
from cartolina.post import Place

KNOWN = [
    ("Saint Peter's Square", 41.9022, 12.4573, "Vatican City, Vatican"),
    ("Colosseum, 3 km from it", 41.8902, 12.4922, "Rome, Italy"),
    ("Basel, Münster", 47.5565, 7.5925, "Basel, Switzerland"),
    ("Saint-Louis, Carrefour central", 47.5885, 7.5594, "Saint-Louis, France"),
    ("Weil am Rhein, station", 47.5933, 7.6078, "Weil am Rhein, Germany"),
    ("Niagara Falls, Prospect Point", 43.0866, -79.0686, "Niagara Falls, United States"),
    ("Niagara Falls, Table Rock", 43.0790, -79.0786, "Niagara Falls, Canada"),
    ("Tijuana, Avenida Revolución", 32.5331, -117.0382, "Tijuana, Mexico"),
    ("San Diego, Gaslamp", 32.7110, -117.1600, "San Diego, United States"),
    ("Kiel, Hauptbahnhof", 54.3146, 10.1318, "Kiel, Germany"),
    ("Times Square", 40.7580, -73.9855, "New York City, United States"),
    ("Coney Island", 40.5749, -73.9786, "New York City, United States"),
    ("Newark, Penn Station", 40.7347, -74.1644, "Newark, United States"),
    ("Shibuya crossing", 35.6595, 139.7005, "Tokyo, Japan"),
    ("Tower Bridge", 51.5055, -0.0754, "London, United Kingdom"),
    ("Potsdam, Sanssouci", 52.4042, 13.0385, "Potsdam, Germany"),
    ("Hallstatt, 800 people", 47.5622, 13.6493, "Hallstatt, Austria"),
    ("Ceuta", 35.8894, -5.3213, "Ceuta, Spain"),
    ("Gaza", 31.5017, 34.4668, "Gaza, Palestinian Territory"),
    ("Marina Bay", 1.2834, 103.8607, "Singapore"),
    ("middle of the Atlantic", 30.0, -40.0, ""),
    ("North Pole", 90.0, 0.0, ""),
    ("South Pole", -90.0, 123.0, "Antarctica"),
    ("inland ice of Greenland", 72.0, -40.0, "Greenland"),
    ("Fiji, west of the date line", -16.8, 180.0, "Fiji"),
    ("Fiji, east of it", -16.8, -180.0, "Fiji"),
]


@pytest.fixture(scope="module")
def gazetteer():
    with Gazetteer.open() as opened:
        yield opened


@pytest.mark.parametrize(("lat", "lon", "name"), [row[1:] for row in KNOWN], ids=[row[0] for row in KNOWN])
def test_known_points(gazetteer, lat, lon, name):
    (locality,) = gazetteer.localities([lat], [lon])
    assert locality.name == name


def test_many_points_at_once_are_named_as_each_alone(gazetteer):
    rows = KNOWN * 2
    names = [one.name for one in gazetteer.localities([r[1] for r in rows], [r[2] for r in rows])]
    assert names == [row[3] for row in rows]
    assert gazetteer.localities([], []) == []


def test_region_and_zone(gazetteer):
    (locality,) = gazetteer.localities([38.7169], [-9.1399])
    assert locality == Locality("Lisbon", "Lisbon", "Portugal", "Europe/Lisbon")
    assert locality.to_json() == {
        "name": "Lisbon, Portugal", "town": "Lisbon", "region": "Lisbon", "country": "Portugal",
    }  # fmt: skip


def test_far_from_every_town_only_the_region_is_said(gazetteer):
    # Eastern Oregon's desert, 35 km south of Burns.
    (locality,) = gazetteer.localities([43.27], [-119.05])
    assert (locality.town, locality.name) == ("", "Oregon, United States")


def test_no_place_has_no_name():
    assert localities([None, Place(38.7169, -9.1399), None])[1].town == "Lisbon"
    assert [one.name for one in localities([None])] == [""]
    assert localities([]) == []


# Shapes


def ring(owner, *corners):
    lat, lon = np.array([*corners, corners[0]], float).T
    return Ring(owner, lat, lon)


def test_holes_islands_and_who_comes_first():
    land = ring(1, (0, 0), (0, 10), (10, 10), (10, 0))
    hole = ring(1, (4, 4), (4, 6), (6, 6), (6, 4))
    enclave = ring(2, (4, 4), (4, 6), (6, 6), (6, 4))
    island = ring(1, (0, 20), (0, 22), (2, 22), (2, 20))
    shapes = Shapes([enclave, land, hole, island])
    assert shapes.owners([1, 5, 1, 5, 20], [1, 5, 21, 15, 5]).tolist() == [1, 2, 1, -1, -1]
    assert Shapes([land, ring(0, *zip([0, 0, 10, 10], [0, 5, 5, 0], strict=True))]).owners([5], [2]) == [0]
    assert Shapes([]).owners([5.0], [2.0]).tolist() == [-1]


def test_a_line_through_a_corner_meets_one_edge():
    diamond = ring(0, (0, 1), (1, 2), (2, 1), (1, 0))
    # West of the diamond, inside it and east of it, level with its corners.
    assert Shapes([diamond]).owners([1, 1, 1], [-1, 1, 3]).tolist() == [-1, 0, -1]
    assert Shapes([diamond]).owners([0, 2], [0.5, 0.5]).tolist() == [-1, -1]


def naive_owner(rings, lat, lon):
    inside = {}
    for one in rings:
        for y0, x0, y1, x1 in zip(one.lat, one.lon, one.lat[1:], one.lon[1:], strict=False):
            if (y0 > lat) != (y1 > lat) and lon < x0 + (lat - y0) * (x1 - x0) / (y1 - y0):
                inside[one.owner] = not inside.get(one.owner, False)
    return min((owner for owner, is_in in inside.items() if is_in), default=-1)


def test_shapes_equal_a_naive_loop():
    rng = np.random.default_rng(0)
    rings = [ring(int(owner), *rng.uniform(-20, 20, (7, 2))) for owner in rng.integers(0, 4, 9)]
    lat, lon = rng.uniform(-22, 22, (2, 400))
    found = Shapes(rings).owners(lat, lon)
    assert found.tolist() == [naive_owner(rings, *point) for point in zip(lat, lon, strict=True)]
    assert len(set(found.tolist())) == 5
    kept = Shapes.of_layers(Shapes(rings).layers()).owners(lat, lon)
    assert (kept == found).mean() > 0.995  # corners are kept to a metre


# Bands


def naive_nearest(places, lat, lon, owner):
    """By (distance, id)."""
    away = haversine_km(lat, lon, places["lat"], places["lon"])
    own = [
        (km, number) for km, number, o in zip(away, places["id"], places["owner"], strict=True) if o == owner
    ]
    return min(((km, number) for km, number in own if km <= REACH_KM[-1]), default=(np.inf, -1))


@pytest.mark.parametrize(
    ("south", "north", "west", "east"),
    [(40, 44, 5, 9), (-2, 2, 178.5, 180), (88.9, 90, -180, 180), (-90, -89, -180, 180), (60, 63, -180, -177)],
)
def test_nearest_equals_a_naive_loop(south, north, west, east):
    rng = np.random.default_rng(1)
    count = 300
    lat = rng.uniform(south, north, count).round(4)
    lon = rng.uniform(west, east, count).round(4)
    lon = np.where(rng.random(count) < 0.3, -lon, lon)  # over the date line, too
    places = {"id": rng.permutation(count) + 1, "lat": lat, "lon": lon, "owner": rng.integers(0, 3, count)}
    places["lat"][:4], places["lon"][:4], places["owner"][:4] = lat[5], lon[5], 1  # in one spot
    bands = Bands.sort(**places)
    asked_lat = np.r_[rng.uniform(south, north, 200), lat[5], south, north]
    asked_lon = np.r_[
        np.where(rng.random(200) < 0.5, -1, 1) * rng.uniform(west, east, 200), lon[5], 180, -180
    ]
    owner = np.r_[rng.integers(-1, 3, 200), 1, 0, 2]
    where, away = bands.nearest(asked_lat, asked_lon, owner)
    for at in range(len(asked_lat)):
        km, number = naive_nearest(places, asked_lat[at], asked_lon[at], owner[at])
        assert away[at] == pytest.approx(km, abs=1e-6)
        assert (bands.id[where[at]] if where[at] >= 0 else -1) == number
    assert (where >= 0).sum() > 20
    kept = Bands.of_layers(bands.layers()).nearest(asked_lat, asked_lon, owner)
    assert np.array_equal(kept[0], where)


def test_no_place_is_near_nothing():
    none = Bands.sort([], [], [], [])
    assert none.nearest([1.0], [1.0], [0])[0].tolist() == [-1]
    assert none.nearest([], [], [])[0].tolist() == []


# Quarters


def test_quarters_are_smaller_near_and_of_the_same_region():
    # A town of a million has a disc of 8 km, one of 200,000 a disc of 3.6.
    radius_km = np.sqrt(1_000_000 / PEOPLE_PER_KM2 / np.pi)
    assert radius_km == pytest.approx(7.98, abs=0.01)
    degrees = np.degrees(radius_km / 6371)
    lat = [0, degrees * 0.99, -degrees * 1.01, degrees * 0.5, -degrees * 0.1, 0.001, degrees * 0.99 + 0.03]
    people = [1_000_000, 200_000, 10_000, 10_000, 500_000, 100, 5_000]
    # Inside; outside; another region; half its people, which is too many; inside; out of the first disc but
    # inside that of the second, which is a quarter of the first.
    found = quarters(lat, [0] * 7, people, [0, 0, 0, 1, 2, 0, 0])
    assert found.tolist() == [-1, 0, -1, -1, -1, 0, 0]
    assert quarters(lat[:5], [0] * 5, people[:5], [0] * 5).tolist() == [-1, 0, -1, 0, -1]
    assert quarters([], [], [], []).tolist() == []
