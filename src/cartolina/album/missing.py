"""Where posts without coordinates may have been taken: a guess, and only where time and look agree.

A post gets a guess if the posts taken just before and after it (three each, at most three hours away) were
taken within 10 km of each other, and more of the posts that look most like it were taken there than chance
would put among them. The guess is the place of the post nearest in time. What is measured of it, on a
simulated album, is in docs/quality.md. Nothing is written: `Album.place` does that when somebody said yes.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cartolina.album.catalogue import Catalogue
from cartolina.album.clock import clocks, own_clock
from cartolina.album.guesses import LOOK_KM, Guess, MissingPlaces, Neighbour
from cartolina.geo import EARTH_RADIUS_KM, Gazetteer, haversine_km
from cartolina.post import Place
from cartolina.progress import SILENT, Progress
from cartolina.store import Store
from cartolina.store.contract import Keys

__all__ = ["REASONS", "missing_places"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HOURS = 3.0
"""How far away in time a neighbour may be."""
EACH_WAY = 3
"""How many neighbours before, and how many after."""
NEIGHBOURS = 2
"""How many there must be."""
TOGETHER_KM = 10.0
"""How far from the nearest one in time the others may have been taken."""

LOOKS = 50
ONE_IN = 10
"""How many posts that look alike are asked: one in ten of those with a place, but 3 to 50."""
BEYOND = 1.0
"""How many standard deviations beyond chance the number of them that were taken there must be."""

TOLD = 5
"""How many of the posts that look most alike are named in a guess."""

BATCH = 256

NO_TIME = "no time"
ALONE = "too few neighbours in time"
APART = "neighbours in time disagree"
UNSEEN = "picture not readable"
UNLIKE = "look disagrees"
REASONS = (NO_TIME, ALONE, APART, UNSEEN, UNLIKE)
"""Why a post has no guess."""


class _Post(NamedTuple):
    key: int
    id: str
    taken: datetime | None


class _Donors(NamedTuple):
    """Posts with place and time: `at` (N, 2) are their seconds on both clocks."""

    keys: Keys
    lat: Floats
    lon: Floats
    at: Floats


class _InTime(NamedTuple):
    """For each post (T,): neighbours (T, 2·EACH_WAY) as rows of the donors, −1 for none; and their hours."""

    rows: Ints
    hours: Floats

    @property
    def nearest(self) -> Ints:
        """The row of the neighbour nearest in time (T,), −1 where there is none."""
        closest = np.abs(self.hours).argmin(axis=1)
        found: Ints = self.rows[np.arange(len(self.rows)), closest]
        return found


def missing_places(catalogue: Catalogue, store: Store, progress: Progress = SILENT) -> MissingPlaces:
    """Guess places for posts that have none. Within one snapshot of the catalogue, of which `store` is."""
    lacking, donors, placed = _read(catalogue)
    why_not = {post.id: NO_TIME for post in lacking if post.taken is None}
    timed = [post for post in lacking if post.taken is not None]
    around = _neighbours_in_time(timed, donors)
    nearest = around.nearest
    lat, lon = _of(donors.lat, nearest), _of(donors.lon, nearest)
    away = _km_from(lat, lon, _of(donors.lat, around.rows), _of(donors.lon, around.rows))  # (T, 6)
    count = (around.rows >= 0).sum(axis=1)
    apart = np.nanmax(np.where(around.rows >= 0, away, -1.0), axis=1, initial=-1.0) > TOGETHER_KM
    seen = store.positions_of(np.array([post.key for post in timed], np.int64)) >= 0
    for number, post in enumerate(timed):
        if count[number] < NEIGHBOURS:
            why_not[post.id] = ALONE
        elif apart[number]:
            why_not[post.id] = APART
        elif not seen[number]:
            why_not[post.id] = UNSEEN
    left = np.array([number for number, post in enumerate(timed) if post.id not in why_not], np.int64)
    keys, places = placed
    looks = min(LOOKS, max(3, len(keys) // ONE_IN))
    on_sphere = _unit(places[:, 0], places[:, 1])
    found: list[tuple[int, Keys, NDArray[np.float32], Floats, float]] = []
    with progress.task("look", len(left), "posts") as step:
        for start in range(0, len(left), BATCH):
            some = left[start : start + BATCH]
            vectors = store.vectors(np.array([timed[number].key for number in some], np.int64))
            near = _unit(lat[some], lon[some]) @ on_sphere.T >= np.cos(LOOK_KM / EARTH_RADIUS_KM)
            shares = near.mean(axis=1).tolist()  # of all posts with a place, those taken there
            ranked = zip(some.tolist(), store.search(vectors, looks, keys), shares, strict=True)
            for number, hits, share in ranked:
                there = places[np.searchsorted(keys, hits.keys)]  # (≤ looks, 2)
                km = haversine_km(lat[number], lon[number], there[:, 0], there[:, 1])
                if _agrees(int((km <= LOOK_KM).sum()), len(km), share):
                    found.append((number, hits.keys, hits.scores, km, share))
                else:
                    why_not[timed[number].id] = UNLIKE
            step.advance(len(some))
    numbers = [one[0] for one in found]
    names = _names(catalogue, donors.keys[around.rows[numbers]], [one[1][:TOLD] for one in found])
    with Gazetteer.open() as gazetteer:
        called = gazetteer.localities(lat[numbers], lon[numbers])
    guesses = []
    for (number, alike, scores, km, share), locality in zip(found, called, strict=True):
        order = [column for column in np.argsort(around.hours[number]) if around.rows[number, column] >= 0]
        guesses.append(
            Guess(
                timed[number].id,
                Place(float(lat[number]), float(lon[number])),
                locality,
                tuple(
                    Neighbour(
                        names[int(donors.keys[around.rows[number, column]])],
                        float(away[number, column]),
                        hours=round(float(around.hours[number, column]), 3),
                    )
                    for column in order
                ),
                tuple(
                    Neighbour(names[int(key)], float(far), similarity=round(float(score), 4))
                    for key, score, far in zip(alike[:TOLD], scores[:TOLD], km[:TOLD], strict=True)
                ),
                int((km <= LOOK_KM).sum()),
                len(km),
                round(share * len(km), 1),
            )
        )
    return MissingPlaces(tuple(guesses), why_not)


def _agrees(count: int, asked: int, share: float) -> bool:
    """Whether `count` of `asked` posts is more than of posts drawn at random, of which `share` are there."""
    deviation = math.sqrt(asked * share * (1 - share))
    return count >= min(asked * share + BEYOND * deviation, asked)


def _read(catalogue: Catalogue) -> tuple[list[_Post], _Donors, tuple[Keys, Floats]]:
    """Posts without a place, posts with place and time, and keys and places (N, 2) of all that have one."""
    rows = catalogue.rows("SELECT key, id, taken, lat, lon FROM posts WHERE offline IS NULL ORDER BY key")
    lacking = [_Post(key, name, _time(taken)) for key, name, taken, lat, _ in rows if lat is None]
    there = [(key, _time(taken), lat, lon) for key, _, taken, lat, lon in rows if lat is not None]
    keys = np.array([row[0] for row in there], np.int64)
    places = np.array([row[2:] for row in there], np.float64).reshape(-1, 2)
    timed = np.array([row[1] is not None for row in there], bool)
    lat, lon = places[timed].T
    taken = [row[1] for row in there if row[1] is not None]
    with Gazetteer.open() as gazetteer:
        zones = [locality.zone for locality in gazetteer.localities(lat, lon)] if lacking else [""] * len(lat)
    return lacking, _Donors(keys[timed], lat, lon, clocks(taken, zones, lon.tolist())), (keys, places)


def _time(taken: str | None) -> datetime | None:
    return None if taken is None else datetime.fromisoformat(taken)


def _neighbours_in_time(posts: list[_Post], donors: _Donors) -> _InTime:
    rows = np.full((len(posts), 2 * EACH_WAY), -1, np.int64)
    hours = np.full(rows.shape, np.inf)
    own = [own_clock(post.taken) for post in posts if post.taken is not None]
    for clock in (0, 1):
        some = np.array([number for number, (which, _) in enumerate(own) if which == clock], np.int64)
        at = np.array([own[number][1] for number in some], np.float64)
        order = np.argsort(donors.at[:, clock], kind="stable")
        times = donors.at[order, clock]
        # (t, 2·EACH_WAY): the last ones not after it and the first ones after it
        beside = np.searchsorted(times, at, "right")[:, None] + np.arange(-EACH_WAY, EACH_WAY)
        inside = (beside >= 0) & (beside < len(times))
        if not inside.any():
            continue
        beside = np.clip(beside, 0, len(times) - 1)
        away = np.where(inside, (times[beside] - at[:, None]) / 3600, np.inf)
        near = np.abs(away) <= HOURS
        rows[some] = np.where(near, order[beside], -1)
        hours[some] = np.where(near, away, np.inf)
    return _InTime(rows, hours)


def _of(values: Floats, rows: Ints) -> Floats:
    """`values` at `rows`, NaN at −1."""
    if not len(values):
        return np.full(rows.shape, np.nan)
    return np.where(rows >= 0, values[rows], np.nan)


def _unit(lat: Floats, lon: Floats) -> Floats:
    """Points (N,) in degrees on the unit sphere, (N, 3)."""
    y, x = np.radians(lat), np.radians(lon)
    return np.stack([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)], axis=1)


def _km_from(lat: Floats, lon: Floats, lats: Floats, lons: Floats) -> Floats:
    return haversine_km(lat[:, None], lon[:, None], lats, lons)


def _names(catalogue: Catalogue, in_time: Keys, in_look: list[Keys]) -> dict[int, str]:
    """The ids of posts that are named in a guess, by key."""
    keys = np.unique(np.concatenate([in_time.ravel(), *in_look])).tolist()
    sql = "SELECT key, id FROM posts WHERE key IN (SELECT value FROM json_each(?))"
    return dict(catalogue.rows(sql, keys))
