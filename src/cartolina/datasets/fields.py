"""What goes with a photo, as values: captions, tags, a place and a date from however they were written.

>>> hashtags("Sunset at the #beach#sea, #Año2024 (no C#, no #1)")
('beach', 'sea', 'Año2024')
>>> read_tags("sunset; New York;#beach")
('sunset', 'New York', 'beach')
"""

from __future__ import annotations

import html
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from pathlib import Path

from cartolina.errors import InputError
from cartolina.post import Place, Post

__all__ = [
    "PhotoMetadata",
    "clean",
    "distinct",
    "hashtags",
    "is_blank",
    "is_file_name",
    "levels",
    "merge",
    "read_captions",
    "read_epoch",
    "read_fix",
    "read_place",
    "read_tags",
    "read_taken",
    "without_html",
]


@dataclass(frozen=True, slots=True)
class PhotoMetadata:
    """What one source (a file's EXIF, a sidecar, a table's row) says of a photo.

    `orientation` is EXIF's, 1 to 8 (1: upright). `problems` are (reason, detail) of what was dropped.
    `is_trash` says that its owner threw it away.
    """

    captions: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    place: Place | None = None
    taken: datetime | None = None
    orientation: int = 1
    problems: tuple[tuple[str, str], ...] = ()
    is_trash: bool = False

    def post(self, post_id: str, image: Path | bytes | None, labels: tuple[str, ...] = ()) -> Post:
        """Make the post; hashtags inside the captions join its tags."""
        tags = distinct((*self.tags, *(tag for caption in self.captions for tag in hashtags(caption))))
        return Post(post_id, image, self.captions, tags, self.place, self.taken, labels)


def merge(parts: Iterable[PhotoMetadata]) -> PhotoMetadata:
    """Join what several sources say: all words once, the first place, date (`_first_date`) and turn."""
    parts = tuple(parts)
    return PhotoMetadata(
        captions=distinct(caption for part in parts for caption in part.captions),
        tags=distinct(tag for part in parts for tag in part.tags),
        place=next((part.place for part in parts if part.place), None),
        taken=_first_date([part.taken for part in parts if part.taken]),
        orientation=next((part.orientation for part in parts if part.orientation != 1), 1),
        problems=tuple(dict.fromkeys(problem for part in parts for problem in part.problems)),
        is_trash=any(part.is_trash for part in parts),
    )


_FARTHEST, _SAME = timedelta(hours=14), timedelta(minutes=1)


def _first_date(dates: Sequence[datetime]) -> datetime | None:
    """The first date; where it is in UTC and another is the same moment in local time, that other one.

    What was taken on New Year's Eve in Kyoto is looked for under that date, not under the date in Greenwich.
    """
    if not dates or dates[0].utcoffset() != timedelta(0):
        return dates[0] if dates else None
    moment = dates[0].replace(tzinfo=None)
    for other in dates[1:]:
        offset = other.utcoffset()
        local = other.replace(tzinfo=None)
        if abs(local - moment) <= _FARTHEST and (offset is None or abs(local - offset - moment) < _SAME):
            return other
    return dates[0]


def clean(text: str) -> str:
    """NFC, single spaces, and nothing a database or a screen chokes on (controls, lone surrogates)."""
    return unicodedata.normalize("NFC", " ".join(_UNPRINTABLE.sub(" ", text).split()))


_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def without_html(text: str) -> str:
    """Text without the HTML that Flickr allows in it, its entities (`&amp;`) read.

    >>> without_html('See <a href="x">it</a> &amp; go')
    'See it & go'
    """
    return html.unescape(_TAGS.sub("", _BREAKS.sub(" ", text)))


_BREAKS, _TAGS = re.compile(r"<(?:br|/?p)\b[^>]*>", re.IGNORECASE), re.compile(r"</?[A-Za-z][^>]*>")


def distinct(words: Iterable[str]) -> tuple[str, ...]:
    """Drop empty words and repetitions in another case, keeping the order: XMP, IPTC and EXIF agree often."""
    kept: dict[str, str] = {}
    for word in words:
        if word:
            kept.setdefault(word.casefold(), word)
    return tuple(kept.values())


def levels(path: str, separator: str) -> tuple[str, ...]:
    """The levels of a tag within tags, the last first: people search for Rome, for Italy, for Places.

    >>> levels("Places|Italy|Rome", "|")
    ('Rome', 'Italy', 'Places')
    """
    return tuple(level for part in reversed(path.split(separator)) if (level := clean(part)))


def is_file_name(title: str) -> bool:
    """Whether a title is what a camera called the file ("DSC_0042", "lake.jpg"): it says nothing."""
    return bool(_FILE_NAME.fullmatch(title))


