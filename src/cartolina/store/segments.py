"""Append-only vectors on disk: `0000.npy`, `0001.npy` … of one folder, memory-mapped.

A position is `segment × CAPACITY + row`; every segment but the last is full. Rows are never changed once
somebody has been told of them, so a reader's map stays true while a writer appends. What lies behind the
last row that was told of (a writer was killed between writing and telling) is overwritten by the next
append. The header of a file is rewritten after its rows are on disk: NumPy reads every file as it stands,
but how many rows *count* is for the owner (the album's catalogue) to say.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from cartolina.durable import fsync_folder
from cartolina.errors import AlbumError
from cartolina.store.contract import Keys, Vectors

__all__ = ["CAPACITY", "SegmentMissing", "Segments"]

CAPACITY = 1 << 16
"""Rows of a full segment: 100 MB at 384 dimensions, large enough for BLAS, small enough to copy."""

HEADER = 128
"""Bytes before the rows; NumPy pads its header to this, with room for the row count to grow."""


class SegmentMissing(AlbumError):
    """A file of vectors is gone: lost, or replaced by a compaction since somebody asked where vectors are."""


class Segments:
    """The segments of `folder`: `rows` says how many rows of each segment number count."""

    def __init__(self, folder: Path, dim: int, rows: Mapping[int, int] | None = None) -> None:
        self.folder = folder
        self.dim = dim
        self.rows = dict(sorted((rows or {}).items()))
        self._maps: dict[int, Vectors] = {}

    def append(self, vectors: Vectors) -> Keys:
        """Write `vectors` (N, dim) float32 behind the last row; durable on return. Their positions (N,)."""
        last = max(self.rows, default=0)
        return self._write(last, self.rows.get(last, 0), vectors)

    def rewritten(self, positions: Keys) -> tuple[Segments, Keys]:
        """The vectors at `positions`, in this order, copied to fresh segments; durable on return.

        Gives segments that hold nothing else, numbered after all of these, and the new positions.
        """
        fresh = Segments(self.folder, self.dim)
        number = max(self.rows, default=-1) + 1
        parts = [
            fresh._write(number + start // CAPACITY, 0, self.take(positions[start : start + CAPACITY]))
            for start in range(0, len(positions), CAPACITY)
        ]
        return fresh, np.concatenate(parts) if parts else np.empty(0, np.int64)

    def since(self, number: int) -> Segments:
        """These from segment `number` on; what is mapped stays mapped."""
        rows = {one: count for one, count in self.rows.items() if one >= number}
        later = Segments(self.folder, self.dim, rows)
        later._maps = {one: mapped for one, mapped in self._maps.items() if one in rows}
        return later

    def drop_unnamed(self) -> None:
        """Delete the segment files of the folder that are not among these (left by a compaction)."""
        for path in self.folder.glob("*.npy"):
            if path.stem.isdecimal() and int(path.stem) not in self.rows:
                path.unlink()

    def blocks(self) -> Iterator[tuple[Keys, Vectors]]:
        """Each segment: the positions of its rows (n,) and the rows (n, dim), mapped from disk."""
        for number, rows in self.rows.items():
            if rows:
                yield np.arange(rows) + number * CAPACITY, self._map(number)

    def take(self, positions: Keys) -> Vectors:
        """The vectors at `positions` (N,): (N, dim) float32, a copy."""
        out = np.empty((len(positions), self.dim), np.float32)
        numbers = positions // CAPACITY
        for number in np.unique(numbers).tolist():
            mine = numbers == number
            out[mine] = self._map(number)[positions[mine] % CAPACITY]
        return out

    def _write(self, number: int, row: int, vectors: Vectors) -> Keys:
        self.folder.mkdir(parents=True, exist_ok=True)
        parts = []
        while len(vectors):
            if row == CAPACITY:
                number, row = number + 1, 0
            now, vectors = vectors[: CAPACITY - row], vectors[CAPACITY - row :]
            self._write_rows(number, row, np.ascontiguousarray(now, dtype="<f4"))
            parts.append(np.arange(row, row + len(now)) + number * CAPACITY)
            row += len(now)
            self.rows[number] = row
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    def _write_rows(self, number: int, row: int, vectors: Vectors) -> None:
        path = self._path(number)
        new = row == 0
        if new:
            path.unlink(missing_ok=True)  # a file left behind may still be mapped by a reader: never cut it
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        with os.fdopen(descriptor, "r+b") as file:
            file.seek(HEADER + row * self.dim * 4)
            file.write(vectors.tobytes())
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            file.write(_header(row + len(vectors), self.dim))
        if new:
            fsync_folder(self.folder)
        self._maps.pop(number, None)

    def _map(self, number: int) -> Vectors:
        if number not in self._maps:
            path, shape = self._path(number), (self.rows[number], self.dim)
            try:
                size = path.stat().st_size
            except FileNotFoundError:
                raise SegmentMissing(
                    f"{path} is missing: restore it from a backup or build the album again"
                ) from None
            if size < HEADER + shape[0] * shape[1] * 4:
                raise AlbumError(
                    f"{path} is {size} bytes, too short for the {shape[0]} vectors the album counts in it: "
                    "the file was cut; restore it from a backup or build the album again"
                )
            mapped = np.memmap(path, dtype="<f4", mode="r", offset=HEADER, shape=shape)
            self._maps[number] = np.asarray(mapped)
        return self._maps[number]

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:04d}.npy"


def _header(rows: int, dim: int) -> bytes:
    buffer = io.BytesIO()
    npy.write_array_header_1_0(buffer, {"descr": "<f4", "fortran_order": False, "shape": (rows, dim)})
    header = buffer.getvalue()
    assert len(header) == HEADER, "NumPy's header grew: rows would not start where maps expect them"
    return header
