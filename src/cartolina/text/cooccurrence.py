"""How often words stand near each other: X_ij = Σ 1 / distance over the pairs of a text (GloVe, §3 and §4.2).

A word and another at most `window` words before or after it count 1 / distance, within one text. X is
symmetric: the pairs i ≤ j are kept, X_ii with both its halves.

The sums are exact. 1 / d is a whole multiple of 1 / lcm(1, …, window), so counts are integers (beyond a
window of 20, where that number grows too large, multiples of 2^-32, rounded to the nearest); only the
finished X_ij is rounded, to float32. So it matters neither how many threads count nor what the memory holds:
the result is the same to the last bit, in the same order, as good as random (`glove_kernels.scrambled`).

Where the pairs do not fit into `memory`, each full table goes to a nameless temporary file ($TMPDIR) as a
sorted run, and the runs are merged piece by piece into another: kill -9 leaves nothing behind.
"""

from __future__ import annotations

import math
import tempfile
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import IO

import numpy as np
from numpy.typing import NDArray

from cartolina.errors import InputError, require
from cartolina.progress import SILENT, Progress
from cartolina.text.learning import TEXT

__all__ = ["MEMORY", "RECORD", "CoOccurrences", "count_cooccurrences", "nonzeros"]

MEMORY = 4 << 30
"""Bytes that counting may take by default."""

RECORD = np.dtype([("first", np.int32), ("second", np.int32), ("count", np.float32)])

CHUNK = 1 << 20
"""Words that are counted before progress is told, and records that are looked at together."""

LOAD = 0.7
"""How full a table may become: beyond, looking up takes long."""

EXACT_WINDOW = 20
"""Up to this window lcm(1, …, window), 232,792,560, leaves room for 4 · 10^10 neighbours in 64 bits."""

Run = NDArray[np.uint64]
"""Sorted keys and their counts, (n, 2)."""


@dataclass(frozen=True, slots=True)
class CoOccurrences:
    """The pairs of words that were seen near each other, in an order as good as random.

    `records` (P,) of `RECORD`: rows `first` ≤ `second` of a vocabulary of `size` words, and X > 0. It lies on
    disk (a memory map) where `spilled`.
    """

    size: int
    records: NDArray[np.void]
    spilled: bool = False

    @property
    def nonzeros(self) -> int:
        """How many X_ij are not zero, (i, j) and (j, i) counted apart."""
        parts = (self.records[start : start + CHUNK] for start in range(0, len(self.records), CHUNK))
        return sum(nonzeros(part) for part in parts)

    def dense(self) -> NDArray[np.float32]:
        """X, (size, size): for small vocabularies."""
        x = np.zeros((self.size, self.size), np.float32)
        x[self.records["first"], self.records["second"]] = self.records["count"]
        x[self.records["second"], self.records["first"]] = self.records["count"]
        return x


def nonzeros(records: NDArray[np.void]) -> int:
    """How many X_ij `records` stand for: two each, but one on the diagonal."""
    return 2 * len(records) - int(np.count_nonzero(records["first"] == records["second"]))


