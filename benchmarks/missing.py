"""Guessed places on a SIMULATED album: `python -m benchmarks.missing ALBUM`, one of 1,000 photos and more.

No public album has photos, times and places, so the photos and their vectors are real and the trips are not.
A trip goes to a town for some days, with bursts of photos there and on excursions; 20 % of the photos lose
their place. One in ten of these was timed by a clock that is hours off, one in ten came from somebody
elsewhere (any photo, any town). How much photos of one burst look alike is not known either: with probability
p a photo is of the burst's own look (one of 60 groups by k-means), else any. Everything is done on a copy;
the peer is time alone.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import tempfile
import time
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cartolina.album import Album, missing
from cartolina.geo import Gazetteer, haversine_km

HIDDEN, OFF, FOREIGN = 0.2, 0.1, 0.1
LOOKS = 60
RIGHT_KM = 10.0

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def main() -> None:
    """Print a row for each p and each number of alike posts that must agree."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.missing", description=__doc__)
    parser.add_argument("album", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print("  p  beyond chance  without place  guesses  coverage  right ≤ 10 km  wrong  seconds")
    with tempfile.TemporaryDirectory(prefix="cartolina-missing-") as folder:
        copy = Path(folder) / "album"
        shutil.copytree(given.album, copy, ignore=shutil.ignore_patterns("features", "LOCK"))
        for p in (0.0, 0.3, 0.6, 0.9):
            truth = simulated(copy, p, np.random.default_rng(given.seed))
            for name, beyond in (("time alone", -np.inf), ("0 σ", 0.0), ("1 σ", 1.0), ("2 σ", 2.0)):
                print(f"{p:3.1f}  {name:>13}  {measured(copy, beyond, truth)}", flush=True)


def simulated(path: Path, p: float, rng: np.random.Generator) -> dict[str, tuple[float, float]]:
    """Write trips into the copy; where the posts that lost their place were taken, by id."""
    with Album.open(path) as album:
        names = [post.id for post in album.posts() if post.id]
        vectors = album.vectors(names)
    looks = grouped(vectors.astype(np.float64), rng)
    unused = [rng.permutation(np.flatnonzero(looks == look)).tolist() for look in range(LOOKS)]
    rows, truth = [], {}
    towns = large_towns()
    now = datetime(2010, 1, 1)
    left = len(names)
    while left:
        now += timedelta(days=float(rng.uniform(5, 40)))
        town = towns[rng.integers(len(towns))]
        for day in range(int(rng.integers(1, 8))):
            for burst in range(int(rng.integers(1, 4))):
                away = 40.0 if rng.random() < 0.3 else 3.0  # an excursion
                centre = moved(town, rng.uniform(0, away), rng)
                begin = now + timedelta(days=day, hours=8 + 4 * burst + float(rng.uniform(0, 3)))
                own = int(rng.integers(LOOKS))
                for _ in range(min(left, int(rng.integers(3, 16)))):
                    hidden, trouble = rng.random() < HIDDEN, rng.random()
                    foreign = hidden and OFF <= trouble < OFF + FOREIGN
                    number = drawn(unused, own if rng.random() < p and not foreign else None, rng)
                    left -= 1
                    taken = begin + timedelta(minutes=float(rng.uniform(0, 60)))
                    where = moved(centre, rng.uniform(0, 0.5), rng)
                    if hidden and trouble < OFF:
                        taken += timedelta(hours=float(rng.choice([-1, 1]) * rng.uniform(1, 12)))
                    elif foreign:
                        where = towns[rng.integers(len(towns))]
                    if hidden:
                        truth[names[number]] = where
                    rows.append((taken.isoformat(), *((None, None) if hidden else where), names[number]))
        now += timedelta(days=7)
    with closing(sqlite3.connect(path / "album.sqlite")) as database, database:
        database.executemany("UPDATE posts SET taken = ?, lat = ?, lon = ? WHERE id = ?", rows)
    return truth


def measured(path: Path, beyond: float, truth: dict[str, tuple[float, float]]) -> str:
    """One row: guesses where alike posts must agree by so many deviations beyond chance."""
    missing.BEYOND = beyond
    with Album.open(path) as album:
        started = time.perf_counter()
        found = album.missing_places()
        seconds = time.perf_counter() - started
    there = np.array([truth[guess.id] for guess in found.guesses]).reshape(-1, 2)
    said = np.array([(guess.place.lat, guess.place.lon) for guess in found.guesses]).reshape(-1, 2)
    right = haversine_km(*there.T, *said.T) <= RIGHT_KM
    coverage = 100 * len(right) / len(truth)
    precision = 100 * right.mean() if len(right) else float("nan")
    return (
        f"{len(truth):>13,}  {len(right):>7,}  {coverage:7.1f}%  {precision:12.1f}%"
        f"  {int((~right).sum()):>5}  {seconds:7.1f}"
    )


def grouped(vectors: Floats, rng: np.random.Generator, rounds: int = 15) -> Ints:
    """k-means by cosine: the group of each vector."""
    centres = vectors[rng.choice(len(vectors), LOOKS, replace=False)]
    for _ in range(rounds):
        group: Ints = (vectors @ centres.T).argmax(axis=1)
        for look in range(LOOKS):
            if (group == look).any():
                mean = vectors[group == look].mean(axis=0)
                centres[look] = mean / np.linalg.norm(mean)
    return group


def drawn(unused: list[list[int]], look: int | None, rng: np.random.Generator) -> int:
    """A photo that was not drawn yet: of this look where there is one left, else any."""
    if look is None or not unused[look]:
        sizes = np.array([len(group) for group in unused], float)
        look = int(rng.choice(len(unused), p=sizes / sizes.sum()))
    return unused[look].pop()


def moved(point: tuple[float, float], far_km: float, rng: np.random.Generator) -> tuple[float, float]:
    turn = rng.uniform(0, 2 * np.pi)
    degrees = far_km / 111.2
    lat = float(np.clip(point[0] + degrees * np.sin(turn), -89, 89))
    lon = point[1] + degrees * np.cos(turn) / np.cos(np.radians(lat))
    return lat, float((lon + 180) % 360 - 180)


def large_towns() -> list[tuple[float, float]]:
    with Gazetteer.open() as gazetteer:
        rows = gazetteer._database.execute(
            "SELECT lat / 10000.0, lon / 10000.0 FROM place WHERE radius_km IS NULL AND population > 200000"
        )
        return [(lat, lon) for lat, lon in rows]


if __name__ == "__main__":
    main()
