"""Which posts a query's filters and its circle let through, asked of the catalogue.

`tag:beach` `text:"red car"` `date:2019-07` `date:2018..2020` `folder:holidays/rome` `type:png` `has:place`; a
negated filter takes the others, those without a date or place included. A circle is cut out of the catalogue
by a box first (which may span the date line or a pole), then exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from cartolina.album.catalogue import Catalogue, folded
from cartolina.album.spelt import spelt
from cartolina.geo import EARTH_RADIUS_KM, haversine_km
from cartolina.post import Place
from cartolina.query import FILE_TYPES, Filter, date_range
from cartolina.store.contract import Keys

__all__ = ["Allowed", "Circle", "allowed"]

Condition = tuple[str, list[object]]
"""SQL selecting keys, and its parameters."""

KM_PER_DEGREE = EARTH_RADIUS_KM * math.pi / 180


class Circle(NamedTuple):
    """All places within `radius_km` of `centre`."""

    centre: Place
    radius_km: float


class Allowed(NamedTuple):
    """Keys (N,) ascending of posts and, if there is a circle, how far (N,) each is from its centre in km."""

    keys: Keys
    distance_km: NDArray[np.float64] | None


def allowed(catalogue: Catalogue, filters: Iterable[Filter], circle: Circle | None) -> Allowed | None:
    """The posts that pass every filter and lie in the circle; None: neither was asked for, all do."""
    conditions = [_condition(one) for one in filters]
    if circle is not None:
        conditions.append(_box(circle))
    if not conditions:
        return None
    where = " AND ".join(["offline IS NULL", *(part for part, _ in conditions)])
    columns = "key" if circle is None else "key, lat, lon"
    found = catalogue.rows(
        f"SELECT {columns} FROM posts WHERE {where} ORDER BY key",  # noqa: S608 - values go as parameters
        *[value for _, values in conditions for value in values],
    )
    keys = np.fromiter((row[0] for row in found), np.int64, len(found))
    if circle is None:
        return Allowed(keys, None)
    places = np.array([row[1:] for row in found], np.float64).reshape(-1, 2)
    away = haversine_km(places[:, 0], places[:, 1], circle.centre.lat, circle.centre.lon)
    inside = away <= circle.radius_km
    return Allowed(keys[inside], away[inside])


def _box(circle: Circle) -> Condition:
    """A box of degrees that holds the circle; wider by a hair, since the exact cut comes after."""
    (lat, lon), reach = (circle.centre.lat, circle.centre.lon), circle.radius_km / KM_PER_DEGREE + 1e-6
    south, north = lat - reach, lat + reach
    if south <= -90 or north >= 90:  # a pole is inside: every longitude is
        return "lat BETWEEN ? AND ?", [south, north]
    # The meridians that touch the circle touch it poleward of its centre, where they stand closer.
    sine = math.sin(math.radians(reach)) / math.cos(math.radians(lat))
    wide = math.degrees(math.asin(min(1.0, sine))) + 1e-6
    spans = [(lon - wide + turn, lon + wide + turn) for turn in (-360, 0, 360)]  # over the date line, too
    spans = [(west, east) for west, east in spans if east >= -180 and west <= 180]
    either = " OR ".join("lon BETWEEN ? AND ?" for _ in spans)
    return f"lat BETWEEN ? AND ? AND ({either})", [south, north, *[edge for span in spans for edge in span]]


def _condition(one: Filter) -> Condition:
    sql, values = CONDITIONS[one.key](one.value)
    return f"key {'NOT ' if one.negated else ''}IN ({sql})", values


def _tag(value: str) -> Condition:
    return "SELECT key FROM tags WHERE folded = ?", [folded(value)]


def _text(value: str) -> Condition:
    """A phrase in one caption; the index, which stems, finds the candidates."""
    phrase = spelt(value)
    sql = "SELECT rowid FROM words WHERE words MATCH ? AND instr(' ' || captions || ' ', ?)"
    return sql, [f'captions : "{phrase}"', f" {phrase} "]


def _date(value: str) -> Condition:
    first, last = date_range(value)
    days = [first.isoformat(), last.isoformat()]
    return "SELECT key FROM posts WHERE substr(taken, 1, 10) BETWEEN ? AND ?", [*days]  # ISO sorts as text


def _folder(value: str) -> Condition:
    """Any run of folders on the way from the source's own to one of a post's files."""
    files = "SELECT key, source, within FROM posts UNION ALL SELECT key, source, within FROM copies"
    sql = f"SELECT key FROM ({files}) JOIN sources USING (source) WHERE instr(way(root, within), ?)"  # noqa: S608
    return sql, [f"/{normalize('NFC', value.strip('/')).casefold()}/"]


def _type(value: str) -> Condition:
    endings = [f"%.{ending}" for ending in FILE_TYPES[value]]
    either = " OR ".join("CAST(within AS TEXT) LIKE ?" for _ in endings)
    return f"SELECT key FROM posts WHERE {either}", [*endings]  # noqa: S608 - only question marks are put in


HAS = {
    "place": "SELECT key FROM posts WHERE lat IS NOT NULL",
    "date": "SELECT key FROM posts WHERE taken IS NOT NULL",
    "text": "SELECT key FROM captions WHERE text != ''",
    "tags": "SELECT key FROM tags",
}


def _has(value: str) -> Condition:
    return HAS[value], []


CONDITIONS: dict[str, Callable[[str], Condition]] = {
    "tag": _tag,
    "text": _text,
    "date": _date,
    "folder": _folder,
    "type": _type,
    "has": _has,
}
