"""What readers search: the vectors of one moment, through an index where there is one worth asking.

Which store answers is the setting `store`: "exact" looks at every vector; "qdrant" asks the space's index;
"auto" does so from `MANY` vectors on, below which exact search is as fast as anybody could notice
(docs/performance.md). No search fails for want of an index: where it is missing, damaged or of other vectors,
every vector is looked at, and a note says what to run.
"""

from __future__ import annotations

import shlex
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cartolina.album.catalogue import Catalogue
from cartolina.album.relevance import Background
from cartolina.album.rows import CatalogueRows
from cartolina.album.searchable import Searchable
from cartolina.album.space import Space
from cartolina.errors import UnknownName
from cartolina.settings import STORES
from cartolina.store import Segments, Store
from cartolina.store.index import Index, Unusable, check_fits, open_index, read_index
from cartolina.store.qdrant import QdrantStore
from cartolina.store.segments import CAPACITY
from cartolina.store.shard import Shard

__all__ = ["BEHIND", "MANY", "Choice", "Searched", "choose", "index_folder", "segments_of"]

MANY = 200_000
"""Vectors from which "auto" takes an index."""

BEHIND = CAPACITY
"""Vectors that are not in an index yet from which it is worth going on with; each is looked at meanwhile."""


@dataclass(frozen=True)
class Choice:
    """The `index` that answers, with its `shard`, or None; `note` says what should be known of that."""

    index: Index | None = None
    shard: Shard | None = None
    note: str | None = None


@dataclass(frozen=True)
class Searched:
    """`number` is the space's in the catalogue, `moment` the catalogue's when this was loaded.

    `store` answers as the setting `wanted` it, by `choice`; `stamp` is when the index had been built.
    """

    number: int
    space: Space
    store: Store
    moment: int
    wanted: str
    stamp: int | None
    choice: Choice
    _background: list[Background | None] = field(default_factory=list, init=False, repr=False)

    def background(self, catalogue: Catalogue) -> Background | None:
        """What hits are judged against, made when it is first needed; None: the album is too small."""
        if not self._background:
            self._background.append(Background.of(catalogue, self.space, self.store))
        return self._background[0]

    def is_of(self, number: int, space: Space, moment: int, wanted: str) -> bool:
        """Whether it still is what `load` would give. An index is built without a word to the catalogue."""
        now = (self.number, self.moment, self.wanted, self.stamp)
        return now == (number, moment, wanted, index_stamp(space))

    @classmethod
    def load(
        cls, catalogue: Catalogue, number: int, space: Space, wanted: str, known: Searched | None = None
    ) -> Searched:
        """Read where the vectors are, as far as it is needed, and map them.

        `known` is what was loaded before; its index is kept where it still is the album's. Raises
        `SegmentMissing` when a compaction has just replaced the files of this moment: look again.
        """
        with catalogue.snapshot():
            stamp = index_stamp(space)
            moment, segments = catalogue.moment(), segments_of(catalogue, number, space)
            before = known.choice if known and known.number == number else None
            choice = choose(segments, space, wanted, before)
            if choice.index is None or choice.shard is None:
                store: Store = Searchable.load(catalogue, number, space).store
            else:
                for _ in segments.blocks():
                    pass  # once mapped, they stay readable whatever a writer deletes
                rows = CatalogueRows(catalogue, number, segments)
                store = QdrantStore(choice.shard, choice.index.end, choice.index.effort, rows)
        return cls(number, space, store, moment, wanted, stamp, choice)

    @property
    def notes(self) -> list[str]:
        """What a person should know of how it was searched."""
        notes = [self.choice.note] if self.choice.note else []
        if isinstance(self.store, QdrantStore) and self.store.trouble:
            notes.append(f"every vector was looked at: {self.store.trouble}{_rebuild(self.space)}")
        return notes


def segments_of(catalogue: Catalogue, number: int, space: Space) -> Segments:
    """The segments of a space, as the catalogue has them."""
    rows = dict(catalogue.rows("SELECT segment, rows FROM segments WHERE space = ?", number))
    return Segments(space.folder / "vectors", space.dim, rows)


def index_folder(space: Space) -> Path:
    """Where the index of a space is."""
    return space.folder / "index"


def index_stamp(space: Space) -> int | None:
    """When the index of a space was built, in ns; None where there is none."""
    with suppress(OSError):
        return (index_folder(space) / "index.json").stat().st_mtime_ns
    return None


def choose(segments: Segments, space: Space, wanted: str, before: Choice | None = None) -> Choice:
    """Which store answers; `before` is a choice whose shard is taken again where the index is the same."""
    if wanted not in STORES:
        raise UnknownName("store", wanted, STORES)
    total = sum(segments.rows.values())
    if wanted == "exact" or (wanted == "auto" and total < MANY) or not total:
        return Choice()
    folder, why, remedy = index_folder(space), "", _rebuild(space)
    for _ in range(2):  # a new index may have taken the place of the one that was about to be opened
        try:
            index = read_index(folder)
            if index is None:
                return Choice(note=f"there is no index, so all {total:,} vectors were looked at{remedy}")
            if before and before.index and before.index.folder == index.folder:
                check_fits(index, segments)
                shard = before.shard
            else:
                shard = open_index(folder, index, segments)
        except Unusable as error:
            why, remedy = str(error), f": {error.remedy}" if error.remedy else remedy
        else:
            behind = total - index.posts
            note = f"{behind:,} vectors are not in the index yet{remedy}" if behind >= BEHIND else None
            return Choice(index, shard, note)
    return Choice(note=f"all {total:,} vectors were looked at, since the index {why}{remedy}")


def _rebuild(space: Space) -> str:
    album = space.folder.parent.parent
    return f": run `cartolina index rebuild {shlex.quote(str(album))}`"
