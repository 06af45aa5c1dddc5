"""The index beside looking at everything: `python -m benchmarks.index [--sizes 100000 …] [--json]`.

Vectors (512 numbers) come in groups of about fifty, as photos of the same things do: a centre drawn with the
spectrum of a learnt space (eigenvalues that fall to 1/e within 40 axes, a mean of .36), and members scattered
about it with the same spectrum. Of Flickr8k's space the nearest neighbour of a photo has a cosine of .65 and
the tenth .56; so has this. Queries are sums of two vectors from different groups, which lie between them:
where an index finds least. Both stores answer the same queries in the same process, 25 and 25 in turns;
recall is the share of the exact answer that the index finds. What a store needs in memory is what a fresh
process reads from the disk for a hundred queries after its files were taken out of the page cache, and what
it holds of its own.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cartolina.store import ExactStore, Segments, Store, open_exact
from cartolina.store.index import Index, build_index, open_index, read_index
from cartolina.store.qdrant import QdrantStore

DIM, GROUP = 512, 50
SIZES = (100_000, 200_000, 400_000)
DEPTHS = (10, 300)
"""How many a search by picture asks for, and one by both (`album.order.DEPTH`)."""

QUERIES, TURN = 100, 25

Vectors = NDArray[np.float32]


def unit(rows: Vectors) -> Vectors:
    """Rows of length 1."""
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def grouped(n: int, random: np.random.Generator) -> Vectors:
    """(n, DIM) float32 unit rows in groups."""
    spectrum = np.exp(-np.arange(DIM) / 80).astype(np.float32)
    spectrum /= np.linalg.norm(spectrum)
    mean = np.zeros(DIM, np.float32)
    mean[0] = 0.36
    centres = unit(random.standard_normal((max(1, n // GROUP), DIM), dtype=np.float32) * spectrum)
    rows = np.empty((n, DIM), np.float32)
    for start in range(0, n, 50_000):
        of = centres[random.integers(len(centres), size=min(50_000, n - start))]
        scattered = of + 1.1 * random.standard_normal(of.shape, dtype=np.float32) * spectrum
        rows[start : start + len(of)] = unit(mean + 0.9 * unit(scattered))
    return rows


def sums(vectors: Vectors, random: np.random.Generator) -> Vectors:
    """(QUERIES, DIM) unit sums of two rows."""
    one, other = random.integers(len(vectors), size=(2, QUERIES))
    return unit(vectors[one] + vectors[other])


def in_turns(queries: Vectors, k: int, stores: list[Store]) -> list[float]:
    """The median ms of one query for each store; TURN queries of one, then of the other."""
    took: list[list[float]] = [[] for _ in stores]
    for start in range(0, len(queries), TURN):
        for times, store in zip(took, stores, strict=True):
            for query in queries[start : start + TURN]:
                started = time.perf_counter()
                store.search(query[None], k)
                times.append((time.perf_counter() - started) * 1e3)
    return [statistics.median(times) for times in took]


def found(exact: ExactStore, store: Store, queries: Vectors, k: int) -> float:
    """The share of the right answer that a store finds."""
    pairs = zip(exact.search(queries, k), store.search(queries, k), strict=True)
    return float(np.mean([np.isin(right.keys, hits.keys).mean() for right, hits in pairs]))


def opened(folder: Path, n: int, index: Index | None) -> Store:
    """The exact store of `n` vectors in `folder`, or the one with an index."""
    segments = Segments(folder / "vectors", DIM, rows_of(n))
    exact = ExactStore(segments, np.arange(n), np.arange(n))
    if index is None:
        return exact
    return QdrantStore(open_index(folder / "index", index, segments), index.end, index.effort, exact)


def rows_of(n: int) -> dict[int, int]:
    """How many rows each segment has."""
    from cartolina.store.segments import CAPACITY

    return {number: min(CAPACITY, n - number * CAPACITY) for number in range(-(-n // CAPACITY))}


def needed(folder: Path, n: int, store: str) -> tuple[float, float]:
    """What QUERIES queries read from the disk, and what the process holds of its own, in MB."""
    command = [sys.executable, "-m", "benchmarks.index", "--needed", str(folder), str(n), store]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(said[0]), float(said[1])


def need(folder: Path, n: int, store: str) -> None:
    """Print it: the part of `needed` that is a process of its own."""

    def now() -> tuple[int, int]:
        io = Path("/proc/self/io").read_text().partition("read_bytes: ")[2].split()[0]
        own = Path("/proc/self/status").read_text().partition("RssAnon:")[2].split()[0]
        return int(io), int(own) * 1024

    queries = np.load(folder / "queries.npy")
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    before = now()
    asked = opened(folder, n, read_index(folder / "index") if store == "qdrant" else None)
    for query in queries:
        asked.search(query[None], DEPTHS[0])
    print(*(f"{(later - earlier) / 1e6:.1f}" for earlier, later in zip(before, now(), strict=True)))


def compare(n: int, folder: Path, say: Callable[[str], object]) -> list[dict[str, float]]:
    """Rows of the table for one size."""
    random = np.random.default_rng(0)
    vectors = grouped(n, random)
    queries = sums(vectors, random)
    np.save(folder / "queries.npy", queries)
    exact = open_exact(folder / "vectors", DIM)
    exact.upsert(np.arange(n), vectors)
    del vectors
    say(f"{n:,}: building")
    index = build_index(folder / "index", folder / "staged", exact.segments, {})
    store = opened(folder, n, index)
    size = sum(path.stat().st_size for path in (folder / "index").rglob("*") if path.is_file())
    for warm in (exact, store):
        warm.search(queries, DEPTHS[-1])
    rows: list[dict[str, float]] = []
    for k in DEPTHS:
        exact_ms, index_ms = in_turns(queries, k, [exact, store])
        rows.append(
            {
                "vectors": n,
                "k": k,
                "exact_ms": round(exact_ms, 2),
                "index_ms": round(index_ms, 2),
                "ratio": round(exact_ms / index_ms, 1),
                "recall": round(found(exact, store, queries, k), 4),
                "effort": index.effort,
                "build_s": index.seconds,
                "index_mb": round(size / 1e6),
                "vectors_mb": round(n * DIM * 4 / 1e6),
            }
        )
    del exact, store, warm
    gc.collect()  # what a process has mapped does not leave the page cache
    (exact_read, exact_own), (index_read, index_own) = (needed(folder, n, one) for one in ("exact", "qdrant"))
    cold = {"exact_read_mb": exact_read, "index_read_mb": index_read}
    return [row | cold | {"exact_own_mb": exact_own, "index_own_mb": index_own} for row in rows]


def main() -> None:
    """Print the table, or with --json a list of its rows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.index", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--needed", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.needed:
        folder, n, store = given.needed
        need(Path(folder), int(n), store)
        return
    rows = []
    for n in given.sizes:
        with tempfile.TemporaryDirectory() as folder:
            rows += compare(n, Path(folder), lambda said: print(said, file=sys.stderr, flush=True))
    if given.json:
        print(json.dumps(rows))
        return
    heads = f"{'vectors':>9} {'k':>4} {'exact ms':>9} {'index ms':>9} {'ratio':>6} {'recall':>7}"
    print(f"{heads} {'build s':>8} MB")
    for row in rows:
        print(
            f"{row['vectors']:>9,} {row['k']:>4} {row['exact_ms']:>9} {row['index_ms']:>9} {row['ratio']:>6} "
            f"{row['recall']:>7} {row['build_s']:>8} {row['index_mb']} of {row['vectors_mb']} on disk, "
            f"{row['index_read_mb']:.0f} of {row['exact_read_mb']:.0f} read, "
            f"{row['index_own_mb']:.0f} and {row['exact_own_mb']:.0f} held"
        )


if __name__ == "__main__":
    main()
