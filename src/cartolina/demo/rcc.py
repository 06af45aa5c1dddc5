"""Qt's binary resource files (.rcc): a folder tree of files in one file, as `rcc -binary` writes it.

>>> resources = RccFile(Path("explore_monuments.rcc"))            # doctest: +SKIP
>>> resources["gcompris/src/activities/explore_monuments/resource/wonders/petra.webp"][:4]   # doctest: +SKIP
b'RIFF'

The format (qtbase/src/corelib/io/qresource.cpp and tools/rcc/rcc.cpp), all numbers big-endian:

    "qres", u32 version 1–3, u32 offsets of the tree, the data and the names, from version 3 u32 flags
    tree node   u32 name offset, u16 flags, then of a folder u32 count and u32 first child,
                of a file u16 country, u16 language and u32 data offset; from version 2 u64 time of change
    name        u16 length, u32 hash, UTF-16
    data        u32 length and as many bytes: as they are, or (flag 1) u32 length and a zlib stream,
                or (flag 4) a Zstandard frame

The file is a stranger's: every offset is checked, a node is visited once, and what unpacks to more than
`MAX_FILE` bytes or is named to climb out of its folder is refused.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from cartolina.errors import InputError, require

__all__ = ["RccFile"]

MAX_FILE = 64 * 2**20
COMPRESSED, FOLDER, ZSTD = 1, 2, 4


class RccFile(Mapping[str, bytes]):
    """The files inside one .rcc file by their path, unpacked when they are asked for.

    Raises `InputError` where the file is not what it says, `MissingPackage` for Zstandard without a decoder.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._bytes = path.read_bytes()
        if self._bytes[:4] != b"qres":
            raise InputError(f"{path} is not a Qt resource file: it begins with {self._bytes[:4]!r}")
        version, self._tree, self._data, self._names = self._numbers(">4I", 4)
        if not 1 <= version <= 3:
            raise InputError(f"{path} is version {version} of Qt's resource format; 1 to 3 can be read")
        self._node_size = 14 if version == 1 else 22
        self._files = dict(self._walk())

    def __getitem__(self, name: str) -> bytes:
        flags, start = self._files[name]
        (length,) = self._numbers(">I", start)
        packed = self._slice(start + 4, length)
        if flags & COMPRESSED:
            return self._unzip(packed, name)
        if flags & ZSTD:
            return self._checked(self._unzstd(packed, name), name)
        return packed

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def _walk(self) -> Iterator[tuple[str, tuple[int, int]]]:
        """Each file's path, its flags and where its data is."""
        seen: set[int] = set()
        todo = [(0, "")]
        while todo:
            index, folder = todo.pop()
            if index in seen:
                raise InputError(f"{self._path} is damaged: its tree of folders runs in a circle")
            seen.add(index)
            at = self._tree + index * self._node_size
            name_at, flags = self._numbers(">IH", at)
            name = folder + self._name(name_at) if index else ""
            if flags & FOLDER:
                count, first = self._numbers(">2I", at + 6)
                self._slice(self._tree + first * self._node_size, count * self._node_size)
                todo += [(child, name + "/" if name else "") for child in range(first, first + count)]
            else:
                yield name, (flags, self._data + self._numbers(">I", at + 10)[0])

    def _name(self, offset: int) -> str:
        (length,) = self._numbers(">H", self._names + offset)
        name = self._slice(self._names + offset + 6, 2 * length).decode("utf-16-be", "replace")
        if name in ("", ".", "..") or "/" in name or "\\" in name or "\0" in name:
            raise InputError(f"{self._path} is damaged: {name!r} is no name of a file")
        return name

    def _unzip(self, packed: bytes, name: str) -> bytes:
        try:
            unpacked = zlib.decompressobj().decompress(packed[4:], MAX_FILE + 1)
        except zlib.error as error:
            raise InputError(f"{name} in {self._path} is damaged: {error}") from error
        if len(unpacked) <= MAX_FILE and len(unpacked) != int.from_bytes(packed[:4], "big"):
            raise InputError(f"{name} in {self._path} is cut off")
        return self._checked(unpacked, name)

    def _unzstd(self, packed: bytes, name: str) -> bytes:
        zstandard = require("zstandard", f"reading {name} in {self._path.name}", "pip install zstandard")
        try:
            unpacked: bytes = (
                zstandard.ZstdDecompressor().stream_reader(io.BytesIO(packed)).read(MAX_FILE + 1)
            )
        except zstandard.ZstdError as error:
            raise InputError(f"{name} in {self._path} is damaged: {error}") from error
        return unpacked

    def _checked(self, unpacked: bytes, name: str) -> bytes:
        if len(unpacked) > MAX_FILE:
            raise InputError(f"{name} in {self._path} unpacks to more than {MAX_FILE >> 20} MiB")
        return unpacked

    def _numbers(self, layout: str, at: int) -> tuple[int, ...]:
        return struct.unpack(layout, self._slice(at, struct.calcsize(layout)))

    def _slice(self, at: int, length: int) -> bytes:
        if at < 0 or at + length > len(self._bytes):
            end, size = at + length, len(self._bytes)
            raise InputError(f"{self._path} is cut off or damaged: it points at byte {end} of {size}")
        return self._bytes[at : at + length]
