"""GCompris's photos (Debian's `gcompris-qt-data`): landmarks, animals, musicians, paintings, tools, mills.

They lie in Qt resource files, one for an activity: .webp photos, and the QML the activity is made of, which
says what is on them. What each activity gives:

- explore_monuments, explore_world_animals, explore_world_music, explore_farm_animals: a title and a few
  sentences for each photo, and where it is on a map of the world or a country;
- details: landmarks and paintings with a line of text;
- categorization, erase: photos that are named by their file ("solar4", "red_panda").

Coordinates: a landmark's are in `landmarks.py`; a wild animal gets its mark on the map of the world, which is
roughly where it lives (the marks of the musicians are too rough: Ireland's lies beyond the Faroes).

>>> list(photos(Path("/usr/share/gcompris-qt/rcc"), into=Path("demo/photos")))    # doctest: +SKIP
[{'id': 'gcompris/animals/bison', 'image': 'gcompris/animals/bison.webp', 'captions': ['Bison', …], …}, …]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from cartolina.demo.landmarks import LANDMARKS
from cartolina.demo.rcc import RccFile
from cartolina.errors import InputError

__all__ = ["photos"]

Row = dict[str, Any]

EXPLORED = ("explore_monuments", "explore_world_animals", "explore_world_music", "explore_farm_animals")
FILED = ("categorization", "erase")  # a photo's name is all there is
LIVING = "explore_world_animals"  # whose marks on the map of the world are places
# What numbered or clipped names mean, and folders that say nothing as a tag.
KINDS = {"dam": "dam", "solar": "solar power", "geothermal": "hot spring", "plier": "pliers"}
TAGS = {"image": "paintings", "erase": "animals", "others": "objects"}


def photos(folder: Path, into: Path) -> Iterator[Row]:
    """Unpack the photos of the .rcc files in `folder` below `into`; yield a row of a table for each.

    A row has `id`, `image` (relative to `into`), `captions`, `tags`, and `lat` and `lon` where known. The
    READMEs with the photographers and licences are unpacked beside the photos. Raises `InputError` when an
    activity's file is missing or damaged.
    """
    for activity in (*EXPLORED, "details", *FILED):
        path = folder / f"{activity}.rcc"
        if not path.exists():
            raise InputError(f"{path} is missing: is that GCompris's folder of resources?")
        resources = RccFile(path)
        for name, data in resources.items():
            if PurePosixPath(name).name == "README":
                _write(into / _short(name), data)
        for name, row in sorted(_rows(activity, resources)):
            _write(into / row["image"], resources[name])
            yield row


def _rows(activity: str, resources: Mapping[str, bytes]) -> Iterator[tuple[str, Row]]:
    """Each photo's name inside the file, and its row."""
    boards = sorted(name for name in resources if "/board/" in name and name.endswith(".qml"))
    pages = [resources[name].decode() for name in boards]
    if activity in EXPLORED:
        for page in pages:
            for item in map(_fields, re.findall(r"\{([^{}]*)\}", page)):
                name = item.get("image2", "").removeprefix("qrc:/")
                if name in resources:
                    captions = [item[key] for key in ("title", "text") if item.get(key)]
                    yield name, _row(name, captions, _on_map(item) if activity == LIVING else None)
    elif activity == "details":
        for page in pages:
            caption = re.search(r'instruction: *qsTr\("(.*?)"\)', page)
            picture = re.search(r'"(image/\w[^"]*_background\.webp)"', page)
            if caption and picture:
                name = f"gcompris/src/activities/details/resource/{picture[1]}"
                if name in resources:
                    yield name, _row(name, [caption[1]], None)
    else:
        for name in resources:
            if name.endswith(".webp") and not re.search("alphabets|numbers|transparent", name):
                yield name, _row(name, [_caption(name)], None)


def _row(name: str, captions: list[str], place: tuple[float, float] | None) -> Row:
    short = _short(name)
    folder = PurePosixPath(short).parent.name
    landmark = LANDMARKS.get(f"{folder}/{PurePosixPath(short).stem}")
    row: Row = {"id": str(PurePosixPath(short).with_suffix("")), "image": short, "captions": captions}
    row["tags"] = ["landmarks" if landmark else TAGS.get(folder, folder)]
    if landmark:
        place = landmark[1:]
    if place:
        row["lat"], row["lon"] = place
    return row


def _fields(item: str) -> dict[str, str]:
    """The fields of one QML object: `"key": value`, where a value is a string, a number or qsTr("…")."""
    found = re.findall(r'"(\w+)"\s*:\s*(?:qsTr\()?(?:"((?:[^"\\]|\\.)*)"|(-?[\d.]+))', item)
    return {key: re.sub(r"\\(.)", r"\1", text) or number for key, text, number in found}


def _on_map(item: Mapping[str, str]) -> tuple[float, float]:
    """The latitude and longitude of a mark on GCompris's map of the world, in degrees.

    x and y are fractions of the map. It is equirectangular: a straight line through the seven wonders that
    are marked on it too misses none of them by more than 1.2° (fitted 2026-11 to version 3.1).
    """
    lat = -315.84 * float(item["y"]) + 176.36
    lon = 360.14 * float(item["x"]) - 169.72
    return round(min(max(lat, -85.0), 85.0), 2), round((lon + 180) % 360 - 180, 2)


def _caption(name: str) -> str:
    """What a file's name says: "red_panda.webp" → "red panda", "measuringTape3.webp" → "measuring tape"."""
    path = PurePosixPath(name)
    if landmark := LANDMARKS.get(f"{path.parent.name}/{path.stem}"):
        return landmark[0]
    stem = path.stem.rstrip("0123456789")
    return KINDS.get(stem) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", stem).replace("_", " ").lower()


def _short(name: str) -> str:
    """gcompris/src/activities/X/resource/images/Y/z.webp → gcompris/X/Y/z.webp."""
    parts = PurePosixPath(name).parts[3:]
    return "/".join(("gcompris", *(part for part in parts if part not in ("resource", "images"))))


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