def count_cooccurrences(
    words: NDArray[np.int32],
    size: int,
    window: int,
    *,
    workers: int = 1,
    memory: int = MEMORY,
    progress: Progress = SILENT,
) -> CoOccurrences:
    """Count the pairs in `words`: texts one after the other, −1 between them, each word a row below `size`.

    `workers` threads share `memory` bytes. Raises `InputError` for a window below 1 and a disk that is full.
    """
    if window < 1:
        raise InputError(f"a window of {window} words holds no pairs: expected 1 or more")
    require("numba", "counting co-occurrences", TEXT)
    weights, unit = _weights(window)
    parts = [_Part(words, weights, unit, part, workers, memory // workers) for part in range(workers)]
    try:
        with (
            progress.task("co-occurrences", len(words), "words") as step,
            ThreadPoolExecutor(workers) as threads,
        ):
            for start in range(0, len(words), CHUNK):
                stop = min(start + CHUNK, len(words))
                list(threads.map(lambda part: part.count(start, stop), parts))  # noqa: B023  (done at once)
                step.advance(stop - start)
            spilled = any(part.spilled for part in parts)
            if spilled:
                records = _on_disk(piece for part in parts for piece in part.pieces())
            else:
                records = np.concatenate(list(threads.map(lambda part: part.whole(), parts)))
    except OSError as error:
        raise InputError(
            f"the co-occurrences do not fit into {memory >> 20} MiB of memory, and the temporary folder "
            f"{tempfile.gettempdir()} does not take them ({error}): give more memory, or set TMPDIR to "
            "a disk with room"
        ) from error
    finally:
        for part in parts:
            part.close()
    return CoOccurrences(size, records, spilled)


class _Part:
    """One thread's share of the pairs, by their keys: its table, and the runs put aside when that was full.

    All threads read all words, and no pair is counted by two of them.
    """

    def __init__(
        self,
        words: NDArray[np.int32],
        weights: NDArray[np.int64],
        unit: int,
        part: int,
        parts: int,
        memory: int,
    ) -> None:
        self._words, self._weights, self._unit = words, weights, unit
        self._part, self._parts, self._memory = part, parts, memory
        least = 1 << max(12, (2 * len(weights)).bit_length())  # room for the pairs of one word
        self._most = max(1 << max(memory // 32, 1).bit_length() - 1, least)
        self._table = _table(least)
        self._entries = 0
        self._aside: IO[bytes] | None = None
        self._ends = [0]

    @property
    def spilled(self) -> bool:
        """Whether the table was ever as full as memory allows."""
        return self._aside is not None

    def count(self, start: int, stop: int) -> None:
        """Count this part's pairs of the words in [start, stop) with those before them."""
        from cartolina.text.glove_kernels import count_pairs

        while True:
            room = int(LOAD * _slots(self._table)) - self._entries
            start, added = count_pairs(
                self._words, start, stop, self._weights, self._part, self._parts, self._table, room
            )
            self._entries += added
            if start == stop:
                return
            if _slots(self._table) < self._most:
                self._grow()
            else:
                self._put_aside()

    def whole(self) -> NDArray[np.void]:
        """What was counted, as records, where all of it is in memory; the part is empty then."""
        run = self._run()
        self.close()
        return _records(run, self._unit)

    def pieces(self) -> Iterator[NDArray[np.void]]:
        """What was counted, as records in the order of their keys, merged from the runs piece by piece."""
        if self._entries:
            self._put_aside()
        runs: list[Run] = []
        if self._aside is not None:
            self._aside.flush()
            aside = np.asarray(np.memmap(self._aside, np.uint64, "r", shape=(self._ends[-1], 2)))
            runs = [aside[start:end] for start, end in pairwise(self._ends)]
        self.close()
        low, high = ((part << 64) // self._parts for part in (self._part, self._part + 1))
        pieces = 1 + self._ends[-1] // max(self._memory // 128, 1 << 10)
        starts = [0] * len(runs)
        for piece in range(1, pieces + 1):
            bound = low + (high - low) * piece // pieces
            ends = [
                len(run) if piece == pieces else bisect_left(run[:, 0], np.uint64(bound), start)
                for run, start in zip(runs, starts, strict=True)
            ]
            yield _records(
                _merged([np.array(run[a:b]) for run, a, b in zip(runs, starts, ends, strict=True)]),
                self._unit,
            )
            starts = ends

    def close(self) -> None:
        """Give up the memory; what is mapped stays until nobody looks at it."""
        self._table = np.zeros((0, 2), np.uint64)
        if self._aside is not None:
            self._aside.close()

    def _grow(self) -> None:
        from cartolina.text.glove_kernels import move_over

        larger = _table(2 * _slots(self._table))
        move_over(self._table, larger, self._parts)
        self._table = larger

    def _put_aside(self) -> None:
        if self._aside is None:
            self._aside = tempfile.TemporaryFile()  # noqa: SIM115  (`close` closes it)
        self._run().tofile(self._aside)
        self._ends.append(self._ends[-1] + self._entries)
        self._entries = 0

    def _run(self) -> Run:
        from cartolina.text.glove_kernels import take_out

        run = np.empty((self._entries, 2), np.uint64)
        take_out(self._table, run)
        return run


def _table(slots: int) -> Run:
    from cartolina.text.glove_kernels import PAD

    return np.zeros((slots + PAD, 2), np.uint64)


def _slots(table: Run) -> int:
    from cartolina.text.glove_kernels import PAD

    return len(table) - PAD


def _weights(window: int) -> tuple[NDArray[np.int64], int]:
    """What a pair at each distance counts, as whole numbers (window + 1,), and how much is 1."""
    unit = math.lcm(*range(1, window + 1)) if window <= EXACT_WINDOW else 1 << 32
    return np.array([0, *(round(unit / distance) for distance in range(1, window + 1))], np.int64), unit


def _merged(runs: list[Run]) -> Run:
    """One run of all `runs`; equal keys are added up."""
    from cartolina.text.glove_kernels import merge

    while len(runs) > 1:
        merged = runs[: len(runs) % 2]
        for one, other in zip(runs[len(merged) :: 2], runs[len(merged) + 1 :: 2], strict=True):
            both = np.empty((len(one) + len(other), 2), np.uint64)
            merged.append(both[: merge(one, other, both)])
        runs = merged
    return runs[0] if runs else np.empty((0, 2), np.uint64)


def _records(run: Run, unit: int) -> NDArray[np.void]:
    """A run as records, in its order."""
    from cartolina.text.glove_kernels import unscramble

    first, second = np.empty(len(run), np.int32), np.empty(len(run), np.int32)
    unscramble(run, first, second)
    records = np.empty(len(run), RECORD)
    records["first"], records["second"] = first, second
    records["count"] = np.where(first == second, 2.0, 1.0) * (run[:, 1] / unit)  # X_ii has both its halves
    return records


def _on_disk(pieces: Iterable[NDArray[np.void]]) -> NDArray[np.void]:
    """All `pieces`, mapped from a nameless file that lasts as long as somebody looks at it."""
    with tempfile.TemporaryFile() as file:
        records = 0
        for piece in pieces:
            piece.tofile(file)
            records += len(piece)
        file.flush()
        return np.asarray(np.memmap(file, RECORD, "r", shape=(records,)))
