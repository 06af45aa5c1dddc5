"""EXIF: where and when the camera was, and how it was held. Pillow finds the tags; here they become values.

Source: CIPA DC-008 (Exif 2.32), sections 4.6.4-4.6.6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cartolina.datasets.fields import PhotoMetadata, read_fix, read_taken
from cartolina.errors import InputError

if TYPE_CHECKING:
    from datetime import datetime

    from PIL.Image import Exif

    from cartolina.post import Place

__all__ = ["degrees", "describe_exif"]

_ORIENTATION, _DATE_TIME, _EXIF_IFD, _GPS_IFD = 0x0112, 0x0132, 0x8769, 0x8825
_DATE_TIME_ORIGINAL, _DATE_TIME_DIGITIZED, _OFFSET_ORIGINAL, _OFFSET_DIGITIZED = 36867, 36868, 36881, 36882
_LAT_REF, _LAT, _LON_REF, _LON = 1, 2, 3, 4


def describe_exif(exif: Exif) -> PhotoMetadata:
    """Read GPS position, date taken and orientation.

    A position or date that makes no sense is dropped and told in `problems`. Raises whatever Pillow raises
    on damaged tags.
    """
    problems = []
    place = taken = None
    try:
        place = _place(exif.get_ifd(_GPS_IFD))
    except InputError as error:
        problems.append(("bad coordinates", f"EXIF {error}"))
    try:
        taken = _taken(exif)
    except InputError as error:
        problems.append(("bad date", f"EXIF {error}"))
    turn = exif.get(_ORIENTATION, 1)
    return PhotoMetadata(
        place=place,
        taken=taken,
        orientation=turn if turn in range(1, 9) else 1,
        problems=tuple(problems),
    )


def _place(gps: dict[int, Any]) -> Place | None:
    if _LAT not in gps or _LON not in gps:
        return None  # cameras without a fix still write the clock and the version
    lat = degrees(gps[_LAT], gps.get(_LAT_REF), "NS")
    lon = degrees(gps[_LON], gps.get(_LON_REF), "EW")
    return read_fix(lat, lon)


def degrees(value: Any, side: Any, sides: str) -> float:  # noqa: ANN401  # Pillow gives what the file says
    """Turn degrees, minutes, seconds and a hemisphere into signed degrees (0/0 is Pillow's NaN).

    `sides` are the two hemispheres, the positive one first; raises `InputError` for what is no coordinate.
    """
    try:
        parts = [float(part) for part in (value if isinstance(value, tuple) else (value,))]
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise InputError(f"coordinate {value!r} is not degrees, minutes, seconds") from error
    angle: float = sum(part / 60**power for power, part in enumerate(parts[:3]))
    letter = _ascii(side)[:1].upper()
    if not letter or letter not in sides:
        if angle < 0:
            return angle
        raise InputError(f"coordinate {angle} has no hemisphere ({sides[0]} or {sides[1]})")
    return -angle if letter == sides[1] else angle


def _taken(exif: Exif) -> datetime | None:
    details = exif.get_ifd(_EXIF_IFD)
    for date, zone in (
        (details.get(_DATE_TIME_ORIGINAL), details.get(_OFFSET_ORIGINAL)),
        (details.get(_DATE_TIME_DIGITIZED), details.get(_OFFSET_DIGITIZED)),
        (exif.get(_DATE_TIME), None),
    ):
        taken = read_taken(_ascii(date))
        if taken is not None:
            try:
                return read_taken(_ascii(date) + _ascii(zone))
            except InputError:  # many cameras write no zone but its colon
                return taken
    return None


def _ascii(value: object) -> str:
    """Return a tag's text, whether Pillow knew it for text or gave bytes; None is empty."""
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value or "")
    return text.strip(" \0")
