"""What `missing places` answers: guesses, the neighbours that speak for them, and why others have none."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from cartolina.geo import Locality
from cartolina.post import Place

__all__ = ["LOOK_KM", "Guess", "MissingPlaces", "Neighbour"]

LOOK_KM = 25.0
"""How far from a guess a post that looks alike may have been taken to speak for it."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A post with a place that speaks for or against a guess, `away_km` from it.

    `hours` is how much later it was taken (negative: before), for neighbours in time; `similarity` the
    cosine, for neighbours in look.
    """

    id: str
    away_km: float
    hours: float | None = None
    similarity: float | None = None

    def to_json(self) -> dict[str, Any]:
        """For programs; keys are only ever added."""
        own = {"hours": self.hours} if self.similarity is None else {"similarity": self.similarity}
        return {"id": self.id, "away_km": round(self.away_km, 3), **own}


@dataclass(frozen=True, slots=True)
class Guess:
    """Where the post `id` may have been taken, what that is called, and the neighbours that say so.

    `in_look` are the few most alike; of the `looks` that were asked `looks_for` were taken there, where
    `by_chance` would have been.
    """

    id: str
    place: Place
    locality: Locality
    in_time: tuple[Neighbour, ...]
    in_look: tuple[Neighbour, ...]
    looks_for: int
    looks: int
    by_chance: float

    @property
    def why(self) -> str:
        """The reasons, for a person."""
        nearest = min(self.in_time, key=lambda one: abs(one.hours or 0.0))
        spread = max(one.away_km for one in self.in_time)
        minutes = abs(nearest.hours or 0.0) * 60
        away = f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"
        return (
            f"{len(self.in_time)} posts around it in time within {spread:.1f} km, the nearest {away} away; "
            f"{self.looks_for} of {self.looks} that look alike were taken there "
            f"({self.by_chance:g} by chance)"
        )

    def to_json(self) -> dict[str, Any]:
        """For programs; keys are only ever added."""
        return {
            "id": self.id,
            "guess": True,
            "place": {"lat": self.place.lat, "lon": self.place.lon, **self.locality.to_json()},
            "why": self.why,
            "in_time": [one.to_json() for one in self.in_time],
            "in_look": [one.to_json() for one in self.in_look],
            "looks_for": self.looks_for,
            "looks": self.looks,
            "by_chance": self.by_chance,
        }


@dataclass(frozen=True)
class MissingPlaces:
    """Guesses in order of age in the album, and by id why other posts without a place have none."""

    guesses: tuple[Guess, ...]
    why_not: dict[str, str] = field(default_factory=dict)

    @property
    def posts(self) -> int:
        """How many posts have no place."""
        return len(self.guesses) + len(self.why_not)

    @property
    def reasons(self) -> Counter[str]:
        """How many posts have no guess for each reason."""
        return Counter(self.why_not.values())
