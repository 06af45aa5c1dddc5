"""Intervals over queries by the percentile bootstrap, paired where models answer the same queries.

A model's figure on a query is its mean over seeds; queries are drawn with replacement, within their strata
(simple, complex) where there are any. The interval speaks of other queries of the kind, on this gallery and
with these trained models: not of other photos.

>>> rng = np.random.default_rng(0)
>>> interval(np.array([1.0, 1.0, 1.0]), rng)
Interval(mean=1.0, low=1.0, high=1.0)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Interval", "difference", "interval", "shares_first"]

Floats = NDArray[np.float64]

RESAMPLES = 10_000
CHUNK = 1_000  # resamples whose indices lie in memory together


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and the interval around it."""

    mean: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        """Its three numbers."""
        return {"mean": self.mean, "low": self.low, "high": self.high}


def interval(
    values: NDArray[np.floating],
    rng: np.random.Generator,
    *,
    strata: NDArray[np.int64] | None = None,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """The mean of `values` (Q,) over queries and its interval; NaN without queries.

    `strata` (Q,) numbers each query's stratum: as many are drawn from each as there are in it.
    """
    values = np.asarray(values, np.float64)
    if not len(values):
        return Interval(float("nan"), float("nan"), float("nan"))
    means = np.concatenate([values[drawn].mean(1) for drawn in _draws(len(values), rng, strata, resamples)])
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(values.mean()), float(low), float(high))


def difference(
    ours: NDArray[np.floating],
    theirs: NDArray[np.floating],
    rng: np.random.Generator,
    *,
    strata: NDArray[np.int64] | None = None,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """The mean of ours − theirs over the same queries (Q,), and its interval: the paired comparison."""
    return interval(
        np.asarray(ours) - np.asarray(theirs), rng, strata=strata, level=level, resamples=resamples
    )


def shares_first(
    figures: NDArray[np.floating],
    rng: np.random.Generator,
    *,
    strata: NDArray[np.int64] | None = None,
    resamples: int = RESAMPLES,
) -> Floats:
    """In what share of the resamples each model is the first: `figures` (models, Q) → (models,), sum 1.

    Models that tie for the first place share it.
    """
    figures = np.asarray(figures, np.float64)
    wins = np.zeros(len(figures))
    for drawn in _draws(figures.shape[1], rng, strata, resamples):
        means = np.stack([row[drawn].mean(1) for row in figures])  # (models, resamples)
        first = means >= means.max(0) - 1e-12
        wins += (first / first.sum(0)).sum(1)
    return wins / resamples


def _draws(
    queries: int, rng: np.random.Generator, strata: NDArray[np.int64] | None, resamples: int
) -> Iterator[NDArray[np.int64]]:
    """Rows of query numbers, (some, queries), `resamples` rows in all."""
    groups = (
        [np.arange(queries)] if strata is None else [np.flatnonzero(strata == s) for s in np.unique(strata)]
    )
    for start in range(0, resamples, CHUNK):
        some = min(CHUNK, resamples - start)
        parts = [group[rng.integers(0, len(group), (some, len(group)))] for group in groups]
        yield np.concatenate(parts, axis=1)
