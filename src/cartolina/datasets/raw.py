"""RAW: what cameras write instead of a picture. The preview embedded in it stands for it.

A RAW is recognised by its content: most are TIFF files, of which Pillow would show a thumbnail of 160
pixels. LibRaw (the package `rawpy`) finds the largest preview, a JPEG as a rule; nothing is developed.
Source: Adobe, Digital Negative Specification 1.7 (2023); the signatures are the makers'.

>>> read_preview(Path("IMG_1.CR2")).orientation   # doctest: +SKIP
6
"""

from __future__ import annotations

import io
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from cartolina.errors import CartolinaError, MissingPackage, require

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LACKING", "NoPreview", "Preview", "is_raw", "read_preview"]

LACKING = "needs cartolina[raw]"
"""The reason why a RAW is left out where `rawpy` is not installed."""

_SIGNATURES = (
    (0, b"FUJIFILMCCD-RAW"),
    (0, b"IIRO"), (0, b"IIRS"), (0, b"MMOR"),  # Olympus: TIFF but for these letters
    (0, b"IIU\0"),  # Panasonic, Leica: likewise
    (4, b"ftypcrx "),  # Canon CR3
    (6, b"HEAPCCDR"),  # Canon CRW
    (0, b"FOVb"),  # Sigma
    (0, b"\0MRM"),  # Minolta
)  # fmt: skip
_TIFF = {b"II*\0": "<", b"MM\0*": ">"}
_PHOTOMETRIC, _SUB_IFDS, _DNG_VERSION = 262, 330, 50706
_SENSOR = (32803, 34892)  # a colour filter array, a linear raw
_SHORT = 3
_LEAST = 160  # pixels of the longer side: EXIF's own thumbnails have so many, and can just be told apart
_FOLLOWED = 8  # sub-directories looked at: main picture, mask and some previews

_MADE_BY_LIBRAW = b"dcraw v"  # the software its EXIF names

# LibRaw's `flip` (mirror 1, upside down 2, transpose 4) as EXIF's orientation.
_ORIENTATION = {0: 1, 1: 2, 2: 4, 3: 3, 4: 5, 5: 8, 6: 6, 7: 7}