_FILE_NAME = re.compile(r"[A-Z_]{0,6}[_-]?\d{3,}[\w()~.-]*|.*\.(?i:jpe?g|png|heic|tiff?|dng)")


_HASHTAGS = re.compile(r"(?<![\w&/#＃])(?:[#＃][^\s#＃]+)+")


def hashtags(caption: str) -> tuple[str, ...]:
    """Find hashtags, without `#`: letters of any script, digits and `_`, at least one letter.

    "#beach#sea" is two; "C#", "#1", "&#39;" and a web address's "/#top" are none.
    """
    found = []
    for run in _HASHTAGS.findall(caption):
        for word in re.split("[#＃]", run)[1:]:
            tag = "".join(takewhile(_in_hashtag, word))
            if any(letter.isalpha() for letter in tag):
                found.append(tag)
    return distinct(found)


def _in_hashtag(letter: str) -> bool:
    # Vowel signs (categories Mn, Mc) are part of a word in Hindi or Thai, though not alphanumeric.
    return letter.isalnum() or letter == "_" or unicodedata.category(letter).startswith("M")


def is_blank(value: object) -> bool:
    """Tell whether a cell says nothing: None or white space."""
    return value is None or (isinstance(value, str) and not value.strip())


def read_captions(value: object) -> tuple[str, ...]:
    """Read a text, or a list of texts, as captions; a missing value (also pandas' NaN) is none."""
    if isinstance(value, list | tuple):
        return distinct(caption for item in value for caption in read_captions(item))
    if value is None or isinstance(value, dict) or (isinstance(value, float) and math.isnan(value)):
        return ()
    return distinct([clean(str(value))])


def read_tags(value: object) -> tuple[str, ...]:
    """Read a list of tags, or one string of them.

    A string is cut at commas, semicolons and bars if it has any, else at white space; Python's or JSON's
    brackets and quotes around the items (what pandas writes) go, and so does a leading `#`.
    """
    if isinstance(value, str):
        text = value.strip()
        if text.startswith("[") and text.endswith("]"):
            text = text[1:-1]
        value = re.split(r"[,;|]", text) if re.search(r"[,;|]", text) else text.split()
        value = [item.strip().strip("'\"") for item in value]
    return distinct(clean(item).lstrip("#＃").strip() for item in read_captions(value))


def read_place(lat: object, lon: object) -> Place | None:
    """Read two coordinates in decimal degrees; None when both are blank.

    Raises `InputError` when they are not two finite numbers in range.
    """
    if is_blank(lat) and is_blank(lon):
        return None
    try:
        return Place(float(lat), float(lon))  # type: ignore[arg-type]  # whatever it is, float() judges it
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"coordinates ({lat}, {lon}) are not two numbers in degrees") from error


def read_fix(lat: object, lon: object) -> Place | None:
    """Read what a receiver wrote as `read_place` does, but refuse (0, 0): a receiver without a fix."""
    place = read_place(lat, lon)
    if place and place.lat == place.lon == 0:
        raise InputError("coordinates (0, 0) are a receiver without a fix")
    return place


_EXIF_DATE = re.compile(r"(\d{4}):(\d\d):(\d\d)(?=\D|$)")
_EPOCH_DIGITS = re.compile(r"\d{9,10}(\.\d+)?|\d{12,13}")


def read_taken(value: object) -> datetime | None:
    """Read a date: ISO 8601, EXIF's `2019:07:04 12:34:56`, or Unix time in seconds or milliseconds (UTC).

    None for a blank and for EXIF's "unknown" (zeros); the time zone is kept where one is written.
    Raises `InputError` for anything else.
    """
    if isinstance(value, date):  # a datetime too, also pandas' kind of it
        return datetime.fromisoformat(value.isoformat())
    text = "" if value is None else str(value).strip(" \t\r\n\0")
    if not text.strip("0:/- "):
        return None
    try:
        if _EPOCH_DIGITS.fullmatch(text):
            seconds = float(text)
            return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
        return datetime.fromisoformat(_EXIF_DATE.sub(r"\1-\2-\3", text, count=1))
    except (ValueError, OverflowError, OSError) as error:
        raise InputError(f"date {text[:40]!r} is neither ISO 8601 nor EXIF's nor Unix time") from error


def read_epoch(value: object) -> datetime | None:
    """Read seconds since 1970, before it too (a scanned print's), as UTC; None for a blank.

    Raises `InputError` for anything else.
    """
    if value is None or is_blank(value):
        return None
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=float(str(value)))
    except (ValueError, OverflowError) as error:
        raise InputError(f"date {str(value)[:40]!r} is no number of seconds since 1970") from error
