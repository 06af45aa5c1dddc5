"""The values a query is made of, and their algebra.

>>> Text("beach") + 0.5 * ImageRef("sunset.jpg", "path") - Text("car")
parse('beach + 0.5*@sunset.jpg - car')
>>> Text("beach") + Near("Barcelona", 5) - Filter("tag", "people")
parse('beach -tag:people near:Barcelona within 5km')

Every value normalises itself when it is made, so equal queries compare equal however they were written.
`str(query)` is the canonical spelling, which `parse` reads back as the same value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, Self

from cartolina.errors import InputError, QueryError
from cartolina.post import Place
from cartolina.query import lexicon
from cartolina.query.filters import filter_value

__all__ = ["Filter", "ImageRef", "Near", "Query", "Term", "Text"]


class _Algebra:
    """`+`, `-` and number `*` on whatever can be read as a query."""

    __slots__ = ()

    def __add__(self, other: object) -> Query:
        if not isinstance(other, _Algebra):
            return NotImplemented
        return _sum(_query(self), _query(other))

    def __sub__(self, other: object) -> Query:
        if not isinstance(other, _Algebra):
            return NotImplemented
        return _sum(_query(self), -other)

    def __neg__(self) -> Query:
        query = _query(self)
        if query.near:
            raise QueryError(f"a place cannot be taken away: write near:{query.near.name} without a sign")
        if query.terms and query.filters:
            raise QueryError("words and filters cannot be taken away together: subtract them one by one")
        return Query(
            tuple(replace(term, weight=-term.weight) for term in query.terms),
            tuple(replace(one, negated=not one.negated) for one in query.filters),
        )

    def __mul__(self, weight: float) -> Query:
        if not isinstance(weight, (int, float)):
            return NotImplemented
        query = _query(self)
        if not query.terms:
            raise QueryError("only words and images have a weight, filters and places do not")
        return replace(query, terms=tuple(replace(term, weight=weight * term.weight) for term in query.terms))

    __rmul__ = __mul__


@dataclass(frozen=True, slots=True)
class Text(_Algebra):
    """Words, read as one phrase; kept in NFC with single spaces."""

    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", lexicon.phrase(self.text))
        if not self.text:
            raise QueryError('there are no words: write some, e.g. "dog on a beach"')

    def __str__(self) -> str:
        return lexicon.words(self.text)


@dataclass(frozen=True, slots=True)
class ImageRef(_Algebra):
    """An example: a file's `path` (`@photo.jpg`) or the `id` of a post in the album (`like:ID`).

    Neither is put in NFC: a file's name is its bytes.
    """

    path_or_id: str
    kind: Literal["path", "id"]

    def __post_init__(self) -> None:
        if self.kind not in ("path", "id"):
            raise InputError(f"an image is given by its 'path' or its 'id', not by {self.kind!r}")
        if not lexicon.checked(self.path_or_id):
            raise QueryError("which image? Write @photo.jpg for a file, like:ID for a post of the album")

    def __str__(self) -> str:
        return ("@" if self.kind == "path" else "like:") + lexicon.value(self.path_or_id)


@dataclass(frozen=True, slots=True)
class Term(_Algebra):
    """`weight` (finite, any sign) times `what`."""

    weight: float
    what: Text | ImageRef

    def __post_init__(self) -> None:
        # + 0.0 makes one zero of −0 and 0.
        object.__setattr__(self, "weight", float(self.weight) + 0.0)
        if not math.isfinite(self.weight):
            raise QueryError(f"the weight of {self.what} is not a finite number: write e.g. 0.5*{self.what}")

    def __str__(self) -> str:
        """Without the sign, which the query writes."""
        weight = abs(self.weight)
        return str(self.what) if weight == 1 else f"{lexicon.number(weight)}*{self.what}"


@dataclass(frozen=True, slots=True)
class Filter(_Algebra):
    """Keeps the posts whose `key` has `value`, or, `negated`, the others."""

    key: str
    value: str
    negated: bool = False

    def __post_init__(self) -> None:
        key = self.key.lower()
        if key not in lexicon.FILTER_KEYS:
            raise QueryError(f"there is no filter {self.key}: write one of {', '.join(lexicon.FILTER_KEYS)}")
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "value", filter_value(key, self.value))

    def __str__(self) -> str:
        return f"{'-' if self.negated else ''}{self.key}:{lexicon.value(self.value)}"


@dataclass(frozen=True, slots=True)
class Near(_Algebra):
    """Within `radius_km` of a place; None: what suits the place.

    `place` is coordinates, or a name that `resolve` looks up (a name that is coordinates becomes them).
    `at` is None where a place is certainly meant (`near:X`); else the words `near X` followed the first `at`
    terms, and if X is no place they go back there.
    """

    place: Place | str
    radius_km: float | None = None
    at: int | None = None

    def __post_init__(self) -> None:
        if isinstance(self.place, str):
            name = lexicon.phrase(self.place)
            if not name:
                raise QueryError("near which place? Write near:Barcelona or near:41.38,2.17")
            latlon = lexicon.LATLON.fullmatch(name)
            object.__setattr__(self, "place", _place(*latlon.groups()) if latlon else name)
        if isinstance(self.place, Place):
            object.__setattr__(self, "at", None)
        if self.radius_km is not None:
            object.__setattr__(self, "radius_km", float(self.radius_km))
            if not (self.radius_km > 0 and math.isfinite(self.radius_km)):
                raise QueryError(f"a radius is more than 0 km: write near:{self.name} within 5km")

    @property
    def certain(self) -> bool:
        """Whether a place is meant, whatever the gazetteer says."""
        return self.at is None

    @property
    def name(self) -> str:
        """The place as it is written after `near`."""
        if isinstance(self.place, Place):
            return f"{lexicon.number(self.place.lat)},{lexicon.number(self.place.lon)}"
        return lexicon.place(self.place)

    def __str__(self) -> str:
        near = f"near:{self.name}" if self.certain else f"near {self.name}"
        return near if self.radius_km is None else f"{near} within {lexicon.number(self.radius_km)}km"


@dataclass(frozen=True, slots=True, repr=False)
class Query(_Algebra):
    """Terms to sum, filters that all must hold, and at most one place."""

    terms: tuple[Term, ...] = ()
    filters: tuple[Filter, ...] = ()
    near: Near | None = None

    def __post_init__(self) -> None:
        if self.near and self.near.at is not None and not 0 <= self.near.at <= len(self.terms):
            raise InputError(
                f"{self.near} follows term {self.near.at}, but there are {len(self.terms)} terms"
            )

    def __str__(self) -> str:
        """The canonical spelling: terms, filters, place."""
        parts: list[str] = []
        for position in range(len(self.terms) + 1):
            if self.near and self.near.at == position:
                parts.append(str(self.near))
            if position < len(self.terms):
                term = self.terms[position]
                sign = "-" if term.weight < 0 else "+"
                parts.append(f"{sign} {term}" if parts else f"{sign if sign == '-' else ''}{term}")
        parts.extend(map(str, self.filters))
        if self.near and self.near.certain:
            parts.append(str(self.near))
        return " ".join(parts)

    def __repr__(self) -> str:
        return f"parse({str(self)!r})"

    def without_near(self) -> Self:
        """This query with an uncertain `near X` read as words again, where they stood."""
        if self.near is None or self.near.at is None:
            return self
        at, words = self.near.at, f"near {self.near.place}"
        if self.near.radius_km is not None:
            words += f" within {lexicon.number(self.near.radius_km)}km"
        before, after = self.terms[:at], self.terms[at:]
        if before and isinstance(before[-1].what, Text):
            whole = Text(f"{before[-1].what.text} {words}")
            terms = (*before[:-1], replace(before[-1], what=whole), *after)
        else:
            terms = (*before, Term(1.0, Text(words)), *after)
        return replace(self, terms=terms, near=None)

    def check(self) -> None:
        """Raise `QueryError` if there is nothing to look for."""
        if not (self.terms or self.filters or self.near):
            raise QueryError(
                'the query is empty: write words ("dog on a beach"), an example (@photo.jpg), '
                "a filter (tag:dog) or a place (near:Barcelona)"
            )
        weights: dict[Text | ImageRef, list[float]] = {}
        for term in self.terms:
            weights.setdefault(term.what, []).append(term.weight)
        if self.terms and all(_cancel(each) for each in weights.values()):
            raise QueryError(
                f"the terms of {str(self)!r} cancel out and nothing is left to look for: "
                "take one away, or give it another weight, e.g. 2*" + str(self.terms[0].what)
            )


def _query(value: _Algebra) -> Query:
    match value:
        case Query():
            return value
        case Term():
            return Query((value,))
        case Filter():
            return Query(filters=(value,))
        case Near():
            return Query(near=replace(value, at=None))
        case Text() | ImageRef():
            return Query((Term(1.0, value),))
        case _:
            raise TypeError(f"{type(value).__name__} is no part of a query")


def _cancel(weights: list[float]) -> bool:
    largest = max(map(abs, weights))
    # What is left of .1 + .2 − .3 would be a direction made of rounding.
    return largest == 0 or abs(math.fsum(weight / largest for weight in weights)) < 1e-9


def _sum(left: Query, right: Query) -> Query:
    if left.near and right.near:
        raise QueryError(f"a query is near one place: write near:{left.near.name} or near:{right.near.name}")
    near = left.near or right.near
    if right.near and right.near.at is not None:
        near = replace(right.near, at=right.near.at + len(left.terms))
    return Query(left.terms + right.terms, left.filters + right.filters, near)


def _place(lat: str, lon: str) -> Place:
    try:
        return Place(float(lat.replace("−", "-")), float(lon.replace("−", "-")))
    except InputError as error:
        raise QueryError(f"near:{lat},{lon} is nowhere: {error}; write e.g. near:41.38,2.17") from error
