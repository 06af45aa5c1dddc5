"""Reads a query: `parse("skyline + night - car near:Barcelona")`. The grammar is drawn in docs/query.md.

Read from left to right without going back: white space, an optional sign, a clause. Only one thing is left
open for `resolve`: whether the words `near X` name a place.
"""

from __future__ import annotations

import re
from dataclasses import replace

from cartolina.errors import QueryError
from cartolina.query import lexicon
from cartolina.query.filters import EXAMPLES
from cartolina.query.values import Filter, ImageRef, Near, Query, Term, Text

__all__ = ["parse"]

_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"\S+")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)


def parse(source: str) -> Query:
    """The query that `source` writes; `QueryError` says what to write instead.

    >>> parse("house near water").near
    Near(place='water', radius_km=None, at=1)
    """
    return _Reader(lexicon.checked(source)).query()


class _Reader:
    """One pass over `source`; `at` is the next character to read."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.read = Query()

    def query(self) -> Query:
        self._space()
        while self.at < len(self.source):
            self._clause()
            self._space()
        if not self.read.near or self.read.near.certain:
            self.read.check()  # else what the terms are is not known yet
        return self.read

    def _clause(self) -> None:
        sign = self._sign()
        kind = lexicon.begins_clause(self.source, self.at)
        match kind:
            case "sign":
                raise QueryError(
                    f"two signs in a row before {self._rest()!r}: write one, or put the words in quotes"
                )
            case "filter":
                self._filter(negated=sign == "-")
            case "near:":
                if sign:
                    raise _signed_near(self._rest())
                self._certain_near()
            case "unknown key":
                raise self._unknown_key()
            case _:
                self._term(kind, sign)

    def _sign(self) -> str:
        """The sign here as "+", "-" or "", with the white space after it."""
        if self.source[self.at] not in "+-−":
            return ""
        sign = self.source[self.at].replace("−", "-")
        self.at += 1
        self._space()
        if self.at == len(self.source):
            raise QueryError(f'there is nothing after the last "{sign}": write words there, or leave it out')
        return sign

    def _filter(self, *, negated: bool) -> None:
        key = self._until_colon()
        one = Filter(key, self._value(EXAMPLES[key]), negated)
        self._add(Query(filters=(one,)))

    def _term(self, kind: str, sign: str) -> None:
        weight, weighted = 1.0, False
        if match := lexicon.WEIGHT.match(self.source, self.at):
            weight, weighted = float(match[1]), True
            self.at = match.end()
            kind = lexicon.begins_clause(self.source, self.at)
            if kind not in ("", "string", "image", "like"):
                raise QueryError(
                    f"{match[0]}{self._rest()} has no meaning: a weight goes before words or an image, "
                    f"after the sign: - {match[0]}beach"
                )
        elif match := lexicon.SPACED_WEIGHT.match(self.source, self.at):
            raise QueryError(
                f"write {match[1]}* without spaces for a weight ({match[1]}*beach), or quotes for words"
            )
        if sign == "-":
            weight = -weight
        match kind:
            case "string":
                self._add(Query((Term(weight, Text(self._string())),)))
            case "image":
                self.at += 1
                self._add(Query((Term(weight, ImageRef(self._value("@photo.jpg"), "path")),)))
            case "like":
                self._until_colon()
                self._add(Query((Term(weight, ImageRef(self._value("like:ID"), "id")),)))
            case _:
                self._phrase(weight, signed=bool(sign) or weighted)

    def _phrase(self, weight: float, *, signed: bool) -> None:
        """Adjacent bare words; the last `near` among them, with what follows it, may be a place."""
        words: list[str] = []
        last: int | None = None  # where in words the last near is
        near: Near | None = None
        while near is None and (word := self._peek()):
            if last is not None and last < len(words) - 1:
                radius_km = self._radius(strict=False)
                if radius_km is not None:
                    near = Near(" ".join(words[last + 1 :]), radius_km, at=0)
                    break
            self.at += len(word)
            self._space()
            if word.lower() == "near":
                last = len(words)
                if place := self._written_place():
                    near = Near(place, self._radius(strict=True), at=0)
            words.append(word)
        if near is None and last is not None and last < len(words) - 1:
            near = Near(" ".join(words[last + 1 :]), at=0)
        if near:
            words = words[:last]
            if signed and not words:
                raise _signed_near(f"near {near.name}")
        if words:
            self._add(Query((Term(weight, Text(" ".join(words))),)))
        if near:
            self._add_near(near)

    def _certain_near(self) -> None:
        key = self._until_colon()
        place = self._written_place()
        if place is None:
            words = [self._word(f"{key}:Barcelona")]
            while (word := self._peek()) and word.lower() not in ("near", "within"):
                words.append(self._word(word))
            place = " ".join(words)
        self._add_near(Near(place, self._radius(strict=True)))

    def _written_place(self) -> str | None:
        """Coordinates or a quoted name, if that is what comes next."""
        if match := lexicon.LATLON.match(self.source, self.at):
            self.at = match.end()
            self._space()
            return match[0]
        if self.source.startswith('"', self.at):
            name = self._string()
            self._space()
            return name
        return None

    def _radius(self, *, strict: bool) -> float | None:
        """What `within 5 km` says, in km, if it comes next; `strict`: after a place `within` is no word."""
        word = self._peek()
        if word.lower() != "within":
            return None
        if match := lexicon.WITHIN.match(self.source, self.at):
            self.at = match.end()
            self._space()
            return float(match[1]) * lexicon.KILOMETRES[match[2].lower()]
        if strict or re.match(r"\s+[0-9.]", self.source[self.at + len(word) :]):
            raise QueryError(
                f"{self._rest(3)!r} is no distance: write within 5km, within 500m or within 3mi, "
                "or put the words in quotes"
            )
        return None

    def _add(self, more: Query) -> None:
        self.read = self.read + more

    def _add_near(self, near: Near) -> None:
        """A certain place counts wherever it stands, else the last uncertain one; the others are words."""
        known = self.read.near
        if known is None or not known.certain:
            read = self.read.without_near()
            self.read = replace(read, near=near if near.certain else replace(near, at=len(read.terms)))
        elif near.certain:
            raise QueryError(f"a query is near one place: write near:{known.name} or near:{near.name}")
        else:
            uncertain = replace(self.read, near=replace(near, at=len(self.read.terms)))
            self.read = replace(uncertain.without_near(), near=known)

    def _value(self, example: str) -> str:
        """A string or a bare word, right here."""
        return self._string() if self.source.startswith('"', self.at) else self._word(example)

    def _string(self) -> str:
        match = _STRING.match(self.source, self.at)
        if not match:
            raise QueryError(f'the quote at {self._rest()} is not closed: write another " after the words')
        self.at = match.end()
        if self.at < len(self.source) and not self.source[self.at].isspace():
            after = self._rest()
            raise QueryError(f'write a space between {match[0]} and {after}, or \\" for a quote inside')
        return re.sub(r'\\(["\\])', r"\1", match[1])

    def _word(self, example: str) -> str:
        """The word right here; `example` is what to write if there is none."""
        match = _WORD.match(self.source, self.at)
        if not match:
            raise QueryError(f"something is missing: write {example}, with no space inside")
        self.at = match.end()
        return match[0]

    def _peek(self) -> str:
        """The word that comes next after white space, "" at the end or where another clause begins."""
        self._space()
        match = _WORD.match(self.source, self.at)
        return match[0] if match and not lexicon.begins_clause(self.source, self.at) else ""

    def _until_colon(self) -> str:
        key = self.source[self.at : self.source.index(":", self.at)]
        self.at += len(key) + 1
        return key.lower()

    def _unknown_key(self) -> QueryError:
        word = self._word("")
        key = lexicon.nearest_key(word, 0)
        return QueryError(
            f"unknown key in {word}: did you mean {key}:{word.partition(':')[2]}? "
            f"For the words, write {lexicon.quoted(word)}"
        )

    def _space(self) -> None:
        match = _SPACE.match(self.source, self.at)
        self.at = match.end() if match else self.at

    def _rest(self, words: int = 1) -> str:
        """The next words, to show in an error."""
        return " ".join(self.source[self.at : self.at + 200].split()[:words])


def _signed_near(near: str) -> QueryError:
    return QueryError(
        f"a place takes no sign or weight: write {near} without it"
        + ("" if near.startswith("near:") else f", or {lexicon.quoted(near)} for the words")
    )
