"""How often each tag occurs, exactly, where the tags are more than memory holds.

Tags are counted in a dictionary until it has its share of memory; then it is written out, into one of 64
files by the tag's checksum, and begun again. In the end each file's counts are summed on their own, since all
that was ever counted of a tag is in the same one. A file that is itself too large is gone through several
times, for another part of its tags each time. So memory is bounded whatever the number of tags.

A tag is bytes without tab or line end; `Keys` say what it counts as, or in a phrase why it does not. Most
tags of a large file occur once: those are written without their count, into files of their own, which are
read and counted without a loop in Python.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from math import ceil
from pathlib import Path
from zlib import crc32

import numpy as np

from cartolina.datasets.processes import Tell, in_processes

__all__ = ["LONGEST", "Keys", "TagCounts", "Totals", "totals"]

Keys = Callable[[Sequence[bytes]], Iterable[bytes | str]]
"""What each of many tags counts as; a phrase where it does not."""

PARTS = 64
ENTRY = 160
"""Bytes of a dictionary's entry with its two objects, beside the tag's own letters, just after it grew."""

LONGEST = 2_400
"""Bytes; Flickr's tags have 255 letters, in Chinese nine bytes each where they are escaped."""

_LITTLE = 16 << 20  # bytes, half a second's work: more processes take as long to begin
_AT_A_TIME = 1 << 16  # tags made keys together
_READ = 1 << 20  # bytes
SLACK = 0.8  # what is nearly full is written out: looking whether it is takes a while


@dataclass(eq=False)
class TagCounts:
    """One process's counts. `folder` is where they are written to, under `name`; `memory` in bytes.

    `left_out` counts the occurrences that are no tags, by `keys`' phrases.
    """

    folder: Path
    name: str
    keys: Keys
    memory: int
    left_out: Counter[str] = field(default_factory=Counter)
    _counts: Counter[bytes] = field(default_factory=Counter)
    _letters: int = 0  # at most so many bytes have the tags in _counts

    def add(self, tags: Sequence[bytes], letters: int | None = None, longest: int | None = None) -> None:
        """Count each of `tags` once more; they have at most `letters` bytes, the longest `longest`."""
        size = sum(map(len, tags)) if letters is None else letters
        if (longest is None or longest > LONGEST) and max(map(len, tags), default=0) > LONGEST:
            short = [tag for tag in tags if len(tag) <= LONGEST]
            self.left_out["too long"] += len(tags) - len(short)
            tags = short
        self._counts.update(tags)
        self._letters += size
        if self._size() > self.memory:
            self._letters = sum(map(len, self._counts))
            if self._size() > SLACK * self.memory:
                self.write_out()

    def _size(self) -> int:
        return ENTRY * len(self._counts) + self._letters

    def write_out(self) -> None:
        """Write all that was counted and forget it; call it once more when nothing is left to count."""
        if not self._counts:
            return
        items = iter(self._counts.items())
        while some := list(islice(items, _AT_A_TIME)):
            once: list[list[bytes]] = [[] for _ in range(PARTS)]
            often: list[list[bytes]] = [[] for _ in range(PARTS)]
            found = self.keys([tag for tag, _ in some])
            for tag, (_, count) in zip(found, some, strict=True):
                if isinstance(tag, str):
                    self.left_out[tag] += count
                elif count == 1:
                    once[crc32(tag) % PARTS].append(tag)
                else:
                    often[crc32(tag) % PARTS].append(b"%b\t%d" % (tag, count))
            self._append(once, "once")
            self._append(often, "often")
        self._counts.clear()
        self._letters = 0

    def _append(self, parts: Sequence[Sequence[bytes]], kind: str) -> None:
        for number, lines in enumerate(parts):
            if lines:
                with (self.folder / f"{number:02}.{kind}.{self.name}").open("ab") as file:
                    file.write(b"\n".join(lines) + b"\n")


@dataclass(frozen=True)
class Totals:
    """The most frequent tags with their counts (equal ones by their letters), and how many there are."""

    most: list[tuple[bytes, int]]
    distinct: int
    occurrences: int


def totals(folder: Path, most: int, *, memory: int, workers: int = 1, tell: Tell) -> Totals:
    """Sum what all `TagCounts` in `folder` have written; `tell` is told of `PARTS` parts in all."""
    if sum(path.stat().st_size for path in folder.iterdir()) < _LITTLE:
        workers = 1
    make = partial(_Summing, folder, most, memory // workers)
    found = in_processes(make, range(PARTS), workers=workers, tell=tell)
    best = sorted(pair for one in found for pair in one.best)[:most]
    return Totals(
        [(tag, -less) for less, tag in best],
        sum(one.distinct for one in found),
        sum(one.occurrences for one in found),
    )


@dataclass
class _Summing:
    folder: Path
    most: int
    memory: int
    number: int
    best: list[tuple[int, bytes]] = field(default_factory=list)  # (minus the count, the tag)
    floor: int = 1  # what is used less often is not among the most frequent
    distinct: int = 0
    occurrences: int = 0

    def do(self, task: int, tell: Tell) -> None:
        once, often = (sorted(self.folder.glob(f"{task:02}.{kind}.*")) for kind in ("once", "often"))
        rounds = ceil(sum(map(_most_memory, (*once, *often))) / self.memory) or 1
        for number in range(rounds):
            self._take(_sum(once, often, number, rounds))
        tell(1)

    def finish(self) -> _Summing:
        self._shorten()
        return self

    def _take(self, counts: Counter[bytes]) -> None:
        self.distinct += len(counts)
        self.occurrences += counts.total()
        self.best += [(-count, tag) for tag, count in counts.items() if count >= self.floor]
        if len(self.best) > 4 * self.most + PARTS:
            self._shorten()

    def _shorten(self) -> None:
        """Keep the most frequent: by their counts first, since comparing equal ones by letters takes long."""
        if len(self.best) > self.most:
            counts = np.fromiter((less for less, _ in self.best), np.int64, len(self.best))
            self.floor = -int(np.partition(counts, self.most - 1)[self.most - 1])
            self.best = [pair for pair in self.best if -pair[0] >= self.floor]
        self.best.sort()
        del self.best[self.most :]


def _most_memory(path: Path) -> int:
    lines = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            lines += block.count(b"\n")
    return ENTRY * lines + path.stat().st_size


def _sum(once: Sequence[Path], often: Sequence[Path], number: int, rounds: int) -> Counter[bytes]:
    """The counts of the tags whose turn it is in this of `rounds`."""
    counts: Counter[bytes] = Counter()
    for path in once:
        with path.open("rb") as file:
            while block := file.readlines(_READ):
                tags = b"".join(block).split(b"\n")
                tags.pop()
                counts.update(_whose_turn(tags, number, rounds))
    seen = counts.get
    for path in often:
        with path.open("rb") as file:
            for line in file:
                tag, _, count = line.partition(b"\t")
                if rounds == 1 or _whose_turn((tag,), number, rounds):
                    counts[tag] = seen(tag, 0) + int(count)
    return counts


def _whose_turn(tags: Sequence[bytes], number: int, rounds: int) -> Sequence[bytes]:
    return tags if rounds == 1 else [tag for tag in tags if crc32(tag) // PARTS % rounds == number]
