"""Queries a second beside bare NumPy: `python -m benchmarks.search [--json]`.

The peer is what nobody searches exactly without: one float32 product with a matrix held in memory and an
argpartition, whose k winners are then sorted. With a radius it computes every distance (haversine) and
masks. Ours is what a query goes through in an album: the catalogue is asked for the circle, the store
searches memory-mapped segments and breaks ties by key. Places are those of 200 towns, the circle is one.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cartolina.album.catalogue import Catalogue
from cartolina.album.filters import Circle, allowed
from cartolina.geo import haversine_km
from cartolina.post import Place
from cartolina.store import ExactStore, open_exact

K = 10
BATCH = 64
RADIUS_KM = 25.0
SIZES = ((10_000, 384), (10_000, 512), (100_000, 384), (100_000, 512))

Vectors = NDArray[np.float32]
Places = NDArray[np.float64]


def unit(random: np.random.Generator, n: int, dim: int) -> Vectors:
    """(n, dim) float32 unit rows in random directions."""
    rows = random.standard_normal((n, dim), dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def places(random: np.random.Generator, n: int) -> Places:
    """(n, 2) degrees, within some 10 km of one of 200 towns."""
    towns = np.c_[random.uniform(-60, 70, 200), random.uniform(-180, 180, 200)]
    return np.asarray(towns[random.integers(200, size=n)] + random.normal(0, 0.05, (n, 2)))


def bare(vectors: Vectors, queries: Vectors, inside: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
    """The peer: (Q, K) rows of the best scores, best first."""
    scores = queries @ vectors.T if len(queries) > 1 else (vectors @ queries[0])[None]
    if inside is not None:
        scores[:, ~inside] = -np.inf
    top = np.argpartition(scores, -K, axis=1)[:, -K:]
    order = np.argsort(-np.take_along_axis(scores, top, axis=1), axis=1)
    return np.take_along_axis(top, order, axis=1)


def catalogue_of(folder: Path, where: Places) -> Catalogue:
    """A catalogue of posts that have a place and nothing else, with keys from 0."""
    catalogue = Catalogue.create(folder / "album.sqlite")
    with catalogue.transaction():
        source, _ = catalogue.source(folder, "folder", stable_ids=True)
    with closing(sqlite3.connect(folder / "album.sqlite")) as database, database:
        database.executemany(
            "INSERT INTO posts (key, id, source, source_id, image, within, content_hash, size, mtime, "
            "digest, added, lat, lon) VALUES (?, ?, ?, ?, '', '', '', 0, 0, '', '', ?, ?)",
            [(key, str(key), source, str(key), lat, lon) for key, (lat, lon) in enumerate(where.tolist())],
        )
    return catalogue


def per_second(search: Callable[[Vectors], object], batches: list[Vectors], rounds: int) -> float:
    """Queries a second: the median over `rounds` of going once through `batches`."""
    search(batches[0])
    took = []
    for _ in range(rounds):
        started = time.perf_counter()
        for queries in batches:
            search(queries)
        took.append(time.perf_counter() - started)
    return sum(map(len, batches)) / statistics.median(took)


def compare(n: int, dim: int, rounds: int, folder: Path) -> list[dict[str, float | str]]:
    """Rows of the table for one size."""
    random = np.random.default_rng(0)
    vectors, where = unit(random, n, dim), places(random, n)
    store: ExactStore = open_exact(folder / "vectors", dim)
    store.upsert(np.arange(n), vectors)
    catalogue = catalogue_of(folder, where)
    centre = Place(*where[0].tolist())

    def bare_all(queries: Vectors) -> NDArray[np.int64]:
        return bare(vectors, queries)

    def bare_near(queries: Vectors) -> NDArray[np.int64]:
        inside = haversine_km(where[:, 0], where[:, 1], centre.lat, centre.lon) <= RADIUS_KM
        return bare(vectors, queries, inside)

    def ours(queries: Vectors) -> list[NDArray[np.int64]]:
        return [hits.keys for hits in store.search(queries, K)]

    def ours_near(queries: Vectors) -> list[NDArray[np.int64]]:
        among = allowed(catalogue, (), Circle(centre, RADIUS_KM))
        return [hits.keys for hits in store.search(queries, K, among.keys if among else None)]

    rows: list[dict[str, float | str]] = []
    for radius, peer, mine in (("none", bare_all, ours), (f"{RADIUS_KM:g} km", bare_near, ours_near)):
        for size in (1, BATCH):
            batches = [unit(random, size, dim) for _ in range(max(4, 32 // size))]
            if not np.array_equal(peer(batches[0]), np.stack(mine(batches[0]))):
                raise SystemExit(f"{n} × {dim}, batch {size}, radius {radius}: the answers differ")
            theirs, ours_rate = per_second(peer, batches, rounds), per_second(mine, batches, rounds)
            rows.append(
                {
                    "vectors": n,
                    "dim": dim,
                    "batch": size,
                    "radius": radius,
                    "numpy_per_s": round(theirs, 1),
                    "cartolina_per_s": round(ours_rate, 1),
                    "ratio": round(ours_rate / theirs, 2),
                }
            )
    catalogue.close()
    return rows


def main() -> None:
    """Print the table, or with --json a list of its rows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = []
    for n, dim in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            rows += compare(n, dim, given.rounds, Path(folder))
    if given.json:
        print(json.dumps(rows))
        return
    print(f"{'vectors':>15} {'batch':>6} {'radius':>7} {'NumPy q/s':>10} {'ours q/s':>10} {'ratio':>6}")
    for row in rows:
        print(
            f"{row['vectors']:>9} × {row['dim']} {row['batch']:>6} {row['radius']:>7} "
            f"{row['numpy_per_s']:>10} {row['cartolina_per_s']:>10} {row['ratio']:>6}"
        )


if __name__ == "__main__":
    main()
