"""Archives read where they lie: a file's bytes by its name, nothing unpacked to disk.

An archive may come from a stranger. Names that leave it are not taken; encrypted, damaged and monstrous
entries are told one by one (`NotTaken`), and the rest is read. A zip is read in any order; a tar has no table
of contents: it is gone through once for its names (what lies beside photos is kept then, compressed) and
once more for its pictures.
"""

from __future__ import annotations

import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import islice, takewhile
from pathlib import Path

from cartolina.datasets.dataset import Skipped
from cartolina.datasets.locate import NotTaken
from cartolina.datasets.suffixes import SIDECARS
from cartolina.datasets.walk import printable
from cartolina.errors import InputError

__all__ = ["ARCHIVES", "LARGEST", "File", "Part", "in_turn", "is_archive", "names_in", "open_archive"]

ARCHIVES = (".zip", ".tgz", ".tar.gz", ".tar")
LARGEST = 512 << 20
"""Bytes of the largest picture read out of an archive: 8-bit RGB with as many pixels as are ever decoded."""
_BESIDE = 8 << 20  # bytes of the largest file beside a photo that a tar's is kept
# Photos hardly shrink. What is large and shrinks this much is empty, and meant to fill a disk.
_SUSPICIOUS, _SHRINKS = 64 << 20, 200
_GROWS = (100, 1 << 30)  # how much a tar may: so many times its size, and so many bytes
_PEEK_NAMES, _PEEK_BYTES = 200, 64 << 20  # how far a tar is looked into to recognise it
_LEAVES = re.compile(r"/|[A-Za-z]:[\\/]|(.*/)?\.\.(/|$)")
_TAR_ERRORS = (tarfile.TarError, EOFError, OSError, zlib.error, ValueError)


class Part:
    """A folder or an archive that holds an export, or a part of it.

    `in_order` tells that its pictures can only be read one after another.
    """

    in_order = False

    def __init__(self, path: Path) -> None:
        self.path = path

    def files(self) -> Iterator[File | Skipped]:
        """All files in it, and what cannot be one."""
        raise NotImplementedError

    def read(self, file: File, largest: int) -> bytes:
        """The bytes of a file; raises `NotTaken`, also where they are more than `largest`."""
        raise NotImplementedError

    def stamp(self, file: File) -> str:
        """Tell a file's content from what it was, without reading it."""
        raise NotImplementedError

    def each(self, wanted: Collection[object]) -> Iterator[tuple[object, bytes | NotTaken]]:
        """The bytes of the files with the `wanted` keys, or why not, as they come; where `in_order`."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class File:
    """A file of an export: `where` is its path there, with `/`; `key` is what its part finds it by."""

    where: str
    part: Part
    key: object

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.where.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The rest of its path: "" or ending in "/"."""
        return self.where[: len(self.where) - len(self.name)]

    @property
    def path(self) -> Path | None:
        """Where it lies as a file of its own."""
        return self.key if isinstance(self.key, Path) else None

    def read(self, largest: int) -> bytes:
        """Its bytes; raises `NotTaken`."""
        return self.part.read(self, largest)

    def stamp(self) -> str:
        """What tells its content from what it was."""
        return self.part.stamp(self)


def is_archive(path: Path) -> bool:
    """Tell by its name whether a file is an archive."""
    return path.name.lower().endswith(ARCHIVES) and path.is_file()


def open_archive(path: Path) -> Part:
    """Open an archive; raises `InputError` where it is none or its end is missing."""
    return _Zip(path) if path.name.lower().endswith(".zip") else _Tar(path)


def in_turn(path: Path) -> Iterator[tuple[str, Callable[[int], bytes]] | Skipped]:
    """The files of a tar as they come: the path of each, and what reads it before the next is asked for.

    Reading raises `NotTaken` where there are more bytes than it is given. A path that leaves the archive, and
    a damaged rest, are `Skipped`.
    """
    part = _Tar(path)
    try:
        for tar, member in part.in_turn():
            found = _listed(part, member.name, member.offset)
            yield found if isinstance(found, Skipped) else (found.where, partial(_bounded, tar, member))
    except _TAR_ERRORS as error:
        yield Skipped(path.name, "damaged archive", f"{error}; what comes before that is read")


def names_in(path: Path) -> tuple[str, ...]:
    """The paths of the files in an archive (the first ones of a tar), none where it cannot be read."""
    try:
        status = path.stat()
        return _names(path, status.st_size, status.st_mtime_ns)
    except (InputError, OSError):
        return ()


@lru_cache(maxsize=2)  # each format is asked in turn whether it knows the archive
def _names(path: Path, size: int, mtime: int) -> tuple[str, ...]:
    part = open_archive(path)
    files = part.peek() if isinstance(part, _Tar) else part.files()
    return tuple(file.where for file in files if isinstance(file, File))


def _inside(name: str) -> str | None:
    """An entry's path with single `/`; None for one that leaves the archive."""
    if "\\" in name and "/" not in name:  # written by old programs on Windows
        name = name.replace("\\", "/")
    if _LEAVES.match(name):
        return None
    return "/".join(step for step in name.split("/") if step not in ("", "."))


