"""Qdrant's embedded engine, as graphs over rows that never change: built once, then read by any number.

The only module that knows `qdrant_edge`. A shard keeps the vectors in 8 bits a number (its `Turbo8`), since
what it finds is scored again from the true ones: a quarter of their size, built in half the time and searched
in half, with the same recall as the full ones (docs/performance.md). Each call of `grow` makes one graph of
its own, so that building tells of its progress and later rows cost no graph again.

The engine wants a folder of its own to write into, even to read: it rewrites its configuration when it
opens, and maps half its files for writing. A reader therefore gives it a *view*, a temporary folder with
links to the two large files, which are only read, and copies of the small ones. Once the engine has mapped
them the view is deleted. So any number of processes read an index, which is itself never written, also where
it cannot be, and whoever is killed leaves nothing behind.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cartolina.durable import fsync_file, fsync_folder
from cartolina.errors import SCALE, AlbumError, require
from cartolina.store.contract import Keys, Vectors

__all__ = ["ENGINE", "Builder", "Shard", "ShardError", "engine_said", "engine_version", "unpacked"]

ENGINE = "qdrant-edge-py"

LINKS, EFFORT = 16, 100
"""Of a graph: edges a row, and how many candidates are looked at for them. Twice as much of either brought
half a point of recall for twice the time (docs/performance.md)."""

INSERTED_AT_ONCE = 2048

LINKED = frozenset({"tq_vectors.dat", "links_compressed.bin"})
"""Files the engine opens for reading only. All others are some hundred KB a graph, and copied."""


class ShardError(AlbumError):
    """The engine cannot read these files, or gave up on them."""


class Found(NamedTuple):
    """What the engine says to one query: `positions` (n,) and its `scores` (n,), descending."""

    positions: Keys
    scores: NDArray[np.float64]


def engine_version() -> str | None:
    """The installed engine's version, None where there is none. Does not import it."""
    from importlib import metadata

    try:
        return metadata.version(ENGINE)
    except metadata.PackageNotFoundError:
        return None


def engine_said() -> str:
    """The installed engine, as an index says it was made by it."""
    return f"{ENGINE} {engine_version()}"


class Builder:
    """A shard that is being made in `folder`: `grow` it, then `finish`.

    A folder that holds a finished shard's files (see `unpacked`) is gone on with.
    """

    def __init__(self, folder: Path, dim: int) -> None:
        engine = _engine()
        vectors = engine.EdgeVectorParams(
            size=dim,
            distance=engine.Distance.Dot,
            datatype=engine.VectorStorageDatatype.Turbo8,
            memory=engine.Memory.Cold,  # mapped from disk: an album need not fit into memory
            hnsw_config=engine.HnswIndexConfig(m=LINKS, ef_construct=EFFORT, full_scan_threshold=1000),
        )
        optimizers = engine.EdgeOptimizersConfig(
            # Whatever was not made a graph yet becomes one, and no two graphs are ever made one.
            indexing_threshold=1, default_segment_number=1 << 20, max_segment_size=1 << 40,
        )  # fmt: skip
        config = engine.EdgeConfig(vectors=vectors, optimizers=optimizers, wal_enabled=False)
        self.folder = folder
        opened = (folder / "edge_config.json").exists()
        open_shard = engine.EdgeShard.load if opened else engine.EdgeShard.create
        self._shard: Any = open_shard(str(folder), config)

    def insert(self, positions: Keys, vectors: Vectors) -> Iterator[int]:
        """Put in `vectors` (N, dim) under their positions (N,); how many, as they go in."""
        engine = _engine()
        for start in range(0, len(positions), INSERTED_AT_ONCE):
            some = slice(start, start + INSERTED_AT_ONCE)
            points = [
                engine.Point(position, vector)
                for position, vector in zip(positions[some].tolist(), vectors[some].tolist(), strict=True)
            ]
            self._shard.update(engine.UpdateOperation.upsert_points(points))
            yield len(points)

    def grow(self) -> None:
        """Make a graph of what was inserted since the last call."""
        self._shard.optimize()

    def finish(self) -> dict[str, Any]:
        """Write everything to disk, durably; what there is to know of each file, for `Shard`.

        Files are kept without the zeros they end with: the engine makes tens of MB of them for each graph.
        """
        self._shard.flush()
        self._shard.close()
        files: dict[str, Any] = {}
        for path in sorted(path for path in self.folder.rglob("*") if path.is_file()):
            entry: dict[str, Any] = {"bytes": path.stat().st_size}
            if path.name not in LINKED:
                content = path.read_bytes().rstrip(b"\0")
                os.truncate(path, len(content))
                entry["digest"] = _digest(content)
            fsync_file(path)
            files[path.relative_to(self.folder).as_posix()] = entry
        for parent, _, _ in os.walk(self.folder):
            fsync_folder(Path(parent))
        return files


class Shard:
    """A finished shard at `folder`, of which `files` is what `Builder.finish` gave.

    Raises `ShardError` where files are missing, cut or altered, `MissingPackage` without the engine.
    """

    def __init__(self, folder: Path, files: dict[str, Any]) -> None:
        engine = _engine()
        with tempfile.TemporaryDirectory(prefix="cartolina-", ignore_cleanup_errors=True) as view:
            unpacked(folder, files, Path(view), link=True)
            with _told():
                self._shard: Any = engine.EdgeShard.load(view)

    def search(self, query: NDArray[np.float32], limit: int, effort: int) -> Found:
        """The `limit` nearest of one query (dim,), by what the engine thinks they score.

        `effort` is how many candidates are looked at in each graph. Raises `ShardError`.
        """
        engine = _engine()
        request = engine.QueryRequest(
            limit=limit,
            query=engine.Query.Nearest(query.tolist()),
            params=engine.SearchParams(hnsw_ef=max(effort, limit)),
        )
        with _told():
            points = self._shard.query(request)
        positions = np.fromiter((point.id for point in points), np.int64, len(points))
        return Found(positions, np.fromiter((point.score for point in points), np.float64, len(points)))


def unpacked(folder: Path, files: dict[str, Any], into: Path, *, link: bool) -> None:
    """Lay out a finished shard's files `into` a folder as the engine wants them.

    `link`: those that are only read become links. Raises `ShardError` where one is not as it was written.
    """
    for name, entry in files.items():
        source, target = folder / name, into / name
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise ShardError(f"{folder} names a file outside of itself: {name}")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            whole = _lay_out(source, target, entry, link=link)
        except OSError as error:
            raise ShardError(f"{error.filename} cannot be read or written ({error.strerror})") from error
        if not whole:
            raise ShardError(f"{source} is not as it was written")


def _lay_out(source: Path, target: Path, entry: dict[str, Any], *, link: bool) -> bool:
    """Whether `source` is as it was written; it is then at `target`."""
    if "digest" in entry:
        content = source.read_bytes()
        target.write_bytes(content)
        os.truncate(target, entry["bytes"])
        return _digest(content) == str(entry["digest"])
    if link:
        target.symlink_to(source.absolute())
    else:
        shutil.copyfile(source, target)
    return source.stat().st_size == int(entry["bytes"])


class _told:  # noqa: N801 - reads as what it does
    """Turn whatever the engine raises into a `ShardError`; its panics are no `Exception`."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if error is None or isinstance(error, (KeyboardInterrupt, SystemExit, MemoryError)):
            return
        raise ShardError(
            f"the engine gave up: {str(error).splitlines()[0] if str(error) else kind}"
        ) from error


def _engine() -> ModuleType:
    return require("qdrant_edge", "an index of vectors", SCALE)


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=8).hexdigest()
