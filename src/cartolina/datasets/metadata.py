"""All that is known of one photo: what is embedded in it, what lies beside it, what its RAW adds.

Every reader gets a photo's metadata here, so that all mean the same by it. Sources come in this order:

1. sidecars, `.txt`, `.json`, `.xmp` (sidecars.py): somebody wrote them after the photo was taken;
2. EXIF, XMP, IPTC embedded in the photo;
3. EXIF, XMP, IPTC embedded in the RAW that is stacked with it.

Words of all are joined, each once. Place and date are the first found; where a later source says another
one, `problems` has a note "sources disagree" that names both and which was taken.

>>> read_metadata(Path("beach.jpg")).place   # doctest: +SKIP
Place(lat=41.38, lon=2.17)
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING

from cartolina.datasets.exif import describe_exif
from cartolina.datasets.fields import PhotoMetadata, merge
from cartolina.datasets.formats import formats, silence_pillow
from cartolina.datasets.iptc import iptc_in, parse_iptc
from cartolina.datasets.png import SIGNATURE, png_metadata
from cartolina.datasets.raw import NoPreview, is_raw, read_preview
from cartolina.datasets.xmp import parse_xmp

if TYPE_CHECKING:
    from PIL.Image import Exif
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

__all__ = ["DISAGREE", "PhotoMetadata", "Sources", "describe_photo", "read_metadata", "reconciled"]

DISAGREE = "sources disagree"
"""The reason of a note that a photo's sources have different places or dates; nothing was dropped."""

FAR_KM = 1.0
"""Places that are further apart are different ones."""

LATER = timedelta(minutes=1)
"""Dates that are further apart are different ones …"""

ANOTHER_DAY = timedelta(days=1)
"""… or this, where only one has a time zone, or a time at all."""

_FIRST_RAW = 1990  # digital cameras with RAW files are younger
_LIKE_TIFF = (b"*\0", b"\0*", b"RO", b"RS", b"OR", b"U\0")  # Olympus and Panasonic have letters of their own
_PHOTOSHOP_IPTC, _TIFF_XMP, _TIFF_IPTC = 0x0404, 700, 33723

Sources = Iterable[tuple[str, PhotoMetadata]]
"""What says something of a photo, by a name for people ("EXIF", "beach.xmp"), the most trusted first."""


def read_metadata(image: Path | bytes) -> PhotoMetadata:
    """Read a photo's embedded captions, tags, place, date and orientation, without decoding its pixels.

    XMP's words come before IPTC's (programs that write both keep XMP newer), EXIF's place before XMP's.
    A part that cannot be read is dropped and told in `problems` as "bad metadata"; a file that is no
    picture has no metadata. Raises `OSError` only when the file cannot be opened.
    """
    return reconciled(_embedded(image))


def describe_photo(image: Path | bytes, beside: Sources, raws: Sequence[Path] = ()) -> PhotoMetadata:
    """All that is known of a photo: what lies `beside` it, what is in it and in its `raws`.

    Raises `OSError` when the photo cannot be opened; a RAW beside it that cannot is told in `problems`.
    """
    return reconciled([*beside, *_embedded(image), *_of_raws(raws)])


def reconciled(sources: Sources) -> PhotoMetadata:
    """Join what sources say as `merge` does, with a note where they disagree on the place or the date."""
    sources = tuple(sources)
    joined = merge(said for _, said in sources)
    notes = [*_other_places(sources), *_other_dates(sources)]
    return replace(joined, problems=(*joined.problems, *((DISAGREE, note) for note in notes)))


def _other_places(sources: Sources) -> Iterator[str]:
    found = [(name, said.place) for name, said in sources if said.place]
    if len({place for _, place in found}) < 2:
        return
    from cartolina.geo.distance import haversine_km

    winner, here = found[0]
    others = []
    for name, there in found:
        far = float(haversine_km(here.lat, here.lon, there.lat, there.lon))
        if far > FAR_KM:
            others.append(f"{name} {there.lat:.5f}, {there.lon:.5f} ({far:,.0f} km away)")
    if others:
        yield f"place: {winner} says {here.lat:.5f}, {here.lon:.5f}, which is kept; {', '.join(others)}"


def _other_dates(sources: Sources) -> Iterator[str]:
    found = [(name, said.taken) for name, said in sources if said.taken]
    others = [f"{name} {taken}" for name, taken in found[1:] if _differ(found[0][1], taken)]
    if others:
        yield f"date: {found[0][0]} says {found[0][1]}, which is kept; {', '.join(others)}"


def _differ(one: datetime, other: datetime) -> bool:
    zoned = (one.tzinfo is not None, other.tzinfo is not None)
    one, other = (one, other) if all(zoned) else (one.replace(tzinfo=None), other.replace(tzinfo=None))
    # Midnight sharp is a day without a time; a time without a zone is up to 14 hours away from UTC.
    vague = any(zoned) != all(zoned) or time() in (one.time(), other.time())
    return abs(one - other) > (ANOTHER_DAY if vague else LATER)


