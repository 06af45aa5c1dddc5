"""Precision and average precision where a query has many right answers (seed 003, Tables 2 to 7; seed 002).

Scores (Q, N) of N items for Q queries and which items are relevant, (Q, N) bool, give a number for each
query, 0 to 1; NaN where nothing is relevant, because such a query asks for what is not there.

AP is the mean, over *all R relevant items*, of the precision at each one's rank:

    AP = 1/R Σ_{i relevant} (relevant items ranked no later than i) / rank(i)

(the released code divides by the hits found instead: with a cut-off, a query with one lucky hit gets 1).

*Ties are read against us*: an irrelevant item that scores exactly as a relevant one stands before it, so a
model that gives every item the same score gets the worst ranking, not an average one. A score that is no
number puts a relevant item last and an irrelevant one first.

>>> scores = np.array([[0.9, 0.8, 0.7, 0.1]])
>>> relevant = np.array([[True, False, True, False]])
>>> average_precision(scores, relevant).round(3).tolist()   # (1/1 + 2/3) / 2
[0.833]
>>> precision_at(scores, relevant, 2).tolist(), recall_at(scores, relevant, 2).tolist()
([0.5], [0.5])
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cartolina.errors import InputError

__all__ = [
    "average_precision",
    "mean_over_queries",
    "precision_at",
    "precision_ceiling",
    "recall_at",
]

Numbers = NDArray[np.float64]
Scores = NDArray[Any]
Bools = NDArray[np.bool_]


def average_precision(scores: Scores, relevant: Bools) -> Numbers:
    """AP of each query over all its relevant items, (Q,); their mean is MAP (`mean_over_queries`)."""
    values = np.full(len(scores), np.nan)
    for query, ranks in _ranks_of_relevant(scores, relevant):
        values[query] = (np.arange(1, len(ranks) + 1) / ranks).mean()
    return values


def precision_at(scores: Scores, relevant: Bools, k: int) -> Numbers:
    """P@k of each query, (Q,): how many of the first `k` are relevant, of k (not of the items there are)."""
    _check_depth(k)
    values = np.full(len(scores), np.nan)
    for query, ranks in _ranks_of_relevant(scores, relevant):
        values[query] = (ranks <= k).sum() / k
    return values


def recall_at(scores: Scores, relevant: Bools, k: int) -> Numbers:
    """R@k of each query, (Q,): how many of its relevant items are among the first `k`."""
    _check_depth(k)
    values = np.full(len(scores), np.nan)
    for query, ranks in _ranks_of_relevant(scores, relevant):
        values[query] = (ranks <= k).mean()
    return values


def precision_ceiling(relevant: Bools, k: int) -> Numbers:
    """The P@k of a perfect ranking, (Q,): below 1 where fewer than `k` are relevant; NaN where none is."""
    _check_depth(k)
    there = relevant.sum(axis=1)
    return np.where(there > 0, np.minimum(there, k) / k, np.nan)


def mean_over_queries(values: Numbers) -> float:
    """The mean over the queries that have an answer (MAP, mean P@k); NaN where none has."""
    answered = values[~np.isnan(values)]
    return float(answered.mean()) if len(answered) else float("nan")


def _ranks_of_relevant(scores: Scores, relevant: Bools) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Each query that has relevant items, and their ranks from 1, ascending."""
    if scores.shape != relevant.shape or scores.ndim != 2:
        raise InputError(
            f"scores of shape {scores.shape} and relevance of shape {relevant.shape}: both must be "
            "(queries, items)"
        )
    for query, (row, right) in enumerate(zip(scores, relevant, strict=True)):
        if right.any():
            # Not numbers: +inf where that stands before the right ones, −inf where it stands behind.
            row = np.where(np.isnan(row), np.where(right, -np.inf, np.inf), row)
            order = np.lexsort((right, -row))  # by score, descending; within a tie the wrong ones first
            yield query, np.flatnonzero(right[order]) + 1


def _check_depth(k: int) -> None:
    if k < 1:
        raise InputError(f"k is {k}: it must be at least 1")
