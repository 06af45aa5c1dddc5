"""What posts are ordered by: how near their pictures are to the query, what their words say, or both.

By both is what `fusion` makes of the two lists. Where no post's words say anything to the query, that is the
order by picture itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cartolina.album.catalogue import Catalogue
from cartolina.album.fulltext import wordy
from cartolina.album.fusion import FIRST, add, in_order, neutral, reciprocal
from cartolina.album.saying import unsaid
from cartolina.query import Term
from cartolina.store import Hits, Store
from cartolina.store.contract import Keys

__all__ = ["DEPTH", "Order", "by_both", "by_picture", "by_words"]

DEPTH = 300
"""How far down each list is looked at: a thousand changed no recall by a point (docs/quality.md)."""


@dataclass(frozen=True)
class Order:
    """`hits`, and what their scores go `by` (None: nothing was compared).

    `cosines` of those that have one with the query; `pictured` and `said` are the posts that were found by
    their pictures and by their words. `vector` (D,) is the query's, where pictures were compared with it.
    """

    hits: Hits
    by: str | None = None
    cosines: dict[int, float] = field(default_factory=dict)
    pictured: frozenset[int] = frozenset()
    said: frozenset[int] = frozenset()
    vector: NDArray[np.float32] | None = None


def by_picture(vector: NDArray[np.float32], k: int, store: Store, among: Keys | None) -> Order:
    """The nearest by cosine."""
    (hits,) = store.search(vector[None], k, among)
    return _pictured(hits, k, vector)


def by_words(words: dict[int, float], terms: Sequence[Term], k: int, catalogue: Catalogue) -> Order:
    """The posts with a part in `words` (`saying.said`), less what is taken away; the first scores about 1."""
    parts = dict(words)
    _take(parts, unsaid(terms, catalogue, parts))
    return Order(_first(in_order(parts, FIRST), k), "words", said=frozenset(words))


def by_both(
    vector: NDArray[np.float32],
    words: dict[int, float],
    terms: Sequence[Term],
    k: int,
    catalogue: Catalogue,
    store: Store,
    among: Keys | None,
) -> Order:
    """The two lists fused; the first of both scores 1."""
    (near,) = store.search(vector[None], max(k, DEPTH), among)
    taken = unsaid(terms, catalogue, {*words, *near.keys.tolist()})
    if not words and not taken:
        return _pictured(near, k, vector)
    parts = dict(words)
    telling = wordy(catalogue, near.keys.tolist())
    share = neutral(near, telling, words)
    for key in near.keys.tolist():
        if key not in telling:
            parts[key] = share
    add(parts, near, reciprocal(near))
    _take(parts, taken)
    hits = _first(in_order(parts, 2 * FIRST), k)
    cosines = _cosines(near)
    pictured = frozenset(cosines)
    if len(others := np.setdiff1d(hits.keys, near.keys)):
        (rest,) = store.search(vector[None], len(others), others)
        cosines |= _cosines(rest)
    return Order(hits, "both", cosines, pictured, frozenset(words), vector)


def _pictured(hits: Hits, k: int, vector: NDArray[np.float32]) -> Order:
    cosines = _cosines(hits)
    return Order(_first(hits, k), "picture", cosines, frozenset(cosines), vector=vector)


def _first(hits: Hits, k: int) -> Hits:
    return Hits(hits.keys[:k], hits.scores[:k])


def _cosines(hits: Hits) -> dict[int, float]:
    return dict(zip(hits.keys.tolist(), hits.scores.tolist(), strict=True))


def _take(parts: dict[int, float], taken: dict[int, float]) -> None:
    for key, part in taken.items():
        parts[key] += part
