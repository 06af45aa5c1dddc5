"""What `reverse` needs, as the gazetteer keeps it: outlines of countries, places in bands, quarters of towns.

Part of compiling; nothing of it runs when names are looked up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cartolina.geo.bands import FIXED, Bands
from cartolina.geo.quarters import quarters
from cartolina.geo.shapes import Ring, Shapes

__all__ = ["reverse_layers"]

Record = Mapping[str, Any]

NAMED = ("iso1A2", "country")
"""country-coder's properties that say whose an outline is."""


def reverse_layers(
    towns: Mapping[int, tuple[Any, ...]], codes: Sequence[str], borders: Iterable[Record]
) -> tuple[dict[str, bytes], dict[int, int]]:
    """The layers that `Reverse.of_layers` reads, and by id the town that each quarter is part of.

    `towns` are rows of the table `place` by id, `codes` the countries' in order, `borders` GeoJSON features.
    """
    ids, rows = np.array(list(towns)), list(towns.values())
    lat, lon, people = (np.array([row[column] for row in rows]) for column in (3, 4, 5))
    lat, lon = lat / FIXED, lon / FIXED
    owner = np.array([codes.index(row[1]) for row in rows])
    region = np.unique([f"{row[1]}.{row[2]}" for row in rows], return_inverse=True)[1]
    town = quarters(lat, lon, people, region)
    part_of = dict(zip(ids[town >= 0].tolist(), ids[town[town >= 0]].tolist(), strict=True))
    shapes = Shapes(_rings(list(borders), codes, lat, lon, owner))
    return {**shapes.layers(), **Bands.sort(ids, lat, lon, owner).layers()}, part_of


def _rings(
    borders: Sequence[Record],
    codes: Sequence[str],
    lat: NDArray[np.float64],
    lon: NDArray[np.float64],
    owner: NDArray[np.int64],
) -> Iterator[Ring]:
    """The outlines, each of the country that most of the places in it are of; else of its own."""
    drawn = [feature for feature in borders if feature["geometry"]]
    rings = [ring for number, feature in enumerate(drawn) for ring in _drawn(number, feature["geometry"])]
    inside = Shapes(rings).owners(lat, lon)
    for ring in rings:
        said = drawn[ring.owner]["properties"]
        of = Counter(owner[inside == ring.owner].tolist()).most_common(1)
        code = codes[of[0][0]] if of else next((c for c in map(said.get, NAMED) if c in codes), None)
        if code is not None:
            yield ring._replace(owner=codes.index(code))


def _drawn(number: int, geometry: Record) -> Iterator[Ring]:
    """The rings of a GeoJSON Polygon or MultiPolygon."""
    pieces = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    for piece in pieces:
        for ring in piece:
            lon, lat = np.array(ring, np.float64)[:, :2].T
            yield Ring(number, lat, lon)
