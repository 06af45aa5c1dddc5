"""PNG's chunks that carry metadata, also those behind the pixels, which Pillow finds by decoding them only.

EXIF has a chunk of its own (`eXIf`); XMP is the text "XML:com.adobe.xmp". IPTC has no place in PNG: what
ImageMagick and ExifTool write, the text "Raw profile type iptc", is read, and their exif and xmp likewise.
Source: W3C, Portable Network Graphics (third edition), 11.3; ImageMagick, coders/png.c.
"""

from __future__ import annotations

import struct
import zlib
from typing import IO

from cartolina.errors import InputError

__all__ = ["SIGNATURE", "png_metadata", "without_texts"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LARGEST = 8 << 20  # bytes of one text, unpacked
_CHUNKS = 1 << 17  # a photo of 100 MB in the usual chunks of 8 KB has a tenth of it
_KINDS_OF_TEXT = (b"tEXt", b"zTXt", b"iTXt")
_TEXTS = {
    b"XML:com.adobe.xmp": "xmp",
    b"Raw profile type xmp": "xmp",
    b"Raw profile type exif": "exif",
    b"Raw profile type APP1": "exif",
    b"Raw profile type iptc": "iptc",
    b"Raw profile type 8bim": "iptc",
}


def png_metadata(file: IO[bytes]) -> tuple[dict[str, bytes], list[str]]:
    """What a PNG carries as "exif", "xmp" and "iptc", and what is wrong with it.

    IPTC may be bare or within Photoshop's resources. Of several of a kind the first counts. Reading stops
    where a chunk is cut off; a text that unpacks to more than 8 MB, or not at all, is told of.
    """
    found: dict[str, bytes] = {}
    problems: list[str] = []
    file.seek(len(SIGNATURE))
    for _ in range(_CHUNKS):
        head = file.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            break
        length, kind = struct.unpack(">I4s", head)
        if kind not in (b"eXIf", *_KINDS_OF_TEXT) or length > _LARGEST:
            file.seek(length + 4, 1)
            continue
        data = file.read(length)
        file.seek(4, 1)
        keyword, _, rest = data.partition(b"\0")
        what = "exif" if kind == b"eXIf" else _TEXTS.get(keyword, "")
        if what and what not in found:  # each once: a thousand bombs take no longer than one
            try:
                found[what] = data if kind == b"eXIf" else _text(kind, keyword, rest)
            except InputError as error:
                found[what] = b""
                problems.append(f"{keyword.decode('latin-1')}: {error}")
    return {what: data for what, data in found.items() if data}, problems


def without_texts(png: bytes) -> bytes:
    """A PNG without its texts, which may be more than Pillow puts up with; what is no PNG, as it is."""
    if not png.startswith(SIGNATURE):
        return png
    kept, at = [SIGNATURE], len(SIGNATURE)
    for _ in range(_CHUNKS):
        if at + 8 > len(png):
            break
        length, kind = struct.unpack_from(">I4s", png, at)
        end = at + length + 12
        if kind not in _KINDS_OF_TEXT:
            kept.append(png[at:end])
        at = end
    return b"".join([*kept, png[at:]])


def _text(kind: bytes, keyword: bytes, rest: bytes) -> bytes:
    if kind == b"zTXt":
        rest = _unpacked(rest[1:])
    elif kind == b"iTXt":
        packed, rest = (
            rest[:1],
            rest[2:].split(b"\0", 2)[-1],
        )  # behind language and translation
        rest = _unpacked(rest) if packed == b"\1" else rest
    return _profile(rest) if keyword.startswith(b"Raw profile") else rest


def _unpacked(data: bytes) -> bytes:
    unpacking = zlib.decompressobj()
    try:
        text = unpacking.decompress(data, _LARGEST)
    except zlib.error as error:
        raise InputError(f"cannot be unpacked ({error})") from error
    if unpacking.unconsumed_tail:
        raise InputError(f"unpacks to more than {_LARGEST >> 20} MB")
    return text


def _profile(text: bytes) -> bytes:
    """ImageMagick's form: a line for the name, one for the length, then hexadecimal digits."""
    *_, digits = text.lstrip().split(b"\n", 2)
    try:
        return bytes.fromhex(digits.decode("ascii"))
    except ValueError as error:
        raise InputError(f"is not hexadecimal ({error})") from error
