"""One order from several: reciprocal rank fusion (Cormack, Clarke & Büttcher, SIGIR 2009, k = 60).

A post gets 1 / (60 + rank) from each list it is in; equals share a rank. Ranks say the same of every list, so
a cosine and a bm25 need no common scale. Two things are added, for lists of words (docs/quality.md has what
they bring): a post gets its part times how much of what was asked for its words have, so that the first of
a poor list counts little; and a post that has no words gets what a tenth of its `NEAREST` have at least, or
else every post with one word in common would go before it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cartolina.store import Hits

__all__ = ["FIRST", "add", "in_order", "neutral", "reciprocal"]

RANK = 60

FIRST = 1 / (RANK + 1)
"""What the first of a list gets from it."""

NEAREST, QUANTILE = 30, 0.9


def reciprocal(hits: Hits) -> NDArray[np.float64]:
    """(N,) 1 / (60 + rank); the rank is 1 and how many score higher.

    >>> (1 / reciprocal(Hits(np.arange(4), np.array([0.9, 0.5, 0.5, 0.2], np.float32)))).round().tolist()
    [61.0, 62.0, 62.0, 64.0]
    """
    ranks = 1 + np.searchsorted(-hits.scores, -hits.scores, side="left")
    return np.asarray(1 / (RANK + ranks))


def add(parts: dict[int, float], hits: Hits, values: NDArray[np.float64]) -> None:
    """Add to each hit's part its value (N,)."""
    for key, value in zip(hits.keys.tolist(), values.tolist(), strict=True):
        parts[key] = parts.get(key, 0.0) + value


def neutral(nearest: Hits, wordy: set[int], parts: Mapping[int, float]) -> float:
    """What posts without words get: the .9 quantile of the words' `parts` of the nearest that are `wordy`."""
    told = [parts.get(key, 0.0) for key in nearest.keys.tolist() if key in wordy][:NEAREST]
    return float(np.quantile(told, QUANTILE)) if told else 0.0


def in_order(parts: Mapping[int, float], first: float) -> Hits:
    """All keys in descending order of their parts, ties by key; a part of `first` scores 1."""
    keys = np.fromiter(parts, np.int64, len(parts))
    scores = np.fromiter(parts.values(), np.float64, len(parts)) / first
    order = np.lexsort((keys, -scores))
    return Hits(keys[order], scores[order].astype(np.float32))
