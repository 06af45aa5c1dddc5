"""Features on disk, by content: computed once, whatever happens to the process.

A cache is a folder of append-only shards and one SQLite index that says which row of which shard belongs to
which key. Rows are written and fsynced first and indexed afterwards in one transaction, so a row the index
names is whole. What a killed process wrote without indexing it lies behind the last indexed row and is
overwritten by the next `put`: nothing acknowledged is lost, and nothing is there twice.

>>> cache = FeatureCache(folder, shape=(1280,))  # doctest: +SKIP
>>> cache.put([feature_key(content, "plain")], features)  # doctest: +SKIP
"""

from __future__ import annotations

import json
import math
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from cartolina.durable import fsync_folder
from cartolina.errors import InputError

__all__ = ["FeatureCache", "feature_key"]

_SHARD_BYTES = 256 * 2**20
_HALF_MAX = 65504.0  # the largest float16
_ASK = 500  # keys per SELECT; SQLite takes at least 999 parameters

_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS features (
  key TEXT PRIMARY KEY, shard INTEGER NOT NULL, row INTEGER NOT NULL, UNIQUE (shard, row)
) WITHOUT ROWID;
"""


def feature_key(content: str, view: str) -> str:
    """What features are kept under: the photo's `content_hash` and the view's name."""
    return f"{content}/{view}"


class FeatureCache:
    """Features of one backbone: `key -> (*shape)`, float16 on disk, float32 in hand.

    `folder` is made when missing. Threads may share a cache, and processes may share its folder. Raises
    `InputError` when the folder holds features of another shape.
    """

    def __init__(self, folder: Path, shape: tuple[int, ...]) -> None:
        self.folder = folder
        self.shape = tuple(shape)
        self._width = math.prod(shape)
        self._rows_per_shard = max(1, _SHARD_BYTES // (2 * self._width))
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        self._index = sqlite3.connect(
            folder / "index.sqlite", timeout=60, isolation_level=None, check_same_thread=False
        )
        self._index.execute("PRAGMA journal_mode = WAL")
        self._index.execute("PRAGMA synchronous = FULL")  # a commit is on disk when it returns
        self._index.executescript(_SCHEMA)
        self._check_shape()

    def __contains__(self, key: str) -> bool:
        with self._lock:
            found = self._index.execute("SELECT 1 FROM features WHERE key = ?", (key,)).fetchone()
        return found is not None

    def __len__(self) -> int:
        with self._lock:
            return int(self._index.execute("SELECT COUNT(*) FROM features").fetchone()[0])

    def put(self, keys: Sequence[str], features: np.ndarray) -> None:
        """Store `features` (N, *shape) under N `keys`; on disk when this returns.

        A key that is there already keeps what it has: the same content gives the same features. Values beyond
        float16 (±65504) are clipped. Raises `InputError` for another shape or for values that are no numbers.
        """
        if features.shape != (len(keys), *self.shape):
            raise InputError(f"features of shape {features.shape}; expected {(len(keys), *self.shape)}")
        if not np.isfinite(features).all():
            raise InputError("features that are not finite numbers: the backbone is broken for some photo")
        half = np.clip(features, -_HALF_MAX, _HALF_MAX).astype("<f2").reshape(len(keys), self._width)
        with self._lock:
            # The write lock is taken before the shard is touched, so another process waits for its turn.
            self._index.execute("BEGIN IMMEDIATE")
            try:
                self._append(keys, half)
                self._index.execute("COMMIT")
            except BaseException:
                self._index.execute("ROLLBACK")
                raise

    def get(self, keys: Sequence[str]) -> np.ndarray:
        """The features of N keys in their order, (N, *shape) float32; `KeyError` names a missing one."""
        out = np.empty((len(keys), self._width), np.float32)
        places = self._places(keys)
        order = sorted(range(len(keys)), key=lambda n: places[keys[n]])
        current, rows = -1, np.empty((0, self._width), np.float16)
        for n in order:  # in the order they lie on disk
            shard, row = places[keys[n]]
            if shard != current:
                current, rows = shard, self._mapped(shard)
            out[n] = rows[row]
        return out.reshape(len(keys), *self.shape)

    def close(self) -> None:
        """Let go of the index; what was put stays."""
        self._index.close()

    def _append(self, keys: Sequence[str], half: np.ndarray) -> None:
        known = {key for key, _, _ in self._find(keys)}
        fresh: dict[str, np.ndarray] = {}
        for key, row in zip(keys, half, strict=True):
            if key not in known:
                fresh.setdefault(key, row)
        last = self._index.execute("SELECT shard, row FROM features ORDER BY shard DESC, row DESC LIMIT 1")
        shard, row = last.fetchone() or (0, -1)
        names = list(fresh)
        while names:
            shard, row = (shard, row + 1) if row + 1 < self._rows_per_shard else (shard + 1, 0)
            part, names = names[: self._rows_per_shard - row], names[self._rows_per_shard - row :]
            self._write(shard, row, np.stack([fresh[name] for name in part]))
            self._index.executemany(
                "INSERT INTO features VALUES (?, ?, ?)",
                [(name, shard, row + n) for n, name in enumerate(part)],
            )
            row += len(part) - 1

    def _write(self, shard: int, row: int, rows: np.ndarray) -> None:
        path = self._shard(shard)
        created = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        with os.fdopen(descriptor, "r+b") as file:
            file.seek(row * self._width * 2)
            file.truncate()  # the unindexed tail of a killed process
            file.write(rows.tobytes())
            file.flush()
            os.fsync(file.fileno())
        if created:
            fsync_folder(self.folder)

    def _mapped(self, shard: int) -> np.ndarray:
        path = self._shard(shard)
        whole = path.stat().st_size // (2 * self._width)  # what a killed process left may end inside a row
        return np.memmap(path, "<f2", "r", shape=(whole, self._width))

    def _shard(self, number: int) -> Path:
        return self.folder / f"{number:04d}.f16"

    def _places(self, keys: Sequence[str]) -> dict[str, tuple[int, int]]:
        with self._lock:
            places = {key: (shard, row) for key, shard, row in self._find(keys)}
        for key in keys:
            if key not in places:
                raise KeyError(key)
        return places

    def _find(self, keys: Iterable[str]) -> Iterator[tuple[str, int, int]]:
        unique = list(dict.fromkeys(keys))
        for start in range(0, len(unique), _ASK):
            part = unique[start : start + _ASK]
            query = f"SELECT key, shard, row FROM features WHERE key IN ({','.join('?' * len(part))})"  # noqa: S608
            yield from self._index.execute(query, part)

    def _check_shape(self) -> None:
        mine = json.dumps({"format": 1, "dtype": "float16", "shape": self.shape})
        self._index.execute("INSERT OR IGNORE INTO about VALUES ('layout', ?)", (mine,))
        (found,) = self._index.execute("SELECT value FROM about WHERE name = 'layout'").fetchone()
        if found != mine:
            self._index.close()
            raise InputError(f"the feature cache {self.folder} holds {found}; expected {mine}")
