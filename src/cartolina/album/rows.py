"""Who owns which vector, asked of the catalogue for a few at a time.

Reading where all vectors are takes a second for a million posts, longer than an index needs for a thousand
answers. So a reader with an index asks for the rows it found, and reads everything only where the index is no
help (`cartolina.store.qdrant`), or once it has asked often. Within snapshots of one moment of the catalogue.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cartolina.album.catalogue import Catalogue
from cartolina.store import ExactStore, Segments
from cartolina.store.contract import Keys
from cartolina.store.segments import CAPACITY

__all__ = ["CatalogueRows"]

POSITION = f"segment * {CAPACITY} + row"
THERE = "space = ?1 AND (SELECT offline FROM posts WHERE posts.key = vectors.key) IS NULL"
GIVEN = "(SELECT value FROM json_each(?2))"

OFTEN = 100
"""Questions after which everything is read: each takes some milliseconds, from memory none."""


class CatalogueRows:
    """The rows of `segments` in the catalogue's space `number` (`store.qdrant.Rows`)."""

    def __init__(self, catalogue: Catalogue, number: int, segments: Segments) -> None:
        self.segments = segments
        self._catalogue, self._number = catalogue, number
        self._everything: ExactStore | None = None
        self._asked = 0

    def __len__(self) -> int:
        return int(self._rows(f"SELECT count(*) FROM vectors WHERE {THERE}")[0][0])  # noqa: S608

    def keys_at(self, positions: Keys) -> Keys:
        """Whose vectors lie at `positions` (N,), −1 where nobody's do."""
        self._asked += 1
        if self._everything or self._asked > OFTEN:
            return self.exact().keys_at(positions)
        # CROSS: SQLite is to go through what is given, not through the vectors.
        where = f"segment = value / {CAPACITY} AND row = value % {CAPACITY}"
        sql = f"SELECT {POSITION}, key FROM {GIVEN} CROSS JOIN vectors ON {where} WHERE {THERE}"  # noqa: S608
        return self._looked_up(sql, positions)

    def positions_of(self, keys: Keys) -> Keys:
        """Where the vectors of `keys` (N,) lie, −1 for those not there."""
        sql = f"SELECT key, {POSITION} FROM vectors WHERE key IN {GIVEN} AND {THERE}"  # noqa: S608
        return self._looked_up(sql, keys)

    def only(self, keys: Keys) -> ExactStore:
        """Those of `keys` (N,) that are there, as a store."""
        positions = self.positions_of(keys)
        return ExactStore(self.segments, keys[positions >= 0], positions[positions >= 0])

    def since(self, position: int) -> ExactStore:
        """What lies at `position` and behind it, as a store."""
        segment, row = divmod(position, CAPACITY)
        sql = f"SELECT key, {POSITION} FROM vectors WHERE (segment, row) >= (?2, ?3) AND {THERE}"  # noqa: S608
        both = np.array(self._rows(sql, segment, row), np.int64).reshape(-1, 2)
        return ExactStore(self.segments.since(segment), both[:, 0].copy(), both[:, 1].copy())

    def exact(self) -> ExactStore:
        """All of it, as a store."""
        if self._everything is None:
            _, keys, positions = self._catalogue.placement(self._number)
            self._everything = ExactStore(self.segments, keys, positions)
        return self._everything

    def _looked_up(self, sql: str, given: Keys) -> Keys:
        """What the two columns of `sql` say of each of `given` (N,), −1 where they say nothing."""
        found = dict(self._rows(sql, given.tolist()))
        return np.fromiter((found.get(one, -1) for one in given.tolist()), np.int64, len(given))

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return self._catalogue.rows(sql, self._number, *values)
