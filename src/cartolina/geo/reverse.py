"""Coordinates → names: country by its outline, region and town by the nearest place of that country.

Near a border the nearest town is often the other country's (one point in six within 20 km of one), hence the
outlines. A town's name is said within 25 km, a region's within 60; farther out only the country is known, and
on the high seas nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cartolina.geo.bands import Bands
from cartolina.geo.distance import GRANULARITIES
from cartolina.geo.shapes import Shapes

__all__ = ["NOWHERE", "Locality", "Nearest", "Reverse"]

TOWN_KM = float(GRANULARITIES["city"])
"""Beyond, no town is named; beyond the last of `bands.REACH_KM` no region either."""


@dataclass(frozen=True, slots=True)
class Locality:
    """What a point is called: English names, each "" where there is nothing to say.

    `zone` is the time zone there ("Europe/Lisbon").
    """

    town: str = ""
    region: str = ""
    country: str = ""
    zone: str = ""

    @property
    def name(self) -> str:
        """In short: "Lisbon, Portugal"; without a town, "Alentejo, Portugal"; "" on the high seas.

        >>> Locality("Singapore", "", "Singapore").name
        'Singapore'
        """
        parts = dict.fromkeys(part for part in (self.town or self.region, self.country) if part)
        return ", ".join(parts)

    def to_json(self) -> dict[str, str]:
        """For programs; keys are only ever added."""
        return {"name": self.name, "town": self.town, "region": self.region, "country": self.country}


NOWHERE = Locality()
"""The high seas, and what has no coordinates."""


class Nearest(NamedTuple):
    """For each point (N,): its country's number (−1: none), the nearest place's id (−1: none), and km."""

    country: NDArray[np.int64]
    place: NDArray[np.int64]
    away_km: NDArray[np.float64]


class Reverse:
    """Outlines of countries, and places whose `owner` is the country they lie in."""

    def __init__(self, shapes: Shapes, places: Bands) -> None:
        self._shapes, self._places = shapes, places

    @classmethod
    def of_layers(cls, layers: Mapping[str, bytes]) -> Reverse:
        """From the gazetteer's layers."""
        return cls(Shapes.of_layers(layers), Bands.of_layers(layers))

    def nearest(self, lat: ArrayLike, lon: ArrayLike) -> Nearest:
        """Country and nearest place of points (N,) in degrees."""
        country = self._shapes.owners(lat, lon)
        where, away_km = self._places.nearest(lat, lon, country)
        place = np.where(where >= 0, self._places.id[where], -1) if len(self._places.id) else where
        return Nearest(country, place, away_km)
