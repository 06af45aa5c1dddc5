"""What a metric is on average where the order is partly drawn at random: chance, and the ceilings of a rule.

An order by scores with ties leaves the tied items in a random order; its expected metrics are closed forms.
One tie of all items is *chance*. The scores of an observer who knows the rule by which a world was made
(`evaluate.experiments.towns`) give the *ceiling* that no model can pass on average.

>>> relevant = np.array([[True, False]])
>>> expected_average_precision(np.zeros((1, 2)), relevant).tolist()   # (1 + 1/2) / 2
[0.75]
>>> chance_average_precision(relevant).tolist()
[0.75]
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["chance_average_precision", "expected_average_precision", "expected_precision_at"]

Numbers = NDArray[np.float64]
Scores = NDArray[Any]
Bools = NDArray[np.bool_]


def chance_average_precision(relevant: Bools) -> Numbers:
    """The expected AP of an order drawn at random, (Q,); NaN where nothing is relevant.

    It tends to the share of relevant items and lies above it where they are few: the chance of P@k is that
    share exactly, that of AP is not.
    """
    return expected_average_precision(np.zeros(relevant.shape), relevant)


def expected_average_precision(scores: Scores, relevant: Bools) -> Numbers:
    """The expected AP (over all relevant items) with ties broken at random, (Q,); NaN without relevant items.

    Of a tie of n items, r relevant, that stands behind b items with a relevant among them, the k-th item is
    relevant with probability r/n, and each of the k − 1 before it in the tie is then with (r − 1)/(n − 1):

        E[AP] = 1/R Σ_ties r/n Σ_k [a + 1 + (k − 1)(r − 1)/(n − 1)] / (b + k)
    """
    values = np.full(len(scores), np.nan)
    for query, (row, right) in enumerate(zip(scores, relevant, strict=True)):
        total = right.sum()
        if total:
            sizes, hits = _ties(row, right)
            before, found = np.cumsum(sizes) - sizes, np.cumsum(hits) - hits
            tie = np.repeat(np.arange(len(sizes)), sizes)  # of which tie each rank is
            behind = np.arange(len(row)) - before[tie]  # k − 1
            others = (hits[tie] - 1) / np.maximum(sizes[tie] - 1, 1)
            at_rank = hits[tie] / sizes[tie] * (found[tie] + 1 + behind * others)
            values[query] = (at_rank / np.arange(1, len(row) + 1)).sum() / total
    return values


def expected_precision_at(scores: Scores, relevant: Bools, k: int) -> Numbers:
    """The expected P@k with ties broken at random, (Q,); NaN without relevant items."""
    values = np.full(len(scores), np.nan)
    for query, (row, right) in enumerate(zip(scores, relevant, strict=True)):
        if right.any():
            sizes, hits = _ties(row, right)
            taken = np.clip(k - (np.cumsum(sizes) - sizes), 0, sizes)  # of each tie among the first k
            values[query] = (hits * taken / sizes).sum() / k
    return values


def _ties(row: NDArray[Any], right: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The size of each group of equal scores, highest first, and how many of it are relevant."""
    _, tie, sizes = np.unique(-row, return_inverse=True, return_counts=True)
    return sizes, np.bincount(tie, weights=right, minlength=len(sizes)).astype(np.int64)
