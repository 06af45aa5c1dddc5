"""The JSON file that Google Photos' export (Takeout) puts beside each photo: its name and what it says.

    IMG_1.jpg            IMG_1.jpg.supplemental-metadata.json       since 2024; before: IMG_1.jpg.json
    IMG_1(1).jpg         IMG_1.jpg.supplemental-metadata(1).json    another IMG_1.jpg of the same folder
    IMG_1-edited.jpg     the original's                             also -bearbeitet, -modifié, ~2 …
    Screenshot_20231027_123303_Facebook.jpg
                         Screenshot_20231027_123303_Facebook.jpg.supple.json

The name, without `(1)` and `.json`, is cut to 46 characters, which are counted as JavaScript does (an emoji
is two); so may the photo's own name be.

>>> find("IMG_1(1).jpg", ["img_1.jpg.json", "img_1.jpg.supplemental-metadata(1).json"])
'img_1.jpg.supplemental-metadata(1).json'
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from typing import Any

from cartolina.datasets.fields import PhotoMetadata, read_captions, read_epoch, read_place
from cartolina.errors import InputError
from cartolina.post import Place

__all__ = ["find", "is_google", "parse"]

_LONGEST = 46
_ADDED = ".supplemental-metadata"
_NUMBERED = re.compile(r"(.+)(\(\d+\))")
_EDITED = re.compile(r"(.+)(?:-[^\W\d_]{2,}(?: [^\W\d_]+)?|~\d+)(\(\d+\))?")
_OTHERS = (".HEIC", ".JPG", ".JPEG", ".PNG", ".DNG", ".WEBP")  # an edited copy may be of another kind


def find(photo: str, names: Container[str]) -> str | None:
    """Which of `names`, all in small letters, is that of the JSON for the file named `photo`.

    Whether it is Google's at all is for `is_google` to say.
    """
    return next((name for name in _candidates(photo) if name in names), None)


def _candidates(photo: str) -> Iterator[str]:
    stem, dot, suffix = photo.rpartition(".")
    if not stem:
        stem, dot, suffix = photo, "", ""
    yield from _names(photo)
    if numbered := _NUMBERED.fullmatch(stem):
        alone = numbered[1] + dot + suffix
        yield from _names(alone, numbered[2])
        if _cut(alone) != alone:  # of names that are cut, the second's number may be nowhere
            yield from _names(alone)
    yield from _names(stem)  # the name it was given without a suffix
    if edited := _EDITED.fullmatch(stem):
        original = edited[1] + (edited[2] or "")
        for other in dict.fromkeys((dot + suffix, *_OTHERS)):
            yield from _candidates(original + other)


def _names(photo: str, number: str = "") -> Iterator[str]:
    name = photo.casefold()
    for length in range(len(_ADDED), -1, -1):  # wherever it was cut
        yield f"{name}{_ADDED[:length]}{number}.json"
    if (cut := _cut(photo)) != photo:
        yield f"{cut.casefold()}{number}.json"


def _cut(name: str) -> str:
    return name.encode("utf-16-le", "surrogatepass")[: 2 * _LONGEST].decode("utf-16-le", "ignore")


def is_google(values: object) -> bool:
    """Tell Google's JSON from another program's."""
    return isinstance(values, dict) and isinstance(values.get("photoTakenTime", values.get("geoData")), dict)


def parse(values: Mapping[str, Any]) -> PhotoMetadata:
    """What the JSON says: description, the names of people as tags, place, moment (UTC), whether it is trash.

    Its `title` is the file's name and no caption. `geoData` is where Google or the owner put the photo,
    `geoDataExif` where the camera did; zeros are neither.
    """
    problems = []
    place = taken = None
    try:
        place = next(filter(None, (_place(values.get(key)) for key in ("geoData", "geoDataExif"))), None)
    except InputError as error:
        problems.append(("bad coordinates", str(error)))
    try:
        moment = values.get("photoTakenTime")
        taken = read_epoch(moment.get("timestamp")) if isinstance(moment, dict) else None
    except InputError as error:
        problems.append(("bad date", str(error)))
    people = values.get("people")
    named = people if isinstance(people, list) else []
    return PhotoMetadata(
        captions=read_captions(values.get("description")),
        tags=tuple(name for one in named if isinstance(one, dict) for name in read_captions(one.get("name"))),
        place=place,
        taken=taken,
        problems=tuple(problems),
        is_trash=values.get("trashed") is True,
    )


def _place(geo: object) -> Place | None:
    if not isinstance(geo, dict):
        return None
    place = read_place(geo.get("latitude"), geo.get("longitude"))
    return place if place and (place.lat or place.lon) else None
