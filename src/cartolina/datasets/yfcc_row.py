"""A line of yfcc100m_dataset, and of the places expansion, as values.

>>> read_places("2346577:Catalonia:State,753692:Barcelona:Town,28350859:Europe%2FMadrid:Timezone")
('state:Catalonia', 'town:Barcelona')
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from cartolina.datasets.encoding import decode
from cartolina.datasets.fields import clean, distinct
from cartolina.errors import InputError

__all__ = ["Row", "read_places", "read_row", "unquoted"]

_COLUMNS = {25: 3, 23: 1}
"""How many columns a line has, and how many come before the user's: line number, id, hash; or only the id."""


@dataclass(frozen=True, slots=True)
class Row:
    """One photo or video; column 0 is the line's number, the last, 24, says which of the two it is.

    Coordinates, accuracy (1, the world, to 16, a street) and dates are as they are written, "" where they
    are not known; `taken` is the camera's clock. Words are decoded; `machine_tags` are `name:key=value`.
    """

    id: str  # 1
    hash: str  # 2; "" in lines of 23 columns, which begin with the id
    user: str  # 3
    taken: str  # 5
    title: str  # 8
    description: str  # 9
    tags: tuple[str, ...]  # 10
    machine_tags: tuple[str, ...]  # 11
    lon: str  # 12
    lat: str  # 13
    accuracy: str  # 14
    url: str  # 16, of the photo's file at Flickr
    is_video: bool  # 24


def read_row(line: str) -> Row:
    """Read a line; raises `InputError` where it has another number of columns, or no id."""
    cells = line.split("\t")
    start = _COLUMNS.get(len(cells))
    if start is None:
        raise InputError(f"{len(cells)} columns where 25 (or 23) were expected: {line[:80]!r}")
    post_id = cells[start // 2]  # before the hash, where there is one
    if not (post_id.isdecimal() and post_id.isascii() and len(post_id) <= 20):
        raise InputError(f"{post_id[:80]!r} is no number of a photo")
    user, _, taken, _, _, title, description, tags, machine, lon, lat, accuracy, _, url = cells[
        start : start + 14
    ]
    return Row(
        id=post_id,
        hash=cells[2] if start == 3 else "",
        user=user,
        taken="" if taken == "null" else taken,
        title=unquoted(title),
        description=unquoted(description),
        tags=_tags(tags),
        machine_tags=_tags(machine),
        lon=lon,
        lat=lat,
        accuracy=accuracy,
        url=url,
        is_video=cells[-1].strip() == "1",
    )


def unquoted(text: str) -> str:
    """Decode `%C3%A9` and `+` (a space); bytes that are no UTF-8 are read as Western, other signs stay."""
    if "%" not in text and "+" not in text:
        return text
    return decode(unquote_to_bytes(text.replace("+", " ")))


def _tags(cell: str) -> tuple[str, ...]:
    return distinct(clean(unquoted(tag)) for tag in cell.split(",")) if cell else ()


def read_places(cell: str) -> tuple[str, ...]:
    """Read `woeid:name:Kind,…` as `kind:name`, in that order; time zones are no places and left out."""
    labels = []
    for place in cell.split(",") if cell else ():
        _, _, rest = place.partition(":")
        name, colon, kind = rest.rpartition(":")
        if colon and name and kind and kind != "Timezone":
            labels.append(f"{clean(unquoted(kind)).lower()}:{clean(unquoted(name))}")
    return distinct(labels)