def _listed(part: Part, name: str, key: object) -> File | Skipped:
    where = _inside(name)
    if where is None:
        return Skipped(printable(name), "path leaves the archive", f"in {part.path.name}")
    if printable(where) != where:
        return Skipped(printable(where), "bad file name", "not UTF-8")
    return File(where, part, key)


class _Zip(Part):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
            raise InputError(
                f"{path} is not a whole zip archive ({error}): its download may have been cut short, so "
                "download it again"
            ) from error

    def files(self) -> Iterator[File | Skipped]:
        for info in self._zip.infolist():
            if not info.is_dir():
                yield _listed(self, _name(info), info)

    def read(self, file: File, largest: int) -> bytes:
        info = file.key
        assert isinstance(info, zipfile.ZipInfo)
        if info.flag_bits & 1:
            raise NotTaken("encrypted entry", f"in {self.path.name}: unpack it with its password")
        if info.file_size > largest:
            raise NotTaken("entry too large", f"{info.file_size:,} bytes")
        if info.file_size > max(_SUSPICIOUS, _SHRINKS * info.compress_size):
            raise NotTaken("entry too large", f"{info.compress_size:,} bytes become {info.file_size:,}")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others grow without bound
            raise NotTaken("damaged entry", f"compressed in a way that is not known ({info.compress_type})")
        try:
            with self._zip.open(info) as stream:
                data = stream.read(info.file_size)  # never more; its checksum is looked at
        except Exception as error:  # on hostile bytes zipfile raises nearly anything
            raise NotTaken("damaged entry", f"in {self.path.name}: {error}") from error
        if len(data) < info.file_size:
            raise NotTaken("damaged entry", f"{len(data):,} of {info.file_size:,} bytes")
        return data

    def stamp(self, file: File) -> str:
        info = file.key
        assert isinstance(info, zipfile.ZipInfo)
        return f"{info.file_size}:{info.CRC:08x}"


def _name(info: zipfile.ZipInfo) -> str:
    """An entry's name: many programs write UTF-8 without the flag that says so."""
    if not info.flag_bits & 0x800:
        try:
            return info.filename.encode("cp437").decode("utf-8")
        except UnicodeError:  # it was written by a DOS in its own letters, as zipfile took it
            pass
    return info.filename


class _Tar(Part):
    in_order = True

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._mode = "r|" if path.name.lower().endswith(".tar") else "r|gz"
        self._beside: dict[object, bytes] = {}

    def files(self) -> Iterator[File | Skipped]:
        try:
            for tar, member in self._members():
                found = _listed(self, member.name, member.offset)
                if member.size <= _BESIDE and member.name.lower().endswith(SIDECARS):
                    self._beside[member.offset] = zlib.compress(_content(tar, member), 1)
                yield found
        except _TAR_ERRORS as error:
            yield Skipped(self.path.name, "damaged archive", f"{error}; what comes before that is read")

    def peek(self) -> Iterator[File | Skipped]:
        """The first files, without keeping anything."""
        near = takewhile(lambda found: found[1].offset < _PEEK_BYTES, self._members())
        try:
            for _, member in islice(near, _PEEK_NAMES):
                yield _listed(self, member.name, member.offset)
        except _TAR_ERRORS:
            return

    def each(self, wanted: Collection[object]) -> Iterator[tuple[object, bytes | NotTaken]]:
        left = dict.fromkeys(wanted)
        with suppress(*_TAR_ERRORS):  # told when it was listed
            for tar, member in self._members():
                if member.offset not in left:
                    continue
                if member.size > LARGEST:
                    found: bytes | NotTaken = NotTaken("entry too large", f"{member.size:,} bytes")
                else:
                    found = _content(tar, member)
                del left[member.offset]
                yield member.offset, found
        for key in left:
            yield key, NotTaken("damaged entry", f"{self.path.name} is damaged there")

    def read(self, file: File, largest: int) -> bytes:
        if file.key not in self._beside:
            raise NotTaken("entry too large", f"more than {_BESIDE >> 20} MB")
        return zlib.decompress(self._beside[file.key])

    def stamp(self, file: File) -> str:
        kept = self._beside.get(file.key, b"")
        return f"{len(kept)}:{zlib.crc32(kept):08x}"

    def in_turn(self) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
        """Its files as they come."""
        return self._members()

    def _members(self) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
        """Regular files only: no link is followed, no device opened."""
        factor, more = _GROWS
        most = factor * self.path.stat().st_size + more
        with tarfile.open(self.path, self._mode) as tar:  # type: ignore[call-overload]  # a mode it knows
            while (member := tar.next()) is not None:
                tar.members.clear()  # it would keep them all
                if member.offset_data + member.size > most:
                    raise tarfile.ReadError(f"it grows more than {factor}-fold")
                if member.isreg():
                    yield tar, member


def _bounded(tar: tarfile.TarFile, member: tarfile.TarInfo, largest: int) -> bytes:
    if member.size > largest:
        raise NotTaken("entry too large", f"{member.size:,} bytes")
    try:
        return _content(tar, member)
    except _TAR_ERRORS as error:
        raise NotTaken("damaged entry", str(error)) from error


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = tar.extractfile(member)
    assert stream is not None
    return stream.read()
