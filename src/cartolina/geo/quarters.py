"""Which places are quarters of a larger town: a photo from Manhattan is from New York, not from Chinatown.

No list says it, so a town is a disc with room for its people at the density of a city. A place inside it, of
the same region and of less than half its people, counts as its quarter; quarters of quarters belong to the
largest. What is measured of it is in docs/quality.md.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cartolina.geo.distance import haversine_km

__all__ = ["quarters"]

Ints = NDArray[np.int64]

PEOPLE_PER_KM2 = 5000
"""Of 3,000 to 15,000: more leaves Belém and JFK to their quarters, fewer takes Fiesole into Florence."""

LARGE = 100_000
"""Towns of so many people have quarters."""


def quarters(lat: ArrayLike, lon: ArrayLike, population: ArrayLike, region: ArrayLike) -> Ints:
    """The town each place (N,) is a quarter of, by its position; −1: of none.

    `lat`, `lon` in degrees; `region` is any number that two places share when they may be one town.
    """
    y, x = np.asarray(lat, np.float64), np.asarray(lon, np.float64)
    people, regions = np.asarray(population), np.asarray(region)
    town = np.full(len(y), -1, np.int64)
    members = {number: np.flatnonzero(regions == number) for number in np.unique(regions[people >= LARGE])}
    large = np.flatnonzero(people >= LARGE)
    for one in large[
        np.argsort(people[large], kind="stable")
    ]:  # the largest comes last and has the last word
        near = members[regions[one]]
        radius_km = np.sqrt(people[one] / (np.pi * PEOPLE_PER_KM2))
        inside = haversine_km(y[one], x[one], y[near], x[near]) <= radius_km
        town[near[inside & (2 * people[near] < people[one])]] = one
    while True:
        above = np.where(town >= 0, town[town], -1)
        if (above < 0).all():
            return town
        town = np.where(above >= 0, above, town)
