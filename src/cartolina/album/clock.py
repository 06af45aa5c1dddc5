"""When posts were taken, on two clocks that can be compared: the wall clock there, and UTC.

Cameras write the wall clock without a zone, Google's exports and many phones UTC. Where a post has a place,
the time zone of the nearest town turns one into the other; without the system's time zones (or far from every
town) the longitude does, at 15° an hour, which is off by an hour or two.

>>> lisbon = clocks([datetime(2021, 7, 1, 12)], ["Europe/Lisbon"], [-9.14])
>>> [datetime.fromtimestamp(seconds, UTC).hour for seconds in lisbon[0]]
[12, 11]
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

__all__ = ["clocks", "own_clock"]

EPOCH = datetime(1970, 1, 1)


def clocks(taken: Sequence[datetime], zones: Sequence[str], lons: Sequence[float]) -> NDArray[np.float64]:
    """Seconds since 1970 on the wall clock and in UTC, (N, 2), of posts that have a place.

    `zones` are names of time zones ("" where unknown), `lons` longitudes in degrees.
    """
    rows = [_both(*one) for one in zip(taken, zones, lons, strict=True)]
    return np.array(rows, np.float64).reshape(-1, 2)


def own_clock(taken: datetime) -> tuple[int, float]:
    """The clock a post without a place was timed by (0: the wall, 1: UTC), and its seconds there."""
    if taken.tzinfo is None:
        return 0, _seconds(taken)
    return 1, _seconds(taken.astimezone(UTC).replace(tzinfo=None))


def _both(taken: datetime, zone: str, lon: float) -> tuple[float, float]:
    clock, seconds = own_clock(taken)
    here = _zone(zone)
    if here is None:
        ahead = round(lon / 15) * 3600.0
    else:
        there = taken.replace(tzinfo=here) if clock == 0 else taken.astimezone(here)
        ahead = (there.utcoffset() or timedelta()).total_seconds()
    return (seconds, seconds - ahead) if clock == 0 else (seconds + ahead, seconds)


def _seconds(naive: datetime) -> float:
    return (naive - EPOCH).total_seconds()


@lru_cache
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, OSError, ValueError):  # this system has no list of time zones, or an older one
        return None
