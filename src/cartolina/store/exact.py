"""The reference store: every vector is looked at, so its answer is the right one.

One matrix product over memory-mapped segments, then a partial sort. It is the default below some 200,000
posts, where an approximate index costs more to build than it ever saves.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cartolina.store.contract import Hits, Keys, Vectors, checked_keys, checked_queries, checked_vectors
from cartolina.store.segments import CAPACITY, Segments

__all__ = ["FEW", "ExactStore", "open_exact", "rescored"]

SCORES_AT_ONCE = 1 << 24
"""Scores held at a time (64 MB): bounds the memory of a batch whatever its size."""

FEW = 8
"""Below 1/FEW of all rows, gathering the allowed ones is faster than scoring all and masking: measured on
100,000 × 384, the two meet at a twelfth of the rows for one query and at a quarter for 64 together."""

GATHERED_AT_ONCE = 8192
"""Rows copied at a time while gathering or rescoring."""


class ExactStore:
    """Vectors of `segments`, of which those at `positions` (N,) live under `keys` (N,); other rows are holes.

    The segments are durable; which row belongs to which key is for the owner to keep (`positions_of`) and
    to give back when the store is opened again.
    """

    def __init__(self, segments: Segments, keys: Keys, positions: Keys) -> None:
        self.segments = segments
        self._place(keys, positions)

    @property
    def dim(self) -> int:
        """The length of the vectors."""
        return self.segments.dim

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def keys(self) -> Keys:
        """The keys that have a vector, ascending."""
        return self._keys

    @property
    def holes(self) -> int:
        """Rows on disk that no key owns any more."""
        return sum(self.segments.rows.values()) - len(self)

    def upsert(self, keys: Keys, vectors: Vectors) -> None:
        """See `Store.upsert`: appends, so that a replaced vector's row becomes a hole."""
        keys, vectors = checked_vectors(keys, vectors, self.dim)
        positions = self.segments.append(vectors)
        kept = ~np.isin(self._keys, keys)
        self._place(np.r_[self._keys[kept], keys], np.r_[self._positions[kept], positions])

    def delete(self, keys: Keys) -> None:
        """See `Store.delete`: rows become holes."""
        kept = ~np.isin(self._keys, checked_keys(keys))
        self._place(self._keys[kept], self._positions[kept])

    def compacted(self) -> ExactStore:
        """The same vectors without holes, in fresh segments beside the old ones; durable on return."""
        segments, positions = self.segments.rewritten(self._positions)
        return ExactStore(segments, self._keys, positions)

    def positions_of(self, keys: Keys) -> Keys:
        """Where the vectors of `keys` (N,) lie, −1 for those not there."""
        if not len(self):
            return np.full(len(keys), -1, np.int64)
        at = np.minimum(np.searchsorted(self._keys, keys), len(self) - 1)
        return np.where(self._keys[at] == keys, self._positions[at], -1)

    def keys_at(self, positions: Keys) -> Keys:
        """Whose vectors lie at `positions` (N,), −1 where nobody's do."""
        rows = positions - self._first
        inside = (rows >= 0) & (rows < len(self._owners))
        keys = np.full(len(positions), -1, np.int64)
        keys[inside] = self._owners[rows[inside]]
        return keys

    def only(self, keys: Keys) -> ExactStore:
        """Those of `keys` (N,) that are there, as a store of their own over the same segments."""
        positions = self.positions_of(keys)
        return ExactStore(self.segments, keys[positions >= 0], positions[positions >= 0])

    def since(self, position: int) -> ExactStore:
        """What lies at `position` and behind it, as a store of its own over the same segments."""
        later = self._positions >= position
        segments = self.segments.since(position // CAPACITY)
        return ExactStore(segments, self._keys[later], self._positions[later])

    def exact(self) -> ExactStore:
        """Itself (see `Rows`)."""
        return self

    def vectors(self, keys: Keys) -> Vectors:
        """The vectors of `keys` (N,), all of which must be there: (N, dim) float32, a copy."""
        positions = self.positions_of(keys)
        if (positions < 0).any():
            raise KeyError(int(keys[positions < 0][0]))
        return self.segments.take(positions)

    def search(self, vectors: Vectors, k: int, allowed: Keys | None = None) -> list[Hits]:
        """See `Store.search`."""
        queries = checked_queries(vectors, self.dim)
        wanted = self._positions if allowed is None else self.positions_of(np.unique(checked_keys(allowed)))
        wanted = wanted[wanted >= 0]
        if k < 1 or not len(wanted):
            return [Hits(np.empty(0, np.int64), np.empty(0, np.float32)) for _ in queries]
        score = self._gathered if len(wanted) * FEW < len(self._owners) else self._streamed
        at_once = max(1, SCORES_AT_ONCE // len(self._owners))
        hits: list[Hits] = []
        for start in range(0, len(queries), at_once):
            some = queries[start : start + at_once]  # (q, D)
            scores, positions = score(some, wanted)  # (q, n), (n,)
            hits += [self._best(*pair, positions, k) for pair in zip(some, scores, strict=True)]
        return hits

    def _place(self, keys: Keys, positions: Keys) -> None:
        order = np.argsort(keys, kind="stable")
        self._keys, self._positions = keys[order], positions[order]
        # All segments but the last are full, so positions are consecutive from the first one.
        self._first = min(self.segments.rows, default=0) * CAPACITY
        self._owners = np.full(sum(self.segments.rows.values()), -1, np.int64)  # the key of each row on disk
        self._owners[self._positions - self._first] = self._keys

    def _gathered(self, queries: Vectors, wanted: Keys) -> tuple[Vectors, Keys]:
        """Scores (q, n) of the `wanted` positions (n,), which are copied together first."""
        scores = np.empty((len(queries), len(wanted)), np.float32)
        for start in range(0, len(wanted), GATHERED_AT_ONCE):
            rows = self.segments.take(wanted[start : start + GATHERED_AT_ONCE])  # (b, D)
            scores[:, start : start + len(rows)] = queries @ rows.T
        return scores, wanted

    def _streamed(self, queries: Vectors, wanted: Keys) -> tuple[Vectors, Keys]:
        """Scores (q, n) of every row on disk, −inf where it is not `wanted`."""
        scores = np.empty((len(queries), len(self._owners)), np.float32)
        for positions, rows in self.segments.blocks():
            at = slice(positions[0] - self._first, positions[-1] - self._first + 1)
            # One query is a matrix times a vector: twice as fast as a product with a one-row matrix.
            scores[:, at] = rows @ queries[0] if len(queries) == 1 else queries @ rows.T
        if len(wanted) < len(self._owners):
            unwanted = np.ones(len(self._owners), bool)
            unwanted[wanted - self._first] = False
            scores[:, unwanted] = -np.inf
        return scores, np.arange(len(self._owners)) + self._first

    def _best(self, query: Vectors, scores: Vectors, positions: Keys, k: int) -> Hits:
        """The hits of one query, from approximate `scores` (n,) of the rows at `positions` (n,)."""
        floor = np.float32(-np.inf)
        if k < len(scores):
            # BLAS adds up in an order that depends on a row's neighbours: whatever its rounding could have
            # put on the wrong side of the k-th score is scored again, alone, below.
            slack = np.linalg.norm(query) * self.dim * np.finfo(np.float32).eps
            floor = np.partition(scores, len(scores) - k)[len(scores) - k] - slack
        positions = positions[(scores >= floor) & (scores > -np.inf)]
        keys, exact = self._owners[positions - self._first], rescored(self.segments, query, positions)
        order = np.lexsort((keys, -exact))[:k]
        return Hits(keys[order], exact[order])


def rescored(segments: Segments, query: Vectors, positions: Keys) -> Vectors:
    """Scores (n,) of the rows at `positions` (n,) with one `query` (dim,), summed row by row in double
    precision: equal rows get equal scores."""
    scores = np.empty(len(positions), np.float32)
    for start in range(0, len(positions), GATHERED_AT_ONCE):
        rows = segments.take(positions[start : start + GATHERED_AT_ONCE])  # (b, D)
        scores[start : start + len(rows)] = (rows * query.astype(np.float64)).sum(axis=1)
    return scores


def open_exact(folder: Path, dim: int) -> ExactStore:
    """A new, empty store of vectors of length `dim` whose segments go into `folder`."""
    return ExactStore(Segments(folder, dim), np.empty(0, np.int64), np.empty(0, np.int64))
