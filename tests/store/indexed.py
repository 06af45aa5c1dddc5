"""Stores with an index that was really built: over all vectors, or over those that were there first."""

import shutil

import numpy as np

from cartolina.store import open_exact
from cartolina.store.qdrant import QdrantStore
from cartolina.store.shard import Builder, Shard


def files_of(folder, segments):
    """Make a shard of all rows of `segments` in `folder`; its files."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    builder = Builder(folder, segments.dim)
    for positions, rows in segments.blocks():
        for _ in builder.insert(positions, rows):
            pass
        builder.grow()
    return builder.finish()


def shard_of(folder, segments):
    """The shard itself."""
    return Shard(folder, files_of(folder, segments))


def end_of(segments):
    """The position behind the last row."""
    return max((int(positions[-1]) + 1 for positions, _ in segments.blocks()), default=0)


def indexed(folder, exact, effort=128):
    """`exact` with an index of everything that is on disk."""
    shard = shard_of(folder, exact.segments)
    return QdrantStore(shard, end_of(exact.segments), effort, exact)


class PartlyIndexed:
    """Indexes what its first `upsert` brings; all else is the tail, and holes."""

    def __init__(self, folder, dim):
        self.folder, self.inside = folder, open_exact(folder / "vectors", dim)

    def __getattr__(self, name):
        return getattr(self.inside, name)

    def __len__(self):
        return len(self.inside)

    def upsert(self, keys, vectors):
        empty = not sum(self._segments.rows.values())
        self.inside.upsert(keys, vectors)
        if empty and len(np.atleast_1d(keys)):
            self.inside = indexed(self.folder / "index", self.inside)

    @property
    def _segments(self):
        return self.inside.segments if hasattr(self.inside, "segments") else self.inside._rows.segments


class Indexed(PartlyIndexed):
    """Indexes everything before it is searched."""

    built = 0

    def upsert(self, keys, vectors):
        self.inside.upsert(keys, vectors)

    def search(self, vectors, k, allowed=None):
        rows = sum(self._segments.rows.values())
        if rows != self.built:
            exact = self.inside if hasattr(self.inside, "segments") else self.inside._rows.exact()
            self.inside, self.built = indexed(self.folder / "index", exact), rows
        return self.inside.search(vectors, k, allowed)
