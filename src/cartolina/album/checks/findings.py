"""What a check finds, and what every check is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from uuid import uuid4

from cartolina.album.catalogue import Catalogue
from cartolina.album.searchable import Searchable
from cartolina.album.space import Space
from cartolina.album.writer import Writer
from cartolina.progress import SILENT, Progress

__all__ = ["KINDS", "Checked", "Finding", "Severity"]

Severity = Literal["damage", "leftover", "note"]

KINDS: dict[str, Severity] = {
    "about": "damage",  # album.json
    "catalogue": "damage",  # album.sqlite as SQLite sees it
    "ghost": "damage",  # a row that outlived what it belongs to
    "key-sequence": "damage",  # a removed post's key would be given again
    "full-text": "damage",
    "space": "damage",  # does not open, or its files are not what its name says
    "segment": "damage",  # a file of vectors that is missing, short or no file of vectors
    "vector": "damage",  # a row that is no unit vector, or (deep) not its picture's
    "vector-missing": "damage",  # though the picture's features are there
    "picture-missing": "damage",  # of the album's own
    "picture-changed": "damage",  # (deep) of the album's own
    "picture-elsewhere": "damage",  # named by where the album was once
    "features": "damage",  # a cache that cannot be read
    "picture-unused": "leftover",
    "segment-unused": "leftover",
    "space-unknown": "leftover",
    "staged": "leftover",
    "features-tail": "leftover",
    "vector-lacking": "note",  # its picture may not be readable
    "photo-gone": "note",  # what sync takes offline
    "set-aside": "note",  # by a repair
    "busy": "note",  # another process writes, or nobody may
}
"""Every kind of finding. Programs may rely on the names; new ones may come."""


@dataclass(slots=True)
class Finding:
    """One thing found at `where`. `mend` repairs it and says how; None: it cannot be repaired from here."""

    kind: str
    where: str
    detail: str
    count: int = 1
    mend: Callable[[], str] | None = None
    repaired: str | None = None

    @property
    def severity(self) -> Severity:
        """Whether it is damage, a harmless leftover of a killed process, or only worth knowing."""
        return KINDS[self.kind]


@dataclass(frozen=True)
class Checked:
    """The album that is checked.

    `alone` tells whether we hold its lock, so that nothing changes meanwhile; `broken` are the names of
    spaces and of caches of features that were found not to work.
    """

    path: Path
    catalogue: Catalogue
    alone: bool
    deep: bool = False
    progress: Progress = SILENT
    broken: set[str] = field(default_factory=set)

    def writer(self, number: int, fingerprint: str) -> Writer:
        """A writer of vectors into a space."""
        space = Space.open(self.path / "spaces" / fingerprint)
        return Writer(self.path, self.catalogue, Searchable.load(self.catalogue, number, space))

    def set_aside(self, path: Path) -> Path:
        """Move what is damaged to `damaged/`, for whoever wants to look at it."""
        target = self.path / "damaged" / f"{path.name}-{uuid4().hex[:8]}"
        target.parent.mkdir(exist_ok=True)
        return path.rename(target)