class NoPreview(CartolinaError):
    """A RAW that has nothing to show; `reason` is one of a few stable phrases, the message its detail."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Preview:
    """What a RAW shows: a JPEG's bytes, or (H, W, 3) uint8, to be turned by `orientation` (EXIF's).

    `exif` is a block LibRaw made of what it knows of the RAW, where the JPEG did not begin with one.
    """

    picture: bytes | NDArray[np.uint8]
    orientation: int
    exif: bytes = b""


def is_raw(file: IO[bytes]) -> bool:
    """Tell a RAW by its content, whatever its name. Reads little, and leaves `file` at its start."""
    file.seek(0)
    head = file.read(16)
    try:
        if any(head.startswith(letters, at) for at, letters in _SIGNATURES):
            return True
        order = _TIFF.get(head[:4])
        return order is not None and (head[8:10] == b"CR" or _has_sensor_data(file, head, order))
    finally:
        file.seek(0)


def read_preview(image: Path | bytes) -> Preview:
    """The largest preview of a RAW. Raises `NoPreview`, also where the package for it is not installed."""
    try:
        rawpy = require("rawpy", "a RAW photo", "pip install 'cartolina[raw]' lets us read it")
    except MissingPackage as error:
        raise NoPreview(LACKING, str(error)) from error
    try:
        with rawpy.imread(os.fspath(image) if isinstance(image, Path) else io.BytesIO(image)) as raw:
            sizes, thumbnail = raw.sizes, raw.extract_thumb()
    except (rawpy.LibRawNoThumbnailError, rawpy.LibRawUnsupportedThumbnailError) as error:
        raise NoPreview("RAW without a preview", _said(error)) from error
    except rawpy.LibRawIOError as error:
        raise NoPreview("truncated image", _said(error)) from error
    except rawpy.LibRawError as error:
        raise NoPreview("unreadable image", _said(error)) from error
    made, turn = b"", _ORIENTATION.get(sizes.flip, 1)
    picture: bytes | NDArray[np.uint8]
    if isinstance(thumbnail.data, bytes):
        picture, made = _apart(thumbnail.data)
        turn, size = _as_the_jpeg_says(picture, turn)
    else:
        picture, turn = _plain(image), 1  # Pillow turns a TIFF itself
        size = picture.shape[1], picture.shape[0]
    if size and max(size) < _LEAST:
        raise NoPreview("RAW without a preview", f"only a thumbnail of {size[0]} × {size[1]} pixels")
    # A sideways photo whose preview stands upright already: the sensor lies, the preview does not.
    if turn >= 5 and size and (size[0] < size[1]) != (sizes.width < sizes.height):
        turn = 1
    return Preview(picture, turn, made)


def _plain(image: Path | bytes) -> NDArray[np.uint8]:
    """The plain pixels of the first directory, read by Pillow.

    LibRaw's are not looked at: of a damaged file it gives an array larger than the memory behind it.
    """
    import numpy as np
    from PIL import Image

    try:
        file = image if isinstance(image, Path) else io.BytesIO(image)
        with Image.open(file, formats=("TIFF",)) as opened:
            return np.asarray(opened.convert("RGB"))
    except Exception as error:
        raise NoPreview("RAW without a preview", f"{type(error).__name__}: {error}") from error


def _apart(jpeg: bytes) -> tuple[bytes, bytes]:
    """A preview as it lies in the RAW, and the EXIF that LibRaw has put in front of it (none: empty)."""
    if jpeg[2:4] != b"\xff\xe1":
        return jpeg, b""
    end = 4 + int.from_bytes(jpeg[4:6], "big")
    block = jpeg[6:end]
    return (jpeg[:2] + jpeg[end:], block) if _MADE_BY_LIBRAW in block else (jpeg, b"")


def _as_the_jpeg_says(jpeg: bytes, otherwise: int) -> tuple[int, tuple[int, int] | None]:
    """The orientation in a preview's own EXIF, and its width and height (None: it is no picture)."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(jpeg), formats=("JPEG", "MPO")) as opened:
            turn = opened.getexif().get(0x0112, otherwise)
            return (turn if turn in range(1, 9) else otherwise), opened.size
    except Exception:  # noqa: BLE001  # whoever decodes it will find what is wrong
        return otherwise, None


def _said(error: Exception) -> str:
    words = error.args[0] if error.args else ""
    return f"LibRaw: {words.decode('utf-8', 'replace') if isinstance(words, bytes) else words}"


def _has_sensor_data(file: IO[bytes], head: bytes, order: str) -> bool:
    try:
        (start,) = struct.unpack_from(order + "I", head, 4)
        first = _directory(file, start, order)
        if _DNG_VERSION in first or _shows_sensor(first):
            return True
        count, where = first.get(_SUB_IFDS, (0, 0))
        places: tuple[int, ...] = (where,) * min(count, 1)
        if count > 1:
            file.seek(where)
            count = min(count, _FOLLOWED)
            places = struct.unpack(f"{order}{count}I", file.read(4 * count))
        return any(_shows_sensor(_directory(file, place, order)) for place in places)
    except (struct.error, OSError):  # cut off, or no directory at all
        return False


def _shows_sensor(directory: dict[int, tuple[int, int]]) -> bool:
    return directory.get(_PHOTOMETRIC, (0, 0))[1] in _SENSOR


def _directory(file: IO[bytes], at: int, order: str) -> dict[int, tuple[int, int]]:
    """The entries of a TIFF directory: tag -> how many values, and the first (or where they are)."""
    file.seek(at)
    (count,) = struct.unpack(order + "H", file.read(2))
    entries = struct.iter_unpack(order + "HHI4s", file.read(12 * count))
    return {
        tag: (number, struct.unpack_from(order + ("H" if kind == _SHORT else "I"), value)[0])
        for tag, kind, number, value in entries
    }
