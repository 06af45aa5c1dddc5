"""What lies beside a photo: `.txt`, `.json` and `.xmp` files named `photo.jpg.xmp` or `photo.xmp`.

- `.txt`: one caption, however many lines (what BLIP, kohya and Instaloader write).
- `.json`: an object whose keys are named like a table's columns (caption, tags, latitude, …); Google
  Takeout's `geoData` and `photoTakenTime` are understood too.
- `.xmp`: what Lightroom, darktable and digiKam write.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from cartolina.datasets.columns import assign, describe_row
from cartolina.datasets.encoding import decode
from cartolina.datasets.fields import PhotoMetadata, read_captions
from cartolina.datasets.xmp import parse_xmp
from cartolina.errors import InputError

__all__ = ["SIDECARS", "read_sidecars", "signature"]

SIDECARS = (".txt", ".json", ".xmp")  # in this order their captions are listed
READING = "2"
"""Raised when more is read from a photo or its sidecars than before: all are then read once more."""
_LARGEST = 8 << 20  # bytes; a caption is not longer, and darktable's masks fit


def read_sidecars(photo: Path, siblings: Mapping[str, Path]) -> list[tuple[str, PhotoMetadata]]:
    """Read all sidecars of `photo`, each by its name; `siblings` are its folder's, by lower-case name.

    One that cannot be read is told in `problems` as "bad sidecar".
    """
    return [(path.name, _read(path)) for path in _beside(photo, siblings)]


def signature(photo: Path, siblings: Mapping[str, Path], raws: Sequence[Path] = ()) -> str:
    """Tell what goes with a photo, its sidecars, its RAWs and theirs, from what it was.

    By names, sizes and times; nothing is opened.
    """
    parts = [READING]
    beside = [*_beside(photo, siblings), *(path for raw in raws for path in (raw, *_beside(raw, siblings)))]
    for path in dict.fromkeys(beside):
        with suppress(OSError):  # gone since the folder was listed
            status = path.stat()
            name = os.fsencode(path.name).decode("utf-8", "backslashreplace")
            parts.append(f"{name}:{status.st_size}:{status.st_mtime_ns}")
    return "|".join(parts)


def _beside(photo: Path, siblings: Mapping[str, Path]) -> list[Path]:
    if not siblings:
        return []
    names = [f"{stem}{suffix}".casefold() for suffix in SIDECARS for stem in (photo.name, photo.stem)]
    return [siblings[name] for name in names if name in siblings]


def _read(path: Path) -> PhotoMetadata:
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"larger than {_LARGEST >> 20} MB")
        data = path.read_bytes()
        match path.suffix.lower():
            case ".txt":
                return PhotoMetadata(captions=read_captions(decode(data)))
            case ".json":
                return _parse_json(decode(data))
            case _:
                return parse_xmp(data)
    except (InputError, OSError, ValueError, RecursionError) as error:
        return PhotoMetadata(problems=(("bad sidecar", f"{path.name}: {error}"),))


def _parse_json(text: str) -> PhotoMetadata:
    values = json.loads(text)
    if not isinstance(values, dict):
        raise InputError("a JSON object was expected")
    geo, taken = values.get("geoData"), values.get("photoTakenTime")
    if isinstance(geo, dict) and any((geo.get("latitude"), geo.get("longitude"))):  # zeros: none known
        values = {"latitude": geo.get("latitude"), "longitude": geo.get("longitude"), **values}
    if isinstance(taken, dict):
        values = {"taken": taken.get("timestamp"), **values}
    return describe_row(values, assign([*values], {}))
