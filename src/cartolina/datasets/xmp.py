"""XMP: the RDF that photo programs write into pictures and into `.xmp` files beside them.

Read: `dc:subject` (a bag of keywords), `dc:description` (one text per language), and, because sidecars of
RAW workflows have nothing else, `exif:GPSLatitude/GPSLongitude` and the date taken.
Source: Adobe, XMP Specification Part 1 (2012), sections 7 and C.2.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cartolina.datasets.fields import PhotoMetadata, clean, distinct, read_fix, read_taken
from cartolina.errors import InputError
from cartolina.post import Place

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["parse_document", "parse_xmp"]

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_EXIF = "{http://ns.adobe.com/exif/1.0/}"
_DATES = (
    f"{_EXIF}DateTimeOriginal",
    "{http://ns.adobe.com/photoshop/1.0/}DateCreated",
    "{http://ns.adobe.com/xap/1.0/}CreateDate",
)
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_DEGREES = re.compile(r"(\d+),(\d+(?:\.\d+)?)(?:,(\d+(?:\.\d+)?))?([NSEW])")


def parse_xmp(data: bytes) -> PhotoMetadata:
    """Read keywords as tags and descriptions as captions, the default language first.

    Raises `InputError` when it is not XML, or declares a document type: that is how entity bombs and
    reads of other files begin, and no photo program writes one.
    """
    root = parse_document(data)
    blocks = [block for rdf in root.iter(f"{_RDF}RDF") for block in rdf.iterfind(f"{_RDF}Description")]
    problems: list[tuple[str, str]] = []
    place = taken = None
    try:
        place = _place(blocks)
    except InputError as error:
        problems.append(("bad coordinates", f"XMP {error}"))
    try:
        taken = next((read_taken(text) for name in _DATES for text in _texts(blocks, name)), None)
    except InputError as error:
        problems.append(("bad date", f"XMP {error}"))
    return PhotoMetadata(
        captions=_texts(blocks, f"{_DC}description"),
        tags=distinct(tag.lstrip("#") for tag in _texts(blocks, f"{_DC}subject")),
        place=place,
        taken=taken,
        problems=tuple(problems),
    )


def parse_document(data: bytes) -> Element:
    """The XML of an XMP packet, parsed safely; raises `InputError` as `parse_xmp` does."""
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    if b"\0" not in data[:64]:  # padding after the packet; in UTF-16 zeros are half of the letters
        data = data.rstrip(b"\0")
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except DefusedXmlException as error:
        raise InputError(f"XMP with a document type or entities is refused: {error}") from error
    except (ParseError, ValueError, LookupError) as error:
        raise InputError(f"XMP is not well-formed XML: {error}") from error
    return root


def _texts(blocks: list[Element], name: str) -> tuple[str, ...]:
    """Return a property's texts, be it an attribute, an element's text, or a list's items."""
    found: list[tuple[bool, str]] = []
    for block in blocks:
        found.append((False, block.get(name, "")))
        for element in block.iterfind(name):
            items = list(element.iter(f"{_RDF}li")) or [element]
            found += [(item.get(_LANGUAGE) != "x-default", "".join(item.itertext())) for item in items]
    found.sort(key=lambda pair: pair[0])  # stable: the default language, then as written
    return distinct(clean(text) for _, text in found)


def _place(blocks: list[Element]) -> Place | None:
    lat, lon = (
        _degrees(next(iter(_texts(blocks, _EXIF + name)), "")) for name in ("GPSLatitude", "GPSLongitude")
    )
    return read_fix(lat, lon)


def _degrees(text: str) -> str | float:
    """Read XMP's `41,22.8N` or `41,22,48N`; anything else is left to `read_fix` to judge."""
    found = _DEGREES.fullmatch(text)
    if not found:
        return text
    degrees, minutes, seconds, side = found.groups()
    value = float(degrees) + float(minutes) / 60 + float(seconds or 0) / 3600
    return -value if side in "SW" else value
