"""A space of an album and all its vectors, as the catalogue had them at one moment: what writers need."""

from __future__ import annotations

from dataclasses import dataclass

from cartolina.album.catalogue import Catalogue
from cartolina.album.space import Space
from cartolina.store import ExactStore, Segments

__all__ = ["Searchable"]


@dataclass(frozen=True)
class Searchable:
    """`number` is the space's in the catalogue, `moment` the catalogue's when this was loaded."""

    number: int
    space: Space
    store: ExactStore
    moment: int

    @classmethod
    def load(cls, catalogue: Catalogue, number: int, space: Space) -> Searchable:
        """Read where the vectors are and map them.

        Raises `SegmentMissing` when a compaction has just replaced the files of this moment: look again.
        """
        with catalogue.snapshot():
            moment = catalogue.moment()
            rows, keys, positions = catalogue.placement(number)
        segments = Segments(space.folder / "vectors", space.dim, rows)
        for _ in segments.blocks():
            pass  # once mapped, they stay readable whatever a writer deletes
        return cls(number, space, ExactStore(segments, keys, positions), moment)
