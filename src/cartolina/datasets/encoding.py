"""Bytes to text when nobody said which encoding: UTF-8 where it is valid, else Western European.

>>> decode(b"caf\\xc3\\xa9"), decode(b"caf\\xe9")
('café', 'café')
"""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from pathlib import Path

__all__ = ["decode", "decode_western", "lines"]

_UTF16 = (BOM_UTF16_LE, BOM_UTF16_BE)


def decode(data: bytes) -> str:
    """Decode UTF-8 (with or without a byte order mark), UTF-16 with its mark, else `decode_western`.

    Western text that happens to be valid UTF-8 is all but unknown, so trying UTF-8 first is safe.
    """
    if data.startswith(_UTF16):
        return data.decode("utf-16", "replace")
    try:
        return data.removeprefix(BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError:
        return decode_western(data)


def decode_western(data: bytes) -> str:
    """Decode Windows-1252, which is Latin-1 with curly quotes and € among the control codes."""
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:  # five codes mean nothing there; Latin-1 knows every byte
        return data.decode("latin-1")


def lines(path: Path) -> Iterator[str]:
    """Stream a text file's lines with their ends, each decoded on its own: one bad line spoils no other."""
    with path.open("rb") as file:
        if file.read(2) in _UTF16:  # Excel's "Unicode text"
            with path.open(encoding="utf-16", errors="replace", newline="") as text:
                yield from text
            return
        file.seek(0)
        for line in file:
            yield decode(line)
