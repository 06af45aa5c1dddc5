"""Names ↔ coordinates, offline: some 70,000 towns, 3,800 regions and all countries, in many languages.

>>> with Gazetteer.open() as gazetteer:
...     [town.label for town in gazetteer.find("Firenze", limit=1)]
['Florence, Tuscany, Italy']

Data: GeoNames (CC BY 4.0) and Unicode CLDR; see `compile.py`.
"""

from __future__ import annotations

import itertools
import sqlite3
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cartolina.errors import InputError
from cartolina.geo.distance import haversine_km
from cartolina.geo.names import fold

__all__ = ["Gazetteer", "Town"]

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

    def nearest(self, lat: float, lon: float, least_population: int = 0) -> tuple[Town, float]:
        """The town of at least so many people that is nearest to a point in degrees, and its distance in km.

        Without `least_population` a point in a city may be answered with one of its quarters.
        """
        ids, lats, lons, populations = self._towns
        away_km = np.where(populations >= least_population, haversine_km(lat, lon, lats, lons), np.inf)
        closest = int(np.argmin(away_km))
        if not np.isfinite(away_km[closest]):
            raise InputError(f"the gazetteer has no town of {least_population} people: ask for smaller ones")
        return self._get(int(ids[closest])), float(away_km[closest])

    @cached_property
    def _towns(self) -> tuple[NDArray[np.float64], ...]:
        """Ids, latitudes, longitudes and populations of the towns, (N,) each."""
        rows = self._database.execute(
            "SELECT id, lat / 10000.0, lon / 10000.0, population FROM place WHERE radius_km IS NULL"
        )
        return tuple(np.array(rows.fetchall(), np.float64).T)

    def _get(self, place: int) -> Town:
        return _town(self._database.execute(f"{_PLACES} WHERE place.id = ?", (place,)).fetchone())


def _town(row: _Row) -> Town:
    _, name, country, region, lat, lon, population, radius_km, *_ = row
    return Town(name, country, region, lat / 10_000, lon / 10_000, population, radius_km)


def _lies_in(row: _Row, qualifier: str) -> bool:
    """Whether a region or country, given folded by name or code, is the place's own."""
    _, _, country, region, _, _, _, _, *codes = row
    return qualifier in (fold(country), fold(region), *(code.lower() for code in codes))
