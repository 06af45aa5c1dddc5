"""How often each tag occurs, exactly, where the tags are more than memory holds.

Tags are counted in a dictionary until it has its share of memory; then it is written out, into one of 64
files by the tag's checksum, and begun again. In the end each file's counts are summed on their own, since all
that was ever counted of a tag is in the same one. A file that is itself too large is gone through several
times, for another part of its tags each time. So memory is bounded whatever the number of tags.

A tag is bytes; `key` says what it counts as (bytes without tab or line end), or in a phrase why it does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from math import ceil
from pathlib import Path
from zlib import crc32

from cartolina.datasets.processes import Tell, in_processes

__all__ = ["LONGEST", "Key", "TagCounts", "Totals", "totals"]

Key = Callable[[bytes], bytes | str]

PARTS = 64
ENTRY = 160
"""Bytes of a dictionary's entry with its two objects, beside the tag's own letters, just after it grew."""

LONGEST = 2_400
"""Bytes; Flickr's tags have 255 letters, in Chinese nine bytes each where they are escaped."""

_LITTLE = 16 << 20  # bytes, half a second's work: more processes take as long to begin
SLACK = 0.8  # what is nearly full is written out: looking whether it is takes a while


@dataclass(eq=False)
class TagCounts:
    """One process's counts. `folder` is where they are written to, under `name`; `memory` in bytes.

    `left_out` counts the occurrences that are no tags, by `key`'s phrases.
    """

    folder: Path
    name: str
    key: Key
    memory: int
    left_out: Counter[str] = field(default_factory=Counter)
    _counts: Counter[bytes] = field(default_factory=Counter)
    _letters: int = 0  # at most so many bytes have the tags in _counts

    def add(self, tags: Sequence[bytes]) -> None:
        """Count each of `tags` once more."""
        size = sum(map(len, tags))
        if size > LONGEST and max(map(len, tags)) > LONGEST:
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
        with ExitStack() as stack:
            files = [
                stack.enter_context((self.folder / f"{part:02}.{self.name}").open("ab"))
                for part in range(PARTS)
            ]
            for tag, count in self._counts.items():
                found = self.key(tag)
                if isinstance(found, str):
                    self.left_out[found] += count
                else:
                    files[crc32(found) % PARTS].write(b"%b\t%d\n" % (found, count))
        self._counts.clear()
        self._letters = 0


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
        files = sorted(self.folder.glob(f"{task:02}.*"))
        rounds = ceil(sum(map(_most_memory, files)) / self.memory) or 1
        for number in range(rounds):
            self._take(_sum(files, number, rounds))
        tell(1)

    def finish(self) -> _Summing:
        self._shorten()
        return self

    def _take(self, counts: dict[bytes, int]) -> None:
        self.distinct += len(counts)
        self.occurrences += sum(counts.values())
        self.best += [(-count, tag) for tag, count in counts.items() if count >= self.floor]
        if len(self.best) > 4 * self.most + PARTS:
            self._shorten()

    def _shorten(self) -> None:
        self.best.sort()
        del self.best[self.most :]
        self.floor = -self.best[-1][0] if self.best else 1


def _most_memory(path: Path) -> int:
    lines = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            lines += block.count(b"\n")
    return ENTRY * lines + path.stat().st_size


def _sum(files: Sequence[Path], number: int, rounds: int) -> dict[bytes, int]:
    counts: dict[bytes, int] = {}
    seen = counts.get
    for path in files:
        with path.open("rb") as file:
            for line in file:
                tag, _, count = line.partition(b"\t")
                if rounds == 1 or crc32(tag) // PARTS % rounds == number:
                    counts[tag] = seen(tag, 0) + int(count)
    return counts
