"""XMP: the RDF that photo programs write into pictures and into `.xmp` files beside them.

Words: `dc:description` (one text per language), `photoshop:Headline` and `dc:title`; keywords flat in
`dc:subject`, as paths in the lists of `HIERARCHIES`; the place's names and who is in the picture are tags
as well. Because sidecars of RAW workflows have nothing else, also `exif:GPSLatitude/GPSLongitude` and the
date taken.
Source: Adobe, XMP Specification Part 1 (2012), sections 7 and C.2; IPTC Photo Metadata Standard 2023;
Metadata Working Group, Guidelines 2.0 (2010), 5.9.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cartolina.datasets.fields import (
    PhotoMetadata,
    clean,
    distinct,
    is_file_name,
    levels,
    read_fix,
    read_taken,
)
from cartolina.errors import InputError
from cartolina.post import Place

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["HIERARCHIES", "parse_document", "parse_xmp"]

HIERARCHIES = {
    "{http://ns.adobe.com/lightroom/1.0/}hierarchicalSubject": "|",
    "{http://www.digikam.org/ns/1.0/}TagsList": "/",
    "{http://ns.microsoft.com/photo/1.0/}LastKeywordXMP": "/",
    "{http://ns.iview-multimedia.com/mediapro/1.0/}CatalogSets": "|",
}
"""Lists of tags within tags, `Places|Italy|Rome`, and what parts their levels (Lightroom, digiKam, Windows,
Media Pro; digiKam writes all four)."""

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_EXIF = "{http://ns.adobe.com/exif/1.0/}"
_PHOTOSHOP = "{http://ns.adobe.com/photoshop/1.0/}"
_NAMES_OF_THE_PLACE = (
    "{http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/}Location",
    f"{_PHOTOSHOP}City",
    f"{_PHOTOSHOP}State",
    f"{_PHOTOSHOP}Country",
)
_PERSONS = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}PersonInImage"
_FACES = (  # named areas: Picasa, digiKam and Lightroom write the first, Windows the second
    "{http://www.metadataworkinggroup.com/schemas/regions/}Name",
    "{http://ns.microsoft.com/photo/1.2/t/Region#}PersonDisplayName",
)
_DATES = (
    f"{_EXIF}DateTimeOriginal",
    f"{_PHOTOSHOP}DateCreated",
    "{http://ns.adobe.com/xap/1.0/}CreateDate",
)
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_DEGREES = re.compile(r"(\d+),(\d+(?:\.\d+)?)(?:,(\d+(?:\.\d+)?))?([NSEW])")


def parse_xmp(data: bytes) -> PhotoMetadata:
    """Read keywords as tags and descriptions as captions, the default language first.

    A path of keywords gives each of its levels, but for one that stands in `dc:subject` whole: it is a
    keyword with a stroke in it. Raises `InputError` when it is not XML, or declares a document type: that
    is how entity bombs and reads of other files begin, and no photo program writes one.
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
    titles = [title for title in _texts(blocks, f"{_DC}title") if not is_file_name(title)]
    described = _texts(blocks, f"{_DC}description") + _texts(blocks, f"{_PHOTOSHOP}Headline")
    places = (text for name in _NAMES_OF_THE_PLACE for text in _texts(blocks, name))
    return PhotoMetadata(
        captions=distinct([*described, *titles]),
        tags=distinct([*_keywords(blocks), *_texts(blocks, _PERSONS), *_faces(root), *places]),
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


def _keywords(blocks: list[Element]) -> Iterator[str]:
    flat = _texts(blocks, f"{_DC}subject")
    whole = {keyword.casefold() for keyword in flat}
    for keyword in flat:
        yield from levels(keyword.lstrip("#"), "|")  # Bridge writes whole paths here, too
    for name, separator in HIERARCHIES.items():
        for path in _texts(blocks, name):
            if path.casefold() not in whole:
                yield from levels(path, separator)


def _faces(root: Element) -> Iterator[str]:
    for element in root.iter():
        for name in _FACES:
            yield clean(element.get(name, ""))
            if element.tag == name:
                yield clean("".join(element.itertext()))


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
