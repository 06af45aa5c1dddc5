"""Names ↔ coordinates, offline: 235,000 places, 3,800 regions and all countries, in many languages.

>>> with Gazetteer.open() as gazetteer:
...     [town.label for town in gazetteer.find("Firenze", limit=1)]
...     [where.name for where in gazetteer.localities([43.768, 30.0], [11.253, -40.0])]
['Florence, Tuscany, Italy']
['Florence, Italy', '']

Data: GeoNames (CC BY 4.0), Unicode CLDR and others; see `sources.py`.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from cartolina.errors import InputError
from cartolina.geo.names import fold
from cartolina.geo.reverse import NOWHERE, TOWN_KM, Locality, Reverse
from cartolina.post import Place

__all__ = ["Gazetteer", "Town", "localities"]

SHIPPED = Path(__file__).with_name("gazetteer.sqlite")


@dataclass(frozen=True, slots=True)
class Town:
    """A named place: a town, or the circle that stands for a region or country.

    `country` and `region` are English names ("" where there is none); `lat`, `lon` in degrees, good to 11 m;
    `radius_km` is what "near" a region or country takes in, None for a town.
    """

    name: str
    country: str
    region: str
    lat: float
    lon: float
    population: int
    radius_km: float | None = None

    @property
    def label(self) -> str:
        """Name, region and country, as `Gazetteer.find` reads it: "Barcelona, Catalonia, Spain"."""
        parts = dict.fromkeys(part for part in (self.name, self.region, self.country) if part)
        return ", ".join(parts)


_PLACES = """
SELECT place.id, place.name, country.name, coalesce(region.name, ''), place.lat, place.lon, place.population,
       place.radius_km, place.country, country.iso3, place.region
FROM place JOIN country ON country.code = place.country
LEFT JOIN region ON region.country = place.country AND region.code = place.region
"""
_Row = tuple[int, str, str, str, int, int, int, int | None, str, str, str]

# How alike two spellings are when one may be meant for the other (difflib's ratio, 0 to 1).
CLOSE = 0.8


class Gazetteer:
    """A compiled gazetteer, opened read-only. Close it, or use it in a `with` block."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise InputError(f"no gazetteer at {path}: reinstall cartolina, which brings its own")
        # Immutable: no locks, no journal, so it opens in a read-only installation. Any thread may read.
        self._database = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False
        )

    @classmethod
    def open(cls, path: Path = SHIPPED) -> Self:
        """The gazetteer that ships with the package, or another compiled one."""
        return cls(path)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def find(self, name: str, limit: int = 5) -> list[Town]:
        """The places called `name`, best known first; none is an empty list.

        Case, accents and hyphens do not matter, other languages' names count (Firenze, 東京), abbreviations
        do in capitals (NYC). Large towns and countries that call themselves so go first, then by population,
        a region by a tenth of it ("New York" is the city). What follows a comma narrows by region or
        country, by name or code: "Springfield, Illinois", "Paris, US".
        """
        name, *qualifiers = (part.strip() for part in name.split(","))
        rows = self._database.execute(
            f"{_PLACES} JOIN name ON name.place = place.id WHERE name.name IN (?, ?) "
            "GROUP BY place.id ORDER BY max(name.own) DESC, place.id",
            (fold(name), name),
        )
        wanted = [fold(qualifier) for qualifier in qualifiers if qualifier]
        towns = (_town(row) for row in rows if all(_lies_in(row, qualifier) for qualifier in wanted))
        return list(itertools.islice(towns, limit))

    def suggest(self, name: str, limit: int = 3) -> list[Town]:
        """Places whose names are spelt nearly like `name` (same first letter), nearest first."""
        key = fold(name.split(",")[0])
        rows = self._database.execute(
            "SELECT name, place FROM name WHERE name >= ? AND name < ? AND abs(length(name) - ?) <= 2",
            (key[:1], key[:1] + "\U0010ffff", len(key)),
        )
        matcher = SequenceMatcher(None, b=key, autojunk=False)
        scored: dict[int, float] = {}
        for candidate, place in rows:
            matcher.set_seq1(candidate)
            if matcher.real_quick_ratio() >= CLOSE and matcher.quick_ratio() >= CLOSE:
                ratio = matcher.ratio()
                if ratio >= CLOSE:
                    scored[place] = max(ratio, scored.get(place, 0.0))
        nearest = sorted(scored, key=lambda place: (-scored[place], place))[:limit]
        return [self._get(place) for place in nearest]

    def localities(self, lats: ArrayLike, lons: ArrayLike) -> list[Locality]:
        """What the points (N,) in degrees are called: town, region and country; `NOWHERE` where nothing is.

        The town is the nearest in the country that the point lies in, at most 25 km away, and the whole of
        it: a point in Manhattan is in New York City. NaN is nowhere. See `reverse.py`.
        """
        points, which = np.unique(np.c_[lats, lons].round(4), axis=0, return_inverse=True)
        there = np.isfinite(points).all(axis=1)
        found = [NOWHERE] * len(points)
        country, place, away_km = (column.tolist() for column in self._reverse.nearest(*points[there].T))
        places = self._places(set(place) - {-1})
        for at, number, nearest, km in zip(np.flatnonzero(there), country, place, away_km, strict=True):
            name = self._countries[number] if number >= 0 else ""
            town, region, zone = places.get(nearest, ("", "", ""))
            found[at] = Locality(town if km <= TOWN_KM else "", region, name, zone)
        return [found[at] for at in which.ravel()]

    @cached_property
    def _reverse(self) -> Reverse:
        return Reverse.of_layers(dict(self._database.execute("SELECT name, data FROM layer")))

    @cached_property
    def _countries(self) -> list[str]:
        return [name for (name,) in self._database.execute("SELECT name FROM country ORDER BY code")]

    def _places(self, ids: Iterable[int]) -> dict[int, tuple[str, str, str]]:
        """The name of the town that each place is (part of), its region and its time zone."""
        rows = self._database.execute(
            "SELECT place.id, coalesce(town.name, place.name), coalesce(region.name, ''), "
            "coalesce(zone.name, '') FROM place LEFT JOIN place AS town ON town.id = place.part_of "
            "LEFT JOIN region ON region.country = place.country AND region.code = place.region "
            "LEFT JOIN zone ON zone.zone = place.zone "
            "WHERE place.id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )
        return {place: (town, region, zone) for place, town, region, zone in rows}

    def _get(self, place: int) -> Town:
        return _town(self._database.execute(f"{_PLACES} WHERE place.id = ?", (place,)).fetchone())


def localities(places: Sequence[Place | None]) -> list[Locality]:
    """What places are called, by the gazetteer that ships with the package; None is `NOWHERE`."""
    if not any(places):
        return [NOWHERE] * len(places)
    points = [(place.lat, place.lon) if place else (np.nan, np.nan) for place in places]
    with Gazetteer.open() as gazetteer:
        return gazetteer.localities(*zip(*points, strict=True))


def _town(row: _Row) -> Town:
    _, name, country, region, lat, lon, population, radius_km, *_ = row
    return Town(name, country, region, lat / 10_000, lon / 10_000, population, radius_km)


def _lies_in(row: _Row, qualifier: str) -> bool:
    """Whether a region or country, given folded by name or code, is the place's own."""
    _, _, country, region, _, _, _, _, *codes = row
    return qualifier in (fold(country), fold(region), *(code.lower() for code in codes))