def _embedded(image: Path | bytes) -> list[tuple[str, PhotoMetadata]]:
    silence_pillow()  # Pillow warns of damaged tags; `problems` tells what was lost
    with io.BytesIO(image) if isinstance(image, bytes) else image.open("rb") as file:
        if is_raw(file):
            return _in_raw(image, file)
        signature = file.read(len(SIGNATURE))
        file.seek(0)
        return _in_png(file) if signature == SIGNATURE else _in_picture(file)


def _in_picture(file: IO[bytes]) -> list[tuple[str, PhotoMetadata]]:
    from PIL import Image

    try:
        opened = Image.open(file, formats=formats())
    except Exception:  # noqa: BLE001  # on hostile bytes Pillow raises nearly anything
        return []
    blocks = opened.info.get("photoshop")  # JPEG: Photoshop's resources in APP13
    iptc = blocks.get(_PHOTOSHOP_IPTC) if isinstance(blocks, dict) else None
    return _parts(
        lambda: Image.Image.getexif(opened),
        opened.info.get("xmp"),
        iptc or _as_it_lies(getattr(opened, "tag_v2", None), _TIFF_IPTC),
    )


def _in_png(file: IO[bytes]) -> list[tuple[str, PhotoMetadata]]:
    found, problems = png_metadata(file)

    told = PhotoMetadata(problems=tuple(("bad metadata", problem) for problem in problems))
    return [
        *_parts(lambda: _exif(found.get("exif", b"")), found.get("xmp"), iptc_in(found.get("iptc", b""))),
        ("PNG", told),
    ]


def _in_raw(image: Path | bytes, file: IO[bytes]) -> list[tuple[str, PhotoMetadata]]:
    """What the RAW's own directories say, if it has such as TIFF has; else what its preview does."""
    from PIL import Image

    exif, head = Image.Exif(), file.read(8)
    parts = []
    if head[2:4] in _LIKE_TIFF:
        exif.endian = "<" if head[:2] == b"II" else ">"
        (start,) = struct.unpack(exif.endian + "I", head[4:])
        try:
            exif.load_from_fp(file, start)
        except Exception as error:  # noqa: BLE001  # as in `_guard`
            parts.append(("EXIF", PhotoMetadata(problems=(("bad metadata", f"EXIF: {error}"),))))
        else:
            directory = exif._info
            parts += _parts(
                lambda: exif, _as_it_lies(directory, _TIFF_XMP), _as_it_lies(directory, _TIFF_IPTC)
            )
    if any(said.taken for _, said in parts):
        return parts
    try:
        preview = read_preview(image)
    except NoPreview:  # whoever wants its pixels is told
        return parts
    if isinstance(preview.picture, bytes):
        parts += _embedded(preview.picture)
    if preview.exif:
        known = _guard("EXIF", lambda: describe_exif(_exif(preview.exif)))
        if known.taken and known.taken.year < _FIRST_RAW:  # no date is written as Unix time zero
            known = replace(known, taken=None)
        parts.append(("LibRaw", known))
    return parts


def _of_raws(raws: Sequence[Path]) -> Iterator[tuple[str, PhotoMetadata]]:
    for raw in raws:
        try:
            parts = _embedded(raw)
        except OSError as error:
            parts = [("", PhotoMetadata(problems=(("bad metadata", error.strerror or str(error)),)))]
        for name, said in parts:
            problems = tuple((reason, f"{raw.name}: {detail}") for reason, detail in said.problems)
            yield f"{raw.name}'s {name}", replace(said, orientation=1, problems=problems)


def _parts(exif: Callable[[], Exif], xmp: object, iptc: object) -> list[tuple[str, PhotoMetadata]]:
    parts = [("EXIF", _guard("EXIF", lambda: describe_exif(exif())))]
    if isinstance(xmp, bytes):
        parts.append(("XMP", _guard("XMP", lambda: parse_xmp(xmp))))
    if isinstance(iptc, bytes):
        parts.append(("IPTC", parse_iptc(iptc)))
    return parts


def _exif(block: bytes) -> Exif:
    from PIL import Image

    exif = Image.Exif()
    exif.load(block)
    return exif


def _guard(what: str, read: Callable[[], PhotoMetadata]) -> PhotoMetadata:
    try:
        return read()
    except Exception as error:  # noqa: BLE001  # a damaged part must not cost the photo, nor the next part
        return PhotoMetadata(problems=(("bad metadata", f"{what}: {error}"),))


def _as_it_lies(directory: ImageFileDirectory_v2 | None, tag: int) -> bytes | None:
    # As the tag lies in the file, which is how Pillow's own IPTC reader takes it: many programs declare
    # these bytes as 32-bit numbers, of which a directory's value would be the first.
    return None if directory is None else directory._tagdata.get(tag)
