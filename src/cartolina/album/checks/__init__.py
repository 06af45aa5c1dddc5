"""Is an album whole, and can it be made so again? Each module looks at one part and knows how to mend it.

>>> report = check("holidays.album")     # doctest: +SKIP
>>> report.is_clean, report.findings     # doctest: +SKIP

The truth is the catalogue and the photos; vectors, the full-text index, caches and album.json are made again
from them. What is lost of the truth itself is named, and only a backup brings it back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cartolina.album.album import FORMAT, Album
from cartolina.album.catalogue import Catalogue
from cartolina.album.checks import about, catalogue, leftovers, pictures, spaces, vectors
from cartolina.album.checks.findings import KINDS, Checked, Finding
from cartolina.album.lock import WriterLock
from cartolina.errors import AlbumError, AlbumLocked, CartolinaError
from cartolina.progress import SILENT, Progress

__all__ = ["KINDS", "CheckReport", "Finding", "check"]

STAGES: tuple[Callable[[Checked], Iterator[Finding]], ...] = (
    catalogue.look,
    about.look,
    leftovers.look_at_features,
    spaces.look,
    vectors.look,
    pictures.look,
    leftovers.look,
)


@dataclass(slots=True)
class CheckReport:
    """What was found, and, after a repair, what is `left`: it was looked at again."""

    album: Path
    deep: bool
    findings: list[Finding] = field(default_factory=list)
    left: list[Finding] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether there is no damage (any more); leftovers and notes are none."""
        return not any(finding.severity == "damage" for finding in self.left)


def check(
    path: Path | str, *, repair: bool = False, deep: bool = False, progress: Progress = SILENT
) -> CheckReport:
    """Look at the album at `path`; with `repair`, mend what can be mended, then look again.

    `deep` reads the album's own pictures and encodes a sample of vectors anew. Without `repair` nothing is
    changed, and the album may be in use. Raises `AlbumError` where there is no album, and `AlbumLocked`
    where another process keeps us from repairing.
    """
    path = Path(path).absolute()
    if not (path / "album.sqlite").exists() and not (path / "album.json").exists():
        Album.open(path)  # says that there is none
    report = CheckReport(path, deep)
    with _held(path, needed=repair) as alone:
        report.findings = report.left = _looked(path, alone, deep, repair, progress)
        if repair and report.findings:
            report.left = _looked(path, alone, deep, False, progress)
    return report


@contextmanager
def _held(path: Path, *, needed: bool) -> Iterator[bool]:
    """Whether we hold the album's lock; where it is `needed` and somebody else does, an error."""
    lock = WriterLock(path / "LOCK")
    try:
        lock.__enter__()
    except AlbumError:
        if needed:
            raise
        yield False
        return
    try:
        yield True
    finally:
        lock.__exit__(None, None, None)


def _looked(path: Path, alone: bool, deep: bool, repair: bool, progress: Progress) -> list[Finding]:
    try:
        opened = Catalogue(path / "album.sqlite")
    except AlbumError as error:
        return [Finding("catalogue", "album.sqlite", str(error))]
    found: list[Finding] = []
    try:
        if opened.version > FORMAT:
            raise AlbumError(f"{path} has format {opened.version}; this program reads {FORMAT}: update it")
        if opened.version < FORMAT:
            if not alone:
                raise AlbumLocked(f"{path} is of an older format and another process writes to it: try later")
            if wrong := catalogue.is_whole(opened):
                return [Finding("catalogue", "album.sqlite", f"{wrong[0]}: restore the album from a backup")]
            try:
                opened.migrate()
            except AlbumError as error:
                return [Finding("catalogue", "album.sqlite", str(error))]
        album = Checked(path, opened, alone, deep, progress)
        if not alone:
            found.append(
                Finding("busy", "LOCK", "another process writes, or nobody may: leftovers not looked for")
            )
        for stage in STAGES:
            some = list(stage(album))
            found += some
            if repair:
                for finding in some:
                    _mend(finding, progress)
            if any(one.kind == "catalogue" and one.repaired is None for one in some):
                break  # nothing it says can be trusted
    except sqlite3.DatabaseError as error:
        found.append(Finding("catalogue", "album.sqlite", f"{error}: restore the album from a backup"))
    finally:
        opened.close()
    return found


def _mend(finding: Finding, progress: Progress) -> None:
    if finding.mend is None:
        return
    try:
        finding.repaired = finding.mend()
    except (CartolinaError, OSError, sqlite3.DatabaseError) as error:
        finding.detail += f"; it could not be repaired: {error}"
    else:
        progress.say(f"{finding.where}: {finding.repaired}")
