"""What the grammar's signs look like, once for reading and once for deciding what a printed word needs.

A word is whatever stands between white space. Some words begin a clause of another kind (`tag:dog`, `@a.jpg`,
`2*night`, `+`); in quotes none does.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from difflib import SequenceMatcher

from cartolina.errors import QueryError

__all__ = [
    "FILTER_KEYS",
    "KILOMETRES",
    "LATLON",
    "SPACED_WEIGHT",
    "WEIGHT",
    "WITHIN",
    "begins_clause",
    "checked",
    "nearest_key",
    "number",
    "phrase",
    "place",
    "quoted",
    "value",
    "words",
]

FILTER_KEYS = ("tag", "text", "date", "folder", "type", "has")
KILOMETRES = {"m": 0.001, "km": 1.0, "mi": 1.609344}

# ASCII on purpose: other scripts' digits, or ſ for s, are no part of the grammar.
_NUMBER = r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
_SIGNED = rf"[+\-−]?{_NUMBER}"
KEY = re.compile(r"([A-Za-z]+):")
WEIGHT = re.compile(rf"({_NUMBER})\*(?=\S)")
SPACED_WEIGHT = re.compile(rf"({_NUMBER})(?:\s+\*|\*(?!\S))")
LATLON = re.compile(rf"({_SIGNED})\s*,\s*({_SIGNED})(?!\S)")
WITHIN = re.compile(rf"[Ww]ithin\s+({_NUMBER})\s*([kK]?[mM]|[mM][iI])(?!\S)")


def begins_clause(source: str, at: int) -> str:
    """What kind of clause begins at `source[at]`, the start of a word; "" for a word among words.

    One of "sign", "string", "image", "like", "filter", "near:", "weight", "unknown key".
    """
    if source[at] in "+-−":
        return "sign"
    if source[at] == '"':
        return "string"
    if source[at] == "@":
        return "image"
    if WEIGHT.match(source, at):
        return "weight"
    if key := KEY.match(source, at):
        name = key[1].lower()
        if name in FILTER_KEYS:
            return "filter"
        if name in ("near", "like"):
            return {"near": "near:", "like": "like"}[name]
        if nearest_key(source, at):
            return "unknown key"
    return ""


def nearest_key(source: str, at: int) -> str | None:
    """The key that the unknown one at `source[at]` is a slip of, if it is: `tga:dog`, `folders:rome`.

    It must have the same letters or begin with the same one and be much alike, and a value must follow that
    is no URL's: `12:30`, `https://…`, `re:zero` and `note:` are words.
    """
    match = re.compile(r"([A-Za-z]{2,9}):(?!//)\S").match(source, at)
    if not match:
        return None
    given = match[1].lower()

    def likeness(key: str) -> float:
        if sorted(given) == sorted(key):
            return 1.0
        return SequenceMatcher(None, given, key).ratio() if given[0] == key[0] else 0.0

    best = max((*FILTER_KEYS, "near", "like"), key=likeness)
    return best if likeness(best) >= 0.75 else None


def words(text: str) -> str:
    """`text` as words of a query: bare where they read the same, else in quotes."""
    starts = [match.start() for match in re.finditer(r"\S+", text)]
    bare = all(not begins_clause(text, at) for at in starts) and not SPACED_WEIGHT.match(text)
    return text if bare and "near" not in text.lower().split() else quoted(text)


def place(name: str) -> str:
    """A place's name after `near`: bare where it reads the same, else in quotes."""
    bare = words(name) == name and "within" not in name.lower().split() and not LATLON.match(name)
    return name if bare else quoted(name)


def value(text: str) -> str:
    """A filter's value, a path or an id: bare if it is one word."""
    return text if re.fullmatch(r"[^\s\"]\S*", text) else quoted(text)


def quoted(text: str) -> str:
    """`text` in quotes, which switch keywords off."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def number(x: float) -> str:
    """The shortest decimal that reads back as `x`, without an exponent."""
    digits = format(Decimal(repr(x)), "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def phrase(text: str) -> str:
    """`text` in NFC with single spaces: how words, values and names are kept."""
    return unicodedata.normalize("NFC", " ".join(checked(text).split()))


def checked(text: str) -> str:
    """`text`, if it is text: undecodable bytes and NUL reach no file name and no database."""
    if any(c == "\0" or "\ud800" <= c <= "\udfff" for c in text):
        raise QueryError(f"{text!a} holds bytes that are no text: write it in UTF-8")
    return text
