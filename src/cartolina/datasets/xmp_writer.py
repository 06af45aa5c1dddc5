"""Words into XMP: a new sidecar, or one that is there with them merged in and all else left as it was.

Tags join `dc:subject`; those taken out leave it and the paths of the hierarchical lists (`Places|Italy|Rome`
without Rome is `Places|Italy`), else the next reading would bring them back. A first caption becomes the
default language's `dc:description`, further ones stand beside it under languages of their own (`x-caption-1`
…, private ones by BCP 47), so that what another program wrote stays what programs show; a place becomes
`exif:GPSLatitude` and `exif:GPSLongitude`.
Source: Adobe, XMP Specification Part 1 (2012), sections 7 and 8; Part 2, 1.2.7.4 (GPSCoordinate).
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree  # builds and writes only; what comes from outside is parsed by defusedxml

from cartolina.datasets.xmp import HIERARCHIES, parse_document
from cartolina.post import Place

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["Words", "merged"]

_META = "{adobe:ns:meta/}"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
DC = "{http://purl.org/dc/elements/1.1/}"
EXIF = "{http://ns.adobe.com/exif/1.0/}"
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_PREFIXES = {"x": _META, "rdf": RDF, "dc": DC, "exif": EXIF}
_HEAD = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
_TAIL = '\n<?xpacket end="w"?>\n'


@dataclass(frozen=True, slots=True)
class Words:
    """What is to be said of a photo: tags and captions to add, tags to take out, a place (None: as it is)."""

    tags: tuple[str, ...] = ()
    not_tags: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()
    place: Place | None = None


def merged(existing: bytes | None, words: Words) -> bytes:
    """The sidecar `existing` (None: there is none) with `words`; the very same bytes where all are there.

    Raises `InputError` for one that is no XMP: it is not ours to overwrite.
    """
    root = ElementTree.Element(f"{_META}xmpmeta") if existing is None else parse_document(existing)
    _keep_prefixes(existing)
    rdf = next(root.iter(f"{RDF}RDF"), None)
    if rdf is None:
        rdf = ElementTree.SubElement(root, f"{RDF}RDF")
    blocks = rdf.findall(f"{RDF}Description")
    if not blocks:
        blocks = [ElementTree.SubElement(rdf, f"{RDF}Description", {f"{RDF}about": ""})]
    changes = (
        _set_tags(blocks, words.tags, words.not_tags),
        _add_captions(blocks, words.captions),
        _set_place(blocks, words.place),
    )
    if existing is not None and not any(changes):
        return existing
    ElementTree.indent(root)
    return (_HEAD + ElementTree.tostring(root, encoding="unicode") + _TAIL).encode()


def _keep_prefixes(existing: bytes | None) -> None:
    """Written again, a namespace keeps the prefix it had: some programs look for prefixes."""
    for prefix, name in _PREFIXES.items():
        ElementTree.register_namespace(prefix, name.strip("{}"))
    if existing is None:
        return
    for _, (prefix, uri) in ElementTree.iterparse(io.BytesIO(existing.strip(b"\0")), events=["start-ns"]):  # noqa: S314  # parsed safely before
        if prefix and not prefix.startswith("ns"):
            ElementTree.register_namespace(prefix, uri)


def _texts(blocks: list[Element], name: str) -> set[str]:
    """What a property says, be it an attribute, an element's text, or a list's items; single spaces."""
    said = [block.get(name, "") for block in blocks]
    for block in blocks:
        for element in block.iterfind(name):
            items = list(element.iter(f"{RDF}li")) or [element]
            said += ["".join(item.itertext()) for item in items]
    return {" ".join(text.split()) for text in said}


def _list(blocks: list[Element], name: str, kind: str) -> Element:
    """The property's list, made of what is there where it is none yet (an attribute, a bare text)."""
    for block in blocks:
        for form in (kind, "Bag", "Seq", "Alt"):
            found = block.find(f"{name}/{RDF}{form}")
            if found is not None:
                return found
    there = next((block for block in blocks if block.find(name) is not None), blocks[0])
    element = there.find(name)
    if element is None:
        element = ElementTree.SubElement(there, name)
    texts = sorted(text for text in _texts(blocks, name) if text)
    for block in blocks:
        block.attrib.pop(name, None)
    element.clear()
    items = ElementTree.SubElement(element, f"{RDF}{kind}")
    for text in texts:
        ElementTree.SubElement(items, f"{RDF}li").text = text
    return items


def _set_tags(blocks: list[Element], tags: tuple[str, ...], not_tags: tuple[str, ...]) -> bool:
    name = f"{DC}subject"
    changed = _take_out(blocks, {_compared(tag) for tag in not_tags})
    there = {text.casefold() for text in _texts(blocks, name)}
    missing = [tag for tag in tags if tag.casefold() not in there]
    if missing:
        bag = _list(blocks, name, "Bag")
        for tag in missing:
            ElementTree.SubElement(bag, f"{RDF}li").text = tag
    return changed or bool(missing)


def _take_out(blocks: list[Element], unwanted: set[str]) -> bool:
    changed = False
    for name, separator in {f"{DC}subject": "|", **HIERARCHIES}.items():
        if all(_without(path, separator, unwanted) == path for path in _texts(blocks, name)):
            continue
        changed = True
        items = _list(blocks, name, "Bag")
        for item in list(items):
            path = "".join(item.itertext())
            rest = _without(path, separator, unwanted)
            if not rest.strip():
                items.remove(item)
            elif rest != path:
                item[:] = []
                item.text = rest
    return changed


def _without(path: str, separator: str, unwanted: set[str]) -> str:
    """A tag within tags without its unwanted levels; empty where it is unwanted itself."""
    if _compared(path) in unwanted:
        return ""
    levels = path.split(separator)
    kept = [level for level in levels if _compared(level) not in unwanted]
    return path if len(kept) == len(levels) else separator.join(kept)


def _compared(tag: str) -> str:
    return " ".join(tag.split()).lstrip("#").casefold()


def _add_captions(blocks: list[Element], captions: tuple[str, ...]) -> bool:
    name = f"{DC}description"
    said = _texts(blocks, name)
    missing = [caption for caption in captions if caption not in said]
    if not missing:
        return False
    alternatives = _list(blocks, name, "Alt")
    for item in alternatives:
        item.attrib.setdefault(LANGUAGE, "x-default")
    taken = {item.get(LANGUAGE) for item in alternatives}
    names = ["x-default", *(f"x-caption-{number}" for number in range(1, len(taken) + len(missing) + 1))]
    free = (language for language in names if language not in taken)
    for caption, language in zip(missing, free, strict=False):
        ElementTree.SubElement(alternatives, f"{RDF}li", {LANGUAGE: language}).text = caption
    return True


def _set_place(blocks: list[Element], place: Place | None) -> bool:
    if place is None:
        return False
    wanted = {
        f"{EXIF}GPSLatitude": _coordinate(place.lat, "NS"),
        f"{EXIF}GPSLongitude": _coordinate(place.lon, "EW"),
    }
    if all(any(block.get(name) == value for block in blocks) for name, value in wanted.items()):
        return False
    for block in blocks:
        for name in wanted:
            block.attrib.pop(name, None)
            for element in block.findall(name):
                block.remove(element)
    blocks[0].attrib.update(wanted)
    return True


def _coordinate(degrees: float, sides: str) -> str:
    """-41.5 -> "41,30.00000S": minutes to 1e-5 are 2 cm."""
    minutes = round(abs(degrees) * 60, 5)
    return f"{int(minutes // 60)},{minutes % 60:.5f}{sides[degrees < 0]}"
