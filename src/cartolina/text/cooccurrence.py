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
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import IO

import numpy as np
from numpy.typing import NDArray

from cartolina.errors import InputError, require
from cartolina.progress import SILENT, Progress

__all__ = ["MEMORY", "RECORD", "CoOccurrences", "count_cooccurrences"]

MEMORY = 4 << 30
"""Bytes that counting may take by default."""

RECORD = np.dtype([("first", np.int32), ("second", np.int32), ("count", np.float32)])

CHUNK = 1 << 20
"""Words that one thread counts before progress is told."""

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
        return 2 * len(self.records) - int(np.count_nonzero(self.records["first"] == self.records["second"]))

    def dense(self) -> NDArray[np.float32]:
        """X, (size, size): for small vocabularies."""
        x = np.zeros((self.size, self.size), np.float32)
        x[self.records["first"], self.records["second"]] = self.records["count"]
        x[self.records["second"], self.records["first"]] = self.records["count"]
        return x


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
    require("numba", "counting co-occurrences", "pip install 'cartolina[text]'")
    weights, unit = _weights(window)
    most = max(_power_below(memory // 32 // workers), 1 << max(12, (2 * len(weights)).bit_length()))
    counters = [_Counter(words, weights, most) for _ in range(workers)]
    try:
        _count(words, counters, progress)
        spilled = any(counter.spilled for counter in counters)
        runs = [run for counter in counters for run in counter.runs()]
        records = _merged(runs, unit, max(memory // 128, 1 << 10), on_disk=spilled)
    except OSError as error:
        raise InputError(
            f"the co-occurrences do not fit into {memory >> 20} MiB of memory, and the temporary folder "
            f"{tempfile.gettempdir()} does not take them ({error}): give more memory, or set TMPDIR to "
            "a disk with room"
        ) from error
    finally:
        for counter in counters:
            counter.close()
    return CoOccurrences(size, records, spilled)


def _count(words: NDArray[np.int32], counters: list[_Counter], progress: Progress) -> None:
    """Share `words` out among the counters, chunk by chunk."""
    spans = [(start, min(start + CHUNK, len(words))) for start in range(0, len(words), CHUNK)]
    with (
        progress.task("co-occurrences", len(words), "words") as step,
        ThreadPoolExecutor(len(counters)) as threads,
    ):
        for at in range(0, len(spans), len(counters)):
            spans_now = spans[at : at + len(counters)]
            running = [
                threads.submit(counter.count, *span)
                for counter, span in zip(counters, spans_now, strict=False)
            ]
            for one in running:
                one.result()
            step.advance(spans_now[-1][1] - spans_now[0][0])


class _Counter:
    """One thread's table of pairs, and the runs that had to be put aside when it was full."""

    def __init__(self, words: NDArray[np.int32], weights: NDArray[np.int64], most: int) -> None:
        self._words = words
        self._weights = weights
        self._most = most
        self._table = _table(min(most, 1 << max(12, (2 * len(weights)).bit_length())))
        self._entries = 0
        self._aside: IO[bytes] | None = None
        self._ends = [0]

    @property
    def spilled(self) -> bool:
        """Whether the table was ever full."""
        return self._aside is not None

    def count(self, start: int, stop: int) -> None:
        """Count the pairs of the words in [start, stop) with those before them."""
        from cartolina.text.glove_kernels import count_pairs

        while True:
            room = int(LOAD * _slots(self._table)) - self._entries
            start, added = count_pairs(
                self._words, start, stop, self._weights, self._table, _shift(self._table), room
            )
            self._entries += added
            if start == stop:
                return
            if _slots(self._table) < self._most:
                self._grow()
            else:
                self._put_aside()

    def runs(self) -> list[Run]:
        """All that was counted, as sorted runs; the counter is empty then."""
        if self._aside is None:
            runs = [self._run()]
        else:
            self._put_aside()
            self._aside.flush()
            aside = np.asarray(np.memmap(self._aside, np.uint64, "r", shape=(self._ends[-1], 2)))
            runs = [aside[start:end] for start, end in pairwise(self._ends)]
        self.close()
        return runs

    def close(self) -> None:
        """Give up the memory; what was mapped stays until nobody looks at it."""
        self._table = np.zeros((0, 2), np.uint64)
        if self._aside is not None:
            self._aside.close()

    def _grow(self) -> None:
        from cartolina.text.glove_kernels import move_over

        larger = _table(2 * _slots(self._table))
        move_over(self._table, larger, _shift(larger))
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


def _table(slots: int) -> NDArray[np.uint64]:
    from cartolina.text.glove_kernels import PAD

    return np.zeros((slots + PAD, 2), np.uint64)


def _slots(table: NDArray[np.uint64]) -> int:
    from cartolina.text.glove_kernels import PAD

    return len(table) - PAD


def _shift(table: NDArray[np.uint64]) -> int:
    """How far a key is shifted to give its home: the number of slots is a power of two."""
    return 65 - _slots(table).bit_length()


def _weights(window: int) -> tuple[NDArray[np.int64], int]:
    """What a pair at each distance counts, as whole numbers (window + 1,), and how much is 1."""
    unit = math.lcm(*range(1, window + 1)) if window <= EXACT_WINDOW else 1 << 32
    return np.array([0, *(round(unit / distance) for distance in range(1, window + 1))], np.int64), unit


def _merged(runs: list[Run], unit: int, piece_rows: int, *, on_disk: bool) -> NDArray[np.void]:
    """The records of all `runs` in the order of their keys, made in pieces of about `piece_rows` entries."""
    pieces = _pieces(runs, unit, max(1, -(-sum(map(len, runs)) // piece_rows)))
    if not on_disk:
        return np.concatenate([np.zeros(0, RECORD), *pieces])
    with tempfile.TemporaryFile() as file:
        records = 0
        for piece in pieces:
            piece.tofile(file)
            records += len(piece)
        file.flush()
        return np.asarray(np.memmap(file, RECORD, "r", shape=(records,)))  # keeps the nameless file alive


def _pieces(runs: list[Run], unit: int, pieces: int) -> Iterator[NDArray[np.void]]:
    """The records of each of `pieces` equal parts of the keys' range, which hold about as many each."""
    starts = [0] * len(runs)
    for piece in range(1, pieces + 1):
        bound = (piece << 64) // pieces
        ends = [
            len(run) if piece == pieces else bisect_left(run[:, 0], np.uint64(bound), start)
            for run, start in zip(runs, starts, strict=True)
        ]
        parts = [run[start:end] for run, start, end in zip(runs, starts, ends, strict=True) if start < end]
        if parts:
            yield _records(np.concatenate(parts) if len(parts) > 1 else parts[0], unit)
        starts = ends


def _records(entries: Run, unit: int) -> NDArray[np.void]:
    """Entries of several runs, one after the other, as records: equal keys added up, keys in order."""
    from cartolina.text.glove_kernels import unscramble

    keys = np.ascontiguousarray(entries[:, 0])
    counts = entries[:, 1]
    if (keys[1:] <= keys[:-1]).any():  # more than one run
        order = np.argsort(keys, kind="stable")  # numpy finds the runs and merges them
        keys, counts = keys[order], counts[order]
        firsts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
        keys, counts = keys[firsts], np.add.reduceat(counts, firsts)
    records = np.empty(len(keys), RECORD)
    first, second = np.empty(len(keys), np.int32), np.empty(len(keys), np.int32)
    unscramble(keys, first, second)
    records["first"], records["second"] = first, second
    records["count"] = np.where(first == second, 2.0, 1.0) * (counts / unit)
    return records


def _power_below(number: int) -> int:
    """The largest power of two that is not more than `number`, at least 1."""
    return 1 << max(number.bit_length() - 1, 0)
