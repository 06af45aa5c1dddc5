"""What a filter's value may be: `tag:dog`, `date:2019-07..`, `type:png`, `has:place`.

Checked when it is written, so that a slip is told before anything is searched.
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from datetime import date
from difflib import get_close_matches

from cartolina.errors import QueryError
from cartolina.query.lexicon import checked, phrase

__all__ = ["EXAMPLES", "FILE_TYPES", "HAS", "date_range", "filter_value"]

FILE_TYPES: dict[str, tuple[str, ...]] = {
    "avif": ("avif",),
    "bmp": ("bmp",),
    "gif": ("gif",),
    "heic": ("heic", "heif"),
    "jpeg": ("jpeg", "jpg"),
    "png": ("png",),
    "tiff": ("tiff", "tif"),
    "webp": ("webp",),
}
"""Canonical type → the endings of its files."""

EXAMPLES = {
    "tag": "tag:dog",
    "text": 'text:"red car"',
    "date": "date:2019",
    "folder": "folder:rome",
    "type": "type:jpeg",
    "has": "has:place",
}

HAS = ("place", "text", "tags", "date")

_DAY = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")


def filter_value(key: str, value: str) -> str:
    """`value` as a filter `key` keeps it; raises `QueryError` where it cannot mean anything."""
    # A folder's name may hold two spaces.
    value = unicodedata.normalize("NFC", checked(value)) if key == "folder" else phrase(value)
    if key == "tag":
        value = value.removeprefix("#")
    if not value:
        raise QueryError(f"{key}: needs a value: write {EXAMPLES[key]}")
    if key == "date":
        date_range(value)
    if key == "type":
        return _type(value)
    return _has(value) if key == "has" else value


def date_range(value: str) -> tuple[date, date]:
    """First and last day, both included, of YYYY, YYYY-MM, YYYY-MM-DD or a range `a..b` (either may be open).

    >>> date_range("2019-02..2020")
    (datetime.date(2019, 2, 1), datetime.date(2020, 12, 31))
    """
    first, dots, last = value.partition("..")
    if not dots:
        return _days(value, value)
    if not first and not last:
        raise _bad_date(value)
    start = _days(first, value)[0] if first else date.min
    end = _days(last, value)[1] if last else date.max
    if start > end:
        raise QueryError(f"date:{value} ends before it begins: write date:{last}..{first}")
    return start, end


def _days(written: str, value: str) -> tuple[date, date]:
    match = _DAY.fullmatch(written)
    if not match:
        raise _bad_date(value)
    year, month, day = (int(part) if part else None for part in match.groups())
    try:
        start = date(year or 0, month or 1, day or 1)
    except ValueError as error:
        raise _bad_date(value) from error
    last_month = month or 12
    last_day = day or calendar.monthrange(start.year, last_month)[1]
    return start, date(start.year, last_month, last_day)


def _bad_date(value: str) -> QueryError:
    return QueryError(
        f"date:{value} is no date: write date:2019, date:2019-07, date:2019-07-14, "
        "or a range: date:2018..2020, date:2019-07.., date:..2019"
    )


def _type(value: str) -> str:
    ending = value.lower().removeprefix(".")
    for name, endings in FILE_TYPES.items():
        if ending in endings:
            return name
    raise QueryError(f"type:{value} is not known{_guess('type', ending, FILE_TYPES)}")


def _has(value: str) -> str:
    wanted = value.lower()
    for name in HAS:
        if wanted in (name, name.removesuffix("s")):
            return name
    raise QueryError(f"has:{value} is not known{_guess('has', wanted, HAS)}")


def _guess(key: str, given: str, known: tuple[str, ...] | dict[str, tuple[str, ...]]) -> str:
    near = get_close_matches(given, known, n=1, cutoff=0.5)
    guess = f": did you mean {key}:{near[0]}? Write" if near else ": write"
    return f"{guess} {key}: with one of {', '.join(known)}"
