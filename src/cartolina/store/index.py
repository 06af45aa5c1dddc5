"""An index of vectors on disk: built beside the old one, measured, swapped; checked before it is believed.

    index/index.json        what it covers, what built it, how well it finds (docs/album-format.md)
    index/<hex>/            the shard that index.json names (`store.shard`)

Everything here may be deleted at any time. `index.json` is replaced in one step, so that there is the old
index or the new one whatever kills the builder. An index is of use only where it was built by the engine that
is installed, from the rows that are there: a few rows of each segment are witnesses of that.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from shutil import rmtree
from typing import Any
from uuid import uuid4

import numpy as np

from cartolina.durable import fsync_folder, write_bytes
from cartolina.errors import SCALE, InputError
from cartolina.progress import SILENT, Progress
from cartolina.store.contract import Hits, Keys, Vectors
from cartolina.store.exact import ExactStore
from cartolina.store.qdrant import QdrantStore
from cartolina.store.segments import CAPACITY, Segments
from cartolina.store.shard import ENGINE, Builder, Shard, ShardError, engine_said, engine_version, unpacked

__all__ = ["Index", "Unusable", "build_index", "check_fits", "drop_index", "open_index", "read_index"]

FORMAT = 1

EFFORTS = (128, 256, 512, 1024)
GOOD = 0.98
"""The least of `EFFORTS` is taken with which this share of the first 100 is found, else the most."""

QUERIES, DEPTHS = 200, (10, 100)

WITNESSES = 8


class Unusable(Exception):
    """Why an index is passed over; completes "the index …". `remedy`: a command, where a rebuild is none."""

    def __init__(self, why: str, remedy: str | None = None) -> None:
        super().__init__(why)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Index:
    """What index.json says.

    `rows` are how many of each segment's are in it, `witnesses` a digest of some; `effort` how many
    candidates a search looks at in each of its `graphs`; `recall` says for each kind of query how many were
    asked and which share of the first 10 and 100 was found.
    """

    folder: str
    engine: str
    dim: int
    rows: dict[int, int]
    witnesses: dict[int, str]
    graphs: int
    effort: int
    recall: dict[str, dict[str, float]]
    seconds: float
    created: float
    files: dict[str, Any] = field(repr=False)
    format: int = FORMAT

    @property
    def end(self) -> int:
        """The position behind its last row."""
        last = max(self.rows)
        return last * CAPACITY + self.rows[last]

    @property
    def posts(self) -> int:
        """How many rows it covers."""
        return sum(self.rows.values())


def read_index(folder: Path) -> Index | None:
    """What the index in `folder` says of itself; None where there is none. Raises `Unusable`."""
    try:
        said = json.loads((folder / "index.json").read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise Unusable(f"cannot be read ({error})") from error
    try:
        if said["format"] != FORMAT:
            raise Unusable(f"has format {said['format']}, this program makes {FORMAT}")
        numbered = {name: {int(one): of for one, of in said[name].items()} for name in ("rows", "witnesses")}
        index = Index(**{**said, **numbered})
        if not index.rows or Path(index.folder).name != index.folder or index.folder in ("", ".", ".."):
            raise ValueError("it covers nothing, or lies elsewhere")
        index.recall, dict(index.files), index.end + index.effort + index.posts
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unusable(f"cannot be read ({type(error).__name__}: {error})") from error
    return index


def open_index(folder: Path, index: Index, segments: Segments) -> Shard:
    """The shard of an index that fits `segments`. Raises `Unusable`."""
    if engine_version() is None:
        raise Unusable(f"needs {ENGINE}, which is not installed", SCALE)
    if index.engine != engine_said():
        raise Unusable(f"was made by {index.engine}, and {engine_said()} is installed")
    check_fits(index, segments)
    try:
        return Shard(folder / index.folder, index.files)
    except (ShardError, OSError) as error:
        raise Unusable(f"is damaged ({error})") from error


def check_fits(index: Index, segments: Segments) -> None:
    """Raise `Unusable` unless `index` is of the first rows of `segments`, as they are now."""
    last = max(index.rows)
    there = {one: rows for one, rows in segments.rows.items() if one <= last}
    if there.keys() != index.rows.keys() or any(there[one] < rows for one, rows in index.rows.items()):
        raise Unusable("is of vectors that lie elsewhere now (they were compacted, or taken back)")
    if index.dim != segments.dim or _witnesses(segments, index.rows) != index.witnesses:
        raise Unusable("is of other vectors")


def build_index(
    folder: Path,
    staging: Path,
    segments: Segments,
    samples: Mapping[str, Vectors],
    base: Index | None = None,
    progress: Progress = SILENT,
) -> Index:
    """Index every row of `segments` in `folder`, by way of an empty folder `staging` on the same disk.

    `samples` are queries (Q, dim) by kind, whose recall is measured beside that of sums of two rows. `base`
    is the folder's index, where it may be gone on with: what it covers is not indexed again. Raises
    `InputError` where there is nothing to index, `MissingPackage` without the engine, `ShardError` where the
    base is damaged.
    """
    begun = time.monotonic()
    if not sum(segments.rows.values()):
        raise InputError("there is no vector to index yet: add photos first")
    staging.mkdir(parents=True)
    if base:
        unpacked(folder / base.folder, base.files, staging, link=False)
    builder = Builder(staging, segments.dim)
    graphs = (base.graphs if base else 0) + _grown(builder, segments, base.end if base else 0, progress)
    files = builder.finish()
    effort, recall = _measured(Shard(staging, files), segments, samples, progress)
    index = Index(
        folder=uuid4().hex,
        engine=engine_said(),
        dim=segments.dim,
        rows=dict(segments.rows),
        witnesses=_witnesses(segments, segments.rows),
        graphs=graphs,
        effort=effort,
        recall=recall,
        seconds=round(time.monotonic() - begun, 1),
        created=round(time.time()),
        files=files,
    )
    folder.mkdir(parents=True, exist_ok=True)
    staging.rename(folder / index.folder)
    fsync_folder(folder)
    write_bytes(folder / "index.json", json.dumps(asdict(index)).encode())
    for other in folder.iterdir():
        if other.is_dir() and other.name != index.folder:
            rmtree(other)  # whoever reads it has it mapped
    return index


def drop_index(folder: Path) -> bool:
    """Delete the index in `folder`; whether there was one."""
    there = folder.is_dir()
    if there:
        (folder / "index.json").unlink(missing_ok=True)  # first: what is left is then no index
        rmtree(folder)
    return there


def _grown(builder: Builder, segments: Segments, end: int, progress: Progress) -> int:
    """Insert what lies at `end` and behind it, a graph for each segment; how many graphs."""
    graphs = 0
    total = sum(len(positions[positions >= end]) for positions, _ in segments.blocks())
    with progress.task("index", total, "posts") as step:
        for positions, rows in segments.blocks():
            new = positions >= end
            if new.any():
                for _ in builder.insert(positions[new], rows[new]):
                    pass
                builder.grow()  # nearly all of the time, and the engine does not tell how far it is
                step.advance(int(new.sum()))
                graphs += 1
    return graphs


def _measured(
    shard: Shard, segments: Segments, samples: Mapping[str, Vectors], progress: Progress
) -> tuple[int, dict[str, dict[str, float]]]:
    """The effort to search with, and the recall it has of each kind of query, all rows being owned."""
    positions = np.concatenate([positions for positions, _ in segments.blocks()])
    exact = ExactStore(segments, positions, positions)
    kinds = {"sums": _sums(segments, positions), **samples}
    recall: dict[str, dict[str, float]] = {}
    with progress.task("recall", len(kinds), "kinds of queries") as step:
        truth = {}
        for kind, queries in kinds.items():
            truth[kind] = exact.search(queries, max(DEPTHS))
            step.advance()
    for effort in EFFORTS:
        store = QdrantStore(shard, int(positions[-1]) + 1, effort, exact)
        for kind, queries in kinds.items():
            recall[kind] = {"queries": len(queries)}
            for depth in DEPTHS:
                found = store.search(queries, depth)
                recall[kind][f"at_{depth}"] = round(_recall(found, truth[kind], depth), 4)
        if store.trouble:
            raise ShardError(store.trouble)
        if min(of[f"at_{max(DEPTHS)}"] for of in recall.values()) >= GOOD:
            break
    return effort, recall


def _recall(found: list[Hits], truth: list[Hits], depth: int) -> float:
    """The share of the first `depth` that was found; among equals any will do."""
    shares = [
        (hits.scores >= right.scores[:depth][-1]).sum() / len(right.scores[:depth])
        for hits, right in zip(found, truth, strict=True)
    ]
    return float(np.mean(shares))


def _sums(segments: Segments, positions: Keys) -> Vectors:
    """(QUERIES, dim) unit sums of two rows each: lies between the groups, where an index finds least."""
    random = np.random.default_rng(0)
    pairs = positions[random.integers(len(positions), size=(2, QUERIES))]
    total = segments.take(pairs[0]) + segments.take(pairs[1])
    lengths = np.linalg.norm(total, axis=1, keepdims=True)
    apart = lengths[:, 0] > 1e-3  # opposites leave nothing
    return np.asarray(total[apart] / lengths[apart], np.float32)


def _witnesses(segments: Segments, rows: Mapping[int, int]) -> dict[int, str]:
    """A digest of some rows of each segment, the last among them."""
    found = {}
    for number, count in rows.items():
        some = np.unique(np.linspace(0, count - 1, WITNESSES).round().astype(np.int64))
        taken = segments.take(some + number * CAPACITY)
        found[number] = blake2b(taken.tobytes(), digest_size=8).hexdigest()
    return found
