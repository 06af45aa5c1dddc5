"""Which country a point lies in: outlines of countries, asked for many points at once.

A country is a set of rings, closed polygons in degrees; a point is inside where a line from it to the east
crosses them an odd number of times (holes and islands need no telling). Rings do not cross the date line.

>>> square = Ring(7, np.array([0.0, 0, 2, 2, 0]), np.array([0.0, 2, 2, 0, 0]))
>>> Shapes([square]).owners([1.0, 1.0], [1.0, 3.0]).tolist()
[7, -1]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Ring", "Shapes"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

AT_ONCE = 8192
"""Points asked at a time: bounds the memory for the pairs of points and edges."""

FIXED = 100_000
"""Rings are kept in 1e-5 degrees (1 m)."""

EDGE = 1e-3
"""Rings end at the poles and near the date line: a point there is moved inside by as many degrees (100 m)."""


class Ring(NamedTuple):
    """One closed polygon of an owner (0 or more): its corners in degrees, the first one again at the end."""

    owner: int
    lat: Floats
    lon: Floats


class Shapes:
    """Rings by owner; where owners overlap, the smaller number has the point."""

    def __init__(self, rings: Iterable[Ring]) -> None:
        self._rings = sorted(rings, key=lambda ring: ring.owner)
        boxes = [(r.lat.min(), r.lat.max(), r.lon.min(), r.lon.max()) for r in self._rings]
        self._south, self._north, self._west, self._east = np.array(boxes, np.float64).reshape(-1, 4).T

    def layers(self) -> dict[str, bytes]:
        """As the gazetteer keeps them; `of_layers` reads it."""
        points = [np.c_[ring.lat, ring.lon] for ring in self._rings]
        corners = np.concatenate([np.empty((0, 2)), *points])
        return {
            "ring_owner": np.array([ring.owner for ring in self._rings], "<u2").tobytes(),
            "ring_length": np.array([len(ring.lat) for ring in self._rings], "<u4").tobytes(),
            "ring_corners": np.round(corners * FIXED).astype("<i4").tobytes(),
        }

    @classmethod
    def of_layers(cls, layers: Mapping[str, bytes]) -> Shapes:
        """From what `layers` gave."""
        owners = np.frombuffer(layers["ring_owner"], "<u2").tolist()
        ends = np.cumsum(np.frombuffer(layers["ring_length"], "<u4"))[:-1]
        corners = np.frombuffer(layers["ring_corners"], "<i4").reshape(-1, 2) / FIXED
        pieces = np.split(corners, ends) if owners else []
        return cls(Ring(owner, *piece.T) for owner, piece in zip(owners, pieces, strict=True))

    def owners(self, lat: ArrayLike, lon: ArrayLike) -> Ints:
        """Whose each point (N,) is, in degrees; −1 where it is nobody's."""
        y = np.clip(np.asarray(lat, np.float64), EDGE - 90, 90 - EDGE)
        x = np.clip(np.asarray(lon, np.float64), EDGE - 180, 180 - EDGE)
        order = np.argsort(y, kind="stable")
        found = np.full(len(y), -1, np.int64)
        for start in range(0, len(y), AT_ONCE):
            some = order[start : start + AT_ONCE]
            found[some] = self._among(y[some], x[some])
        return found

    def _among(self, y: Floats, x: Floats) -> Ints:
        """`owners` of points by ascending latitude."""
        found, inside, owner = np.full(len(y), -1, np.int64), np.zeros(len(y), bool), -1
        first, last = np.searchsorted(y, self._south, "left"), np.searchsorted(y, self._north, "right")
        for number in np.flatnonzero(first < last).tolist():
            ring = self._rings[number]
            if ring.owner != owner:
                found[inside & (found < 0)] = owner
                inside[:], owner = False, ring.owner
            band = slice(first[number], last[number])
            at = np.flatnonzero((x[band] >= self._west[number]) & (x[band] <= self._east[number]))
            if len(at):
                at += band.start
                inside[at] ^= _crossed(ring, y[at], x[at])
        found[inside & (found < 0)] = owner
        return found


def _crossed(ring: Ring, y: Floats, x: Floats) -> NDArray[np.bool_]:
    """Whether a line to the east from each point (n,), by ascending latitude, meets odd numbers of edges."""
    y0, y1, x0, x1 = ring.lat[:-1], ring.lat[1:], ring.lon[:-1], ring.lon[1:]
    # An edge holds its lower end, not its upper one: a line through a corner meets one edge, not two.
    first = np.searchsorted(y, np.minimum(y0, y1), "left")
    count = np.searchsorted(y, np.maximum(y0, y1), "left") - first
    edge = np.repeat(np.arange(len(count)), count)
    point = np.arange(len(edge)) + np.repeat(first - (np.cumsum(count) - count), count)
    slope = (x1[edge] - x0[edge]) / (y1[edge] - y0[edge])  # no level edge has a point between its ends
    east = x[point] < x0[edge] + (y[point] - y0[edge]) * slope
    odd: NDArray[np.bool_] = np.bincount(point[east], minlength=len(y)) % 2 == 1
    return odd
