"""What lies beside a photo: `.txt`, `.json` and `.xmp` files named `photo.jpg.xmp` or `photo.xmp`.

- `.txt`: one caption, however many lines (what BLIP, kohya and Instaloader write).
- `.json`: an object whose keys are named like a table's columns (caption, tags, latitude, …); Google's, under
  the names it gives (google_json.py).
- `.xmp`: what Lightroom, darktable and digiKam write.

They lie in a folder (a `Path`) or in an archive (a `File`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cartolina.datasets import google_json
from cartolina.datasets.archive import File
from cartolina.datasets.columns import assign, describe_row
from cartolina.datasets.encoding import decode
from cartolina.datasets.fields import PhotoMetadata, merge, read_captions
from cartolina.datasets.suffixes import SIDECARS
from cartolina.datasets.xmp import parse_xmp
from cartolina.errors import InputError

__all__ = ["read_json", "read_sidecars", "signature", "state"]

READING = "2"
"""Raised when more is read from a photo or its sidecars than before: all are then read once more."""
_LARGEST = 8 << 20  # bytes; a caption is not longer, and darktable's masks fit


def read_sidecars(photo: str, siblings: Mapping[str, Path] | Mapping[str, File]) -> PhotoMetadata:
    """Read all sidecars of the file named `photo`; `siblings` are its folder's by lower-case file name.

    One that cannot be read is told in `problems` as "bad sidecar".
    """
    own = set(_names(photo))
    return merge(_read(file, is_own=file.name.casefold() in own) for file in _beside(photo, siblings))


def signature(photo: str, siblings: Mapping[str, Path] | Mapping[str, File]) -> str:
    """Tell a photo's sidecars from what they were; none is opened."""
    return state(_beside(photo, siblings))


def state(files: Iterable[Path | File]) -> str:
    """Tell files from what they were, by their names, sizes and times (in an archive: checksums)."""
    return "|".join([READING, *filter(None, map(_stamp, files))])


def read_json(file: Path | File, largest: int = _LARGEST) -> Any:  # noqa: ANN401  # JSON
    """What a JSON file holds; raises `InputError` where it cannot be read."""
    try:
        return json.loads(decode(_bytes(file, largest)))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{file.name}: {error}") from error


def _names(photo: str) -> list[str]:
    stem = Path(photo).stem
    return [f"{name}{suffix}".casefold() for suffix in SIDECARS for name in (photo, stem)]


def _beside(photo: str, siblings: Mapping[str, Path] | Mapping[str, File]) -> list[Path | File]:
    if not siblings:
        return []
    found: list[Path | File] = [siblings[name] for name in _names(photo) if name in siblings]
    name = google_json.find(photo, siblings)
    return found if name is None or siblings[name] in found else [*found, siblings[name]]


def _stamp(file: Path | File) -> str:
    if isinstance(file, File):
        return f"{file.name}:{file.stamp()}"
    try:
        status = file.stat()
    except OSError:  # gone since the folder was listed
        return ""
    name = os.fsencode(file.name).decode("utf-8", "backslashreplace")
    return f"{name}:{status.st_size}:{status.st_mtime_ns}"


def _bytes(file: Path | File, largest: int) -> bytes:
    if isinstance(file, File):
        return file.read(largest)
    if file.stat().st_size > largest:
        raise InputError(f"larger than {largest >> 20} MB")
    return file.read_bytes()


def _read(file: Path | File, *, is_own: bool) -> PhotoMetadata:
    """What a file says; one found by Google's names only counts if it is Google's."""
    try:
        if file.name.lower().endswith(".json"):
            values = read_json(file)
            if google_json.is_google(values):
                return google_json.parse(values)
            return _describe(values) if is_own else PhotoMetadata()
        data = _bytes(file, _LARGEST)
        if file.name.lower().endswith(".txt"):
            return PhotoMetadata(captions=read_captions(decode(data)))
        return parse_xmp(data)
    except (InputError, OSError, ValueError, RecursionError) as error:
        return PhotoMetadata(problems=(("bad sidecar", f"{file.name}: {error}"),))


def _describe(values: object) -> PhotoMetadata:
    if not isinstance(values, dict):
        raise InputError("a JSON object was expected")
    return describe_row(values, assign([*values], {}))
