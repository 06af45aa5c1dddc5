"""What posts' words say to a query: for the text terms that are added, against those that are taken away.

Every term has its share of the query: its weight over that of all that is added. Pictures have no part here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cartolina.album.catalogue import Catalogue
from cartolina.album.fulltext import best, containing
from cartolina.album.fusion import FIRST, add, reciprocal
from cartolina.query import Term, Text
from cartolina.store.contract import Keys

__all__ = ["has_words", "said", "unsaid"]


def has_words(terms: Sequence[Term]) -> bool:
    """Whether words are looked for (and not only taken away)."""
    return any(isinstance(term.what, Text) and term.weight > 0 for term in terms)


def said(terms: Sequence[Term], catalogue: Catalogue, depth: int, among: Keys | None) -> dict[int, float]:
    """The words' part of each post that has any of those looked for; about `depth` posts a term."""
    parts: dict[int, float] = {}
    for term in terms:
        if isinstance(term.what, Text) and term.weight > 0:
            hits = best(catalogue, term.what.text, depth, among)
            add(parts, hits, term.weight / _whole(terms) * hits.scores * reciprocal(hits))
    return parts


def unsaid(terms: Sequence[Term], catalogue: Catalogue, keys: Iterable[int]) -> dict[int, float]:
    """What is taken back (a number below 0) from those of `keys` whose posts have all words of a term that is
    taken away: as much as the first of a list gets."""
    keys, parts = list(keys), dict[int, float]()
    for term in terms:
        if isinstance(term.what, Text) and term.weight < 0:
            for key in containing(catalogue, term.what.text, keys):
                parts[key] = parts.get(key, 0.0) + term.weight / _whole(terms) * FIRST
    return parts


def _whole(terms: Sequence[Term]) -> float:
    added = sum(term.weight for term in terms if term.weight > 0)
    return added or sum(abs(term.weight) for term in terms)
