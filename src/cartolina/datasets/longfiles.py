"""Lines of files too large to hold, as published datasets have them: plain, .gz or .bz2, in several parts.

Such a file may come from a stranger: a line has a longest length, a truncated archive gives what comes before
the cut, and each of them is told.
"""

from __future__ import annotations

import bz2
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from cartolina.datasets.dataset import Skipped
from cartolina.datasets.encoding import decode

__all__ = ["count_lines", "each_line", "open_long"]

_LONGEST = 1 << 20  # bytes of a line; YFCC100M's longest descriptions have some 200,000
_BLOCK = 1 << 20
_ERRORS = (OSError, EOFError, zlib.error, ValueError)


def open_long(path: Path) -> io.BufferedIOBase:
    """Open a file for reading bytes, unpacking what its first bytes say is gzip or bzip2."""
    with path.open("rb") as file:
        start = file.read(3)
    if start[:2] == b"\x1f\x8b":
        return gzip.open(path, "rb")
    return bz2.open(path, "rb") if start == b"BZh" else path.open("rb")


def each_line(paths: Iterable[Path]) -> Iterator[tuple[str, str] | Skipped]:
    """The lines of files one after another as (where, text without its end), blank ones too.

    A line that is too long, and the rest of a damaged file, is `Skipped`.
    """
    for path in paths:
        number = 0
        try:
            with open_long(path) as file:
                while line := file.readline(_LONGEST + 1):
                    number += 1
                    if len(line) > _LONGEST:
                        while line and not line.endswith(b"\n"):
                            line = file.readline(_LONGEST)
                        detail = f"longer than {_LONGEST >> 20} MB"
                        yield Skipped(f"{path.name}, line {number}", "bad row", detail)
                    else:
                        yield f"{path.name}, line {number}", decode(line).rstrip("\r\n")
        except _ERRORS as error:
            detail = f"{error} after line {number}; what comes before that is read"
            yield Skipped(path.name, "damaged archive", detail)


def count_lines(path: Path) -> int:
    """Count a plain file's lines, a last one without an end too."""
    lines, last = 0, b"\n"
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            lines += block.count(b"\n")
            last = block[-1:]
    return lines + (last != b"\n")
