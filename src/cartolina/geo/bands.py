"""The place nearest to a point, for many points at once: exact, and without looking at every place.

Places lie in bands of a tenth of a degree of latitude, by longitude within each, so a circle is a few runs
of consecutive places. Narrow circles are looked through first, wider ones for the points that found nothing.

>>> bands = Bands.sort(np.array([1, 2]), np.array([41.38, 48.85]), np.array([2.17, 2.35]), np.array([0, 1]))
>>> where, away_km = bands.nearest([41.4, 0.0], [2.2, 0.0], owner=[0, 0])
>>> bands.id[where[0]], round(float(away_km[0]), 1), where[1], away_km[1]
(np.int64(1), 3.3, np.int64(-1), np.float64(inf))
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cartolina.geo.distance import EARTH_RADIUS_KM, haversine_km

__all__ = ["REACH_KM", "Bands"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

REACH_KM = (5.0, 20.0, 60.0)
"""The radii of the circles that are looked through; nothing is found beyond the last."""

FIXED = 10_000
BAND = FIXED // 10  # in 1e-4 degrees
TURN = 360 * FIXED

AT_ONCE = 8192
"""Points asked at a time: bounds the memory for the pairs of points and places."""


class Bands:
    """Places by band and longitude: `id`, `lat`, `lon` in 1e-4 degrees, `owner` (the country), (P,) each."""

    def __init__(self, id: Ints, lat: Ints, lon: Ints, owner: Ints) -> None:  # noqa: A002
        self.id, self.lat, self.lon, self.owner = id, lat, lon, owner
        self._key = _key(_band(lat), lon)

    @classmethod
    def sort(cls, id: ArrayLike, lat: ArrayLike, lon: ArrayLike, owner: ArrayLike) -> Bands:  # noqa: A002
        """Of places in any order, `lat` and `lon` in degrees; of two in one spot the smaller id is found."""
        numbers = np.asarray(id, np.int64)
        y, x = (np.round(np.asarray(degrees) * FIXED).astype(np.int64) for degrees in (lat, lon))
        order = np.lexsort((numbers, _key(_band(y), x)))
        return cls(numbers[order], y[order], x[order], np.asarray(owner, np.int64)[order])

    def layers(self) -> dict[str, bytes]:
        """As the gazetteer keeps them; `of_layers` reads it."""
        return {
            "place_id": self.id.astype("<i4").tobytes(),
            "place_lat": self.lat.astype("<i4").tobytes(),
            "place_lon": self.lon.astype("<i4").tobytes(),
            "place_owner": self.owner.astype("<u2").tobytes(),
        }

    @classmethod
    def of_layers(cls, layers: Mapping[str, bytes]) -> Bands:
        """From what `layers` gave."""
        whole = (np.frombuffer(layers[f"place_{name}"], "<i4") for name in ("id", "lat", "lon"))
        owner = np.frombuffer(layers["place_owner"], "<u2")
        return cls(*(column.astype(np.int64) for column in (*whole, owner)))

    def nearest(self, lat: ArrayLike, lon: ArrayLike, owner: ArrayLike) -> tuple[Ints, Floats]:
        """Where in these arrays the nearest place of each point's `owner` (N,) is, and how far in km.

        −1 and infinity where there is none within the last of `REACH_KM`, and where `owner` is −1.
        """
        y, x = np.asarray(lat, np.float64), np.asarray(lon, np.float64)
        owners = np.asarray(owner, np.int64)
        where, away = np.full(len(y), -1, np.int64), np.full(len(y), np.inf)
        wanted = np.flatnonzero(owners >= 0)
        wanted = wanted[np.argsort(_key(_band(y[wanted] * FIXED), x[wanted] * FIXED))]  # neighbours together
        for reach in REACH_KM:
            for start in range(0, len(wanted), AT_ONCE):
                some = wanted[start : start + AT_ONCE]
                where[some], away[some] = self._within_reach(y[some], x[some], owners[some], reach)
            wanted = wanted[where[wanted] < 0]
        return where, away

    def _within_reach(self, y: Floats, x: Floats, owner: Ints, reach: float) -> tuple[Ints, Floats]:
        point, place = self._pairs(y, x, reach)
        own = self.owner[place] == owner[point]
        point, place = point[own], place[own]
        km = haversine_km(y[point], x[point], self.lat[place] / FIXED, self.lon[place] / FIXED)
        away = np.full(len(y), np.inf)
        np.minimum.at(away, point, km)
        closest = np.flatnonzero((km == away[point]) & (km <= reach))
        # Of those equally far (in one spot), the smallest id.
        closest = closest[np.lexsort((self.id[place[closest]], point[closest]))]
        points, first = np.unique(point[closest], return_index=True)
        where = np.full(len(y), -1, np.int64)
        where[points] = place[closest[first]]
        return where, np.where(where >= 0, away, np.inf)

    def _pairs(self, y: Floats, x: Floats, reach: float) -> tuple[Ints, Ints]:
        """Points and places that may be within `reach` km of each other (and some that are not)."""
        angle = reach / EARTH_RADIUS_KM
        tall = np.degrees(angle) + 2 / FIXED  # a hair more, since places are rounded
        # A circle is widest poleward of its centre; one that holds a pole has every longitude.
        with np.errstate(invalid="ignore"):
            wide = np.degrees(np.arcsin(np.sin(angle) / np.cos(np.radians(y)))) + 2 / FIXED
        wide = np.where(np.abs(y) + tall >= 90, 180.0, wide)
        lowest, highest = _band((y - tall) * FIXED), _band((y + tall) * FIXED)
        west, east = np.floor((x - wide) * FIXED), np.ceil((x + wide) * FIXED)
        points, firsts, counts = [], [], []
        for band in range(int((highest - lowest).max()) + 1 if len(y) else 0):
            for turn in (-TURN, 0, TURN):  # over the date line, too
                row, left, right = lowest + band, np.maximum(west + turn, -TURN // 2), east + turn
                right = np.minimum(right, TURN // 2)
                some = np.flatnonzero((row <= highest) & (left <= right))
                first = np.searchsorted(self._key, _key(row[some], left[some]), "left")
                points.append(some)
                firsts.append(first)
                counts.append(np.searchsorted(self._key, _key(row[some], right[some]), "right") - first)
        if not points:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        point, first, count = np.concatenate(points), np.concatenate(firsts), np.concatenate(counts)
        ends = np.cumsum(count)
        place = np.arange(ends[-1] if len(ends) else 0) + np.repeat(first - (ends - count), count)
        return np.repeat(point, count), place


def _band(lat: Ints | Floats) -> Ints:
    """The band of a latitude in 1e-4 degrees."""
    return np.floor_divide(lat, BAND).astype(np.int64)


def _key(band: Ints, lon: Ints | Floats) -> Ints:
    """Orders places by band, then longitude in 1e-4 degrees."""
    return band * (TURN + 1) + np.asarray(lon, np.int64) + TURN // 2
