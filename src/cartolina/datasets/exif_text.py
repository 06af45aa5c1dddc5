"""EXIF as text, the way ExifRead prints it and img2dataset keeps it: the pictures it writes have none left.

"EXIF DateTimeOriginal": "2014:07:11 12:00:01", "GPS GPSLatitude": "[41, 23, 617/50]", …
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction

from cartolina.datasets.exif import degrees
from cartolina.datasets.fields import PhotoMetadata, read_fix, read_taken
from cartolina.errors import InputError

__all__ = ["describe_exif_text"]

_DATES = ("EXIF DateTimeOriginal", "EXIF DateTimeDigitized", "Image DateTime")


def describe_exif_text(exif: object) -> PhotoMetadata:
    """Read place and date from an object of such keys, or its JSON; what makes no sense is in `problems`."""
    try:
        values = json.loads(exif) if isinstance(exif, str) and exif.strip() else exif
    except (ValueError, RecursionError) as error:
        return PhotoMetadata(problems=(("bad metadata", f"EXIF: {error}"),))
    if not isinstance(values, Mapping):
        return PhotoMetadata()
    problems = []
    place = taken = None
    try:
        sides = [values.get(f"GPS GPS{name}Ref") for name in ("Latitude", "Longitude")]
        lat, lon = (_parts(values.get(f"GPS GPS{name}")) for name in ("Latitude", "Longitude"))
        if lat and lon:
            place = read_fix(degrees(lat, sides[0], "NS"), degrees(lon, sides[1], "EW"))
    except InputError as error:
        problems.append(("bad coordinates", f"EXIF {error}"))
    try:
        taken = read_taken(next((values[name] for name in _DATES if values.get(name)), None))
    except InputError as error:
        problems.append(("bad date", f"EXIF {error}"))
    return PhotoMetadata(place=place, taken=taken, problems=tuple(problems))


def _parts(written: object) -> tuple[float, ...]:
    """`[41, 23, 617/50]` as numbers."""
    if not isinstance(written, str) or not written.strip("[] "):
        return ()
    try:
        return tuple(float(Fraction(part.strip())) for part in written.strip("[] ").split(","))
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise InputError(f"coordinate {written[:80]!r} is not degrees, minutes, seconds") from error
