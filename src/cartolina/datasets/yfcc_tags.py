"""The tags' column of `yfcc100m_dataset`, a block of bytes at a time.

A line has 25 columns with tabs between them; column 10 (from 0) holds the user's tags, with commas between
them, URL-encoded with `+` for a space; column 24 is 0 for a photo and 1 for a video:

    0 line  1 id  2 hash  3 user  4 nickname  5 taken  6 uploaded  7 device  8 title  9 description
    10 tags  11 machine tags  12 lon  13 lat  14 accuracy  15 page  16 picture  17 licence  18 its page
    19 server  20 farm  21 secret  22 secret of the original  23 suffix  24 photo or video

Older files have 23: they begin with the id, and have no hash.

Tabs and line ends of a block are found together by NumPy, and of each line only the tags are cut out: .7 µs a
line, where `line.split(b"\\t")` takes 1.3 (docs/decisions.md).
"""

from __future__ import annotations

import bz2
import gzip
import io
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

import numpy as np

from cartolina.datasets.processes import Tell
from cartolina.errors import InputError

__all__ = ["COMPRESSED", "Lines", "Span", "Tags", "cut_up", "looks_like_yfcc", "tags_of", "whole_lines"]

TAGS = {25: 10, 23: 8}
"""The tags' column by how many columns a line has; the last one says whether it is a photo."""

COMPRESSED = (".bz2", ".gz")

BLOCK = 1 << 20
LONGEST_LINE = 16 << 20
_NEWLINE, _TAB, _RETURN = 10, 9, 13
_DAMAGED = (EOFError, OSError, zlib.error)


@dataclass(frozen=True)
class Span:
    """The lines of a file that begin from byte `start` to before `end`."""

    path: Path
    start: int
    end: int


def cut_up(path: Path, size: int) -> list[Span]:
    """A file in spans of `size` bytes; a compressed one, which has to be read from its beginning, in one."""
    if path.suffix.lower() in COMPRESSED:
        return [Span(path, 0, sys.maxsize)]
    length = path.stat().st_size
    return [Span(path, start, min(start + size, length)) for start in range(0, length, size)]


@dataclass
class Lines:
    """What was met: lines that are not blank, those used and those of them with tags, bad ones by reason."""

    rows: int = 0
    used: int = 0
    with_tags: int = 0
    bad: Counter[str] = field(default_factory=Counter)

    def __iadd__(self, other: Lines) -> Lines:
        self.rows += other.rows
        self.used += other.used
        self.with_tags += other.with_tags
        self.bad += other.bad
        return self


def looks_like_yfcc(path: Path) -> bool:
    """Whether a file's first line has the columns; never raises."""
    try:
        with _opened(path) as (file, _):
            first = file.read(BLOCK).partition(b"\n")[0]
    except (OSError, InputError):
        return False
    return first.count(b"\t") + 1 in TAGS


@contextmanager
def _opened(path: Path) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """A file's plain bytes, and the file on disk below them."""
    with path.open("rb", buffering=0) as raw:
        if path.suffix.lower() not in COMPRESSED:
            yield raw, raw
            return
        buffered = io.BufferedReader(raw, BLOCK)
        unpack = gzip.open if path.suffix.lower() == ".gz" else bz2.open
        plain = cast("IO[bytes]", unpack(buffered, "rb"))
        try:
            yield plain, raw
        except _DAMAGED as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise InputError(
                f"{path} cannot be unpacked ({error}): it is damaged, or was cut short"
            ) from error


def whole_lines(span: Span, bad: Counter[str], tell: Tell) -> Iterator[bytes]:
    """Blocks of whole lines of a span, each with its line end; a line beyond 16 MB is counted in `bad`."""
    with _opened(span.path) as (file, raw):
        position = max(span.start - 1, 0)  # where a line ends just before the span, one begins with it
        if position:
            file.seek(position)
        skipping, begun, told = span.start > 0, b"", raw.tell()
        while block := file.read(BLOCK):
            tell(raw.tell() - told)
            told = raw.tell()
            at, position = position, position + len(block)
            if skipping:
                cut = block.find(b"\n") + 1
                if not cut:
                    if position >= span.end:
                        return
                    continue
                block, at, skipping = block[cut:], at + cut, False
            if at >= span.end and not begun:
                return
            if position >= span.end and (cut := block.find(b"\n", max(span.end - 1 - at, 0)) + 1):
                yield begun + block[:cut]
                return
            cut = block.rfind(b"\n") + 1
            if cut:
                yield begun + block[:cut]
                begun = block[cut:]
            else:
                begun += block
            if len(begun) > LONGEST_LINE:
                bad["line too long"] += 1
                skipping, begun = True, b""
        if begun:
            yield begun + b"\n"


@dataclass(frozen=True, slots=True)
class Tags:
    """Tags as they are written, how many bytes they have at most, together and the longest."""

    tags: list[bytes]
    letters: int
    longest: int


def tags_of(block: bytes, *, photos_only: bool = False) -> tuple[Tags, Lines]:
    """All tags in a block of whole lines, and what lines it had."""
    letters = np.frombuffer(block, np.uint8)
    marks = np.flatnonzero((letters - np.uint8(_TAB)) <= _NEWLINE - _TAB)  # below a tab it wraps around
    ends = np.flatnonzero(letters[marks] == _NEWLINE)  # (lines,) of marks
    firsts = np.concatenate(([0], ends[:-1] + 1))  # each line's first mark
    tabs = ends - firsts
    starts = np.concatenate(([0], marks[ends[:-1]] + 1))  # of letters
    length = marks[ends] - starts
    blank = (length == 0) | ((length == 1) & (letters[starts] == _RETURN))
    lines = Lines(rows=int((~blank).sum()))
    columns = tabs + 1
    lines.bad["wrong number of columns"] += int((~np.isin(columns, [*TAGS]) & ~blank).sum())
    cells: list[bytes] = []
    for many, column in TAGS.items():
        first = firsts[columns == many]
        if photos_only:
            kind = letters[marks[first + many - 2] + 1]
            lines.bad["neither photo nor video"] += int(((kind != ord("0")) & (kind != ord("1"))).sum())
            first = first[kind == ord("0")]
        start, end = marks[first + column - 1] + 1, marks[first + column]
        some = end > start
        lines.used += len(first)
        lines.with_tags += int(some.sum())
        cells += [block[a:b] for a, b in zip(start[some].tolist(), end[some].tolist(), strict=True)]
    all_cells = b",".join(cells)
    tags = all_cells.split(b",") if cells else []
    return Tags(tags, len(all_cells), max(map(len, cells), default=0)), lines
