"""Which column of a table, or key of a JSON object, plays which part in a post.

>>> assign(["File Name", "caption", "lat", "lng"], parse_columns("text=caption"))
{'text': 'caption', 'image': 'File Name', 'lat': 'lat', 'lon': 'lng'}
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from cartolina.datasets.fields import PhotoMetadata, read_captions, read_place, read_tags, read_taken
from cartolina.errors import InputError, UnknownName

__all__ = ["ROLES", "assign", "describe_row", "parse_columns"]

# Each role's usual names, the likeliest first; compared in lower case with `_` between words.
ROLES: dict[str, tuple[str, ...]] = {
    "id": ("id", "post_id", "photo_id", "image_id", "photoid", "shortcode", "key"),
    "image": (
        "image", "image_path", "path", "file_path", "filepath", "file_name", "filename", "image_file",
        "image_name", "file", "img", "img_path", "photo", "picture", "local_path", "jpg", "png", "webp",
    ),
    "text": ("text", "caption", "captions", "sentence", "sentences", "description", "comment", "title"),
    "tags": ("tags", "hashtags", "tag", "keywords", "user_tags"),
    "lat": ("lat", "latitude", "gps_latitude", "gpslatitude"),
    "lon": ("lon", "lng", "long", "longitude", "gps_longitude", "gpslongitude"),
    "taken": ("taken", "date_taken", "taken_at", "datetime", "date", "timestamp", "created_at"),
    "split": ("split", "subset", "partition"),
    "label": ("label", "labels", "class", "category"),
}  # fmt: skip


def parse_columns(columns: str | Mapping[str, str] | None) -> dict[str, str]:
    """Read `image=path,text=caption` (or the same as a mapping) as role → column name.

    An empty column name says that no column plays the role. Raises `InputError` for what is not
    `role=column`, `UnknownName` for a role that is none of `ROLES`.
    """
    if isinstance(columns, str):
        pairs = [part.partition("=") for part in columns.split(",") if part.strip()]
        if bad := [role for role, equals, _ in pairs if not equals]:
            raise InputError(
                f"--columns has {bad[0]!r} where role=column was expected, e.g. image=path,text=caption"
            )
        columns = {role.strip(): column.strip() for role, _, column in pairs}
    for role in columns or {}:
        if role not in ROLES:
            raise UnknownName("column role", role, ROLES)
    return dict(columns or {})


def assign(names: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """Give each role its column: the `given` one, else the first of its usual names among `names`.

    Raises `UnknownName` when a given column is not there.
    """
    for column in given.values():
        if column and column not in names:
            raise UnknownName("column", column, names)
    roles = {role: column for role, column in given.items() if column}
    known = {_normal(name): name for name in reversed(names) if name not in roles.values()}
    for role, usual in ROLES.items():
        if role not in given and (found := next((known[name] for name in usual if name in known), None)):
            roles[role] = found
    return roles


def _normal(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_")


def describe_row(row: Mapping[str, object], roles: Mapping[str, str]) -> PhotoMetadata:
    """Read a row's caption, tags, place and date; what makes no sense is dropped and told in `problems`."""
    cells = {role: row.get(column) for role, column in roles.items()}
    problems = []
    place = taken = None
    try:
        place = read_place(cells.get("lat"), cells.get("lon"))
    except InputError as error:
        problems.append(("bad coordinates", str(error)))
    try:
        taken = read_taken(cells.get("taken"))
    except InputError as error:
        problems.append(("bad date", str(error)))
    return PhotoMetadata(
        captions=read_captions(cells.get("text")),
        tags=read_tags(cells.get("tags")),
        place=place,
        taken=taken,
        problems=tuple(problems),
    )
