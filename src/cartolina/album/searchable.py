"""A space of an album together with its vectors, as the catalogue had them at one moment."""

from __future__ import annotations

from dataclasses import dataclass, field

from cartolina.album.catalogue import Catalogue
from cartolina.album.relevance import Background
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
    _background: list[Background | None] = field(default_factory=list, init=False, repr=False)

    def background(self, catalogue: Catalogue) -> Background | None:
        """What hits are judged against, made when it is first needed; None: the album is too small."""
        if not self._background:
            self._background.append(Background.of(catalogue, self.space, self.store))
        return self._background[0]

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
