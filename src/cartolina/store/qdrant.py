"""The second store: Qdrant's graphs find candidates, the true vectors say how good they are.

An index never changes and is never trusted. It covers the rows below one position, under whose positions it
knows them; who owns a row, and whether anybody does, is asked of `Rows` for every hit. What lies behind the
index (the *tail*) is searched exactly and merged. Scores are those of the reference to the last bit, and ties
go by key: only whether a post is found is left to the index, and how often it is was measured when it was
built (`store.index`).

Whatever the index is no help for is answered exactly: few allowed posts, many hits, filters that let almost
nothing of what is near through, an engine that gives up.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Protocol

import numpy as np

from cartolina.store.contract import Hits, Keys, Vectors, checked_keys, checked_queries
from cartolina.store.exact import FEW, ExactStore, rescored
from cartolina.store.segments import CAPACITY, Segments
from cartolina.store.shard import Shard, ShardError

__all__ = ["QdrantStore", "Rows"]

SPARE = 16
"""Candidates more than were asked for, and an eighth of those: the engine's scores are of 8-bit numbers."""

MOST = 1024
"""Candidates beyond which a search of the index takes as long as looking at everything."""


class Rows(Protocol):
    """Who owns which row of the segments: an `ExactStore` knows, a catalogue can be asked."""

    @property
    def segments(self) -> Segments:
        """Where the rows are."""

    def __len__(self) -> int:
        """How many rows have an owner."""

    def keys_at(self, positions: Keys) -> Keys:
        """Whose vectors lie at `positions` (N,), −1 where nobody's do."""

    def positions_of(self, keys: Keys) -> Keys:
        """Where the vectors of `keys` (N,) lie, −1 for those not there."""

    def only(self, keys: Keys) -> ExactStore:
        """Those of `keys` (N,) that are there, as a store."""

    def since(self, position: int) -> ExactStore:
        """What lies at `position` and behind it, as a store."""

    def exact(self) -> ExactStore:
        """All of it, as a store."""


class QdrantStore:
    """`rows`, of which those at positions below `end` are in `shard`; `effort` as in `Shard.search`."""

    def __init__(self, shard: Shard, end: int, effort: int, rows: Rows) -> None:
        self.trouble: str | None = None
        """What the engine gave up with; from then on everything is answered exactly."""
        self._shard, self._end, self._effort = shard, end, effort
        self._begin(rows)

    def _begin(self, rows: Rows) -> None:
        counts = rows.segments.rows
        self._rows, self._tail = rows, rows.since(self._end)
        self._all = sum(counts.values())
        self._covered = sum(min(count, max(0, self._end - one * CAPACITY)) for one, count in counts.items())

    @property
    def dim(self) -> int:
        """The length of the vectors."""
        return self._rows.segments.dim

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def tail(self) -> int:
        """How many vectors lie behind the index."""
        return len(self._tail)

    def upsert(self, keys: Keys, vectors: Vectors) -> None:
        """See `Store.upsert`: what is new lies behind the index."""
        exact = self._rows.exact()
        exact.upsert(keys, vectors)
        self._begin(exact)

    def delete(self, keys: Keys) -> None:
        """See `Store.delete`: the index goes on finding their rows, which are then passed over."""
        exact = self._rows.exact()
        exact.delete(keys)
        self._begin(exact)

    def positions_of(self, keys: Keys) -> Keys:
        """See `Store.positions_of`."""
        return self._rows.positions_of(keys)

    def vectors(self, keys: Keys) -> Vectors:
        """See `Store.vectors`."""
        return self._rows.only(np.unique(keys)).vectors(keys)

    def search(self, vectors: Vectors, k: int, allowed: Keys | None = None) -> list[Hits]:
        """See `Store.search`."""
        queries = checked_queries(vectors, self.dim)
        among = None if allowed is None else np.unique(checked_keys(allowed))
        if k < 1:
            return [Hits(np.empty(0, np.int64), np.empty(0, np.float32)) for _ in queries]
        if among is not None and len(among) * FEW < self._all:
            return self._rows.only(among).search(queries, k)
        if self.trouble is None:
            try:
                return self._merged(queries, k, among)
            except ShardError as error:
                self.trouble = str(error)
        return self._rows.exact().search(queries, k, among)

    def _merged(self, queries: Vectors, k: int, among: Keys | None) -> list[Hits]:
        found = [self._indexed(query, k, among) for query in queries]
        without = [number for number, hits in enumerate(found) if hits is None]
        behind = self._tail.search(queries, k, among)
        merged = [_best([one, other], k) for one, other in zip(found, behind, strict=True) if one is not None]
        if without:
            exact = self._rows.exact().search(queries[without], k, among)
            for number, hits in zip(without, exact, strict=True):
                merged.insert(number, hits)
        return merged

    def _indexed(self, query: Vectors, k: int, among: Keys | None) -> Hits | None:
        """The best `k` that the index covers; None where it cannot tell."""
        share = 1.0 if among is None else len(among) / self._all
        limit = ceil((k + SPARE + k // 8) / share)
        while min(limit, self._covered) <= MOST:
            limit = min(limit, self._covered)
            found = self._shard.search(query, limit, self._effort)
            keys = self._rows.keys_at(found.positions)
            counts = keys >= 0 if among is None else (keys >= 0) & np.isin(keys, among)
            scores = rescored(self._rows.segments, query, found.positions[counts])
            order = _order(keys[counts], scores, k)
            if len(found.positions) == self._covered:
                return Hits(keys[counts][order], scores[order])
            if len(found.positions) < limit:
                return None  # parts of a graph could not be reached
            # The last hit must be better than the last candidate: among equals the index does not know which
            # ones go first, and may have left some out.
            if len(order) == k and found.scores[counts][order].min() > found.scores[-1]:
                return Hits(keys[counts][order], scores[order])
            limit *= 4
        return None


def _best(hits: Sequence[Hits], k: int) -> Hits:
    keys = np.concatenate([one.keys for one in hits])
    scores = np.concatenate([one.scores for one in hits])
    order = _order(keys, scores, k)
    return Hits(keys[order], scores[order])


def _order(keys: Keys, scores: Vectors, k: int) -> Keys:
    return np.lexsort((keys, -scores))[:k]
