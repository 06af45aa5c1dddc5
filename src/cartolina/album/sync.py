"""An album kept in step with its sources: what is new or changed is taken in, what is missing goes offline.

Each source is read the way `add` read it. A file is looked into only where its size, its time or its sidecars
differ; one that moved is known by its bytes and keeps its post's id. Posts whose pictures are missing are not
found until they are back. They are forgotten only on request, and never where more than a tenth of a source
has vanished; a source that is gone itself (not there, or empty as the mount point of an unmounted disk is)
stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from cartolina.album.catalogue import Catalogue, SourceRow
from cartolina.album.copies import copies_of, forget, promote, take_offline
from cartolina.album.intake import BATCH, AddReport, Visit, batches
from cartolina.album.writer import Writer
from cartolina.datasets import Dataset, open_dataset
from cartolina.errors import InputError
from cartolina.progress import SILENT, Progress

__all__ = ["MOST_GONE", "SourceReport", "SyncReport", "sync"]

MOST_GONE = 0.1
"""The share of a source's posts that may be offline when they are to be forgotten."""

File = tuple[int, str]
"""A source and the id of a file there."""


@dataclass(slots=True)
class SourceReport:
    """How a source was found: `state` is "read", "gone" (not there, or empty) or "unreadable" (`why`).

    `posts` are those whose picture lies there, `offline` of them have lost it.
    """

    root: Path
    state: str = "read"
    why: str = ""
    posts: int = 0
    offline: int = 0

    @property
    def may_be_pruned(self) -> bool:
        """Whether what is missing here may be taken for deleted."""
        return self.state == "read" and self.offline <= MOST_GONE * self.posts


@dataclass(slots=True)
class SyncReport(AddReport):
    """An `AddReport` with what became of posts that were there.

    `offline` posts have lost their picture just now; `copies_gone` files were copies of pictures that are
    still there; `left_out` files show what a person removed from the album; `pruned` posts were forgotten.
    """

    offline: int = 0
    copies_gone: int = 0
    left_out: int = 0
    pruned: int = 0
    sources: list[SourceReport] = field(default_factory=list)


@dataclass(slots=True)
class _Look:
    """A source as it was found: its report, files (id there, post) that are missing, those that came anew."""

    report: SourceReport
    own: list[tuple[str, int]] = field(default_factory=list)
    copies: list[tuple[str, int]] = field(default_factory=list)
    arrived: set[str] = field(default_factory=set)


def sync(writer: Writer, *, prune: bool = False, progress: Progress = SILENT) -> SyncReport:
    """Bring the album in step with all of its sources; with `prune` forget what is offline, where allowed."""
    report = SyncReport()
    catalogue = writer.catalogue
    looks = {source.number: _look(writer, source, report, progress) for source in catalogue.sources()}
    gone = {number for number, look in looks.items() if look.report.state == "gone"}
    arrived = {(number, name) for number, look in looks.items() for name in look.arrived}
    for number, look in looks.items():
        _forget_copies(catalogue, number, look.copies, report)
    for number, look in looks.items():
        lost = [key for _, key in look.own]
        # Posts of a source that is gone stay as they are, unless another source has their picture.
        lost += catalogue.with_copies(number) if number in gone else []
        _hand_on(writer, lost, arrived, gone, report, may_stay=number in gone)
    for number in gone:
        catalogue.forget_empty_source(number)
    for number, look in looks.items():
        found = look.report
        found.posts, found.offline = catalogue.source_counts(number)
        if prune and found.may_be_pruned and found.offline:
            report.pruned += writer.forget_offline(number)
            found.posts, found.offline = catalogue.source_counts(number)
        report.sources.append(found)
    writer.shifted = True
    writer.compact()
    return report


def _look(writer: Writer, source: SourceRow, report: SyncReport, progress: Progress) -> _Look:
    """Take in what is new or changed in a source, and find what is missing."""
    look = _Look(SourceReport(source.root))
    try:
        source.root.stat()
    except OSError as error:  # also a mount that has gone stale
        look.report.state = "gone"
        look.report.why = "it is not there" if isinstance(error, FileNotFoundError) else str(error.strerror)
        return look
    space = writer.target.space if writer.target else None
    backbones, views = (space.backbones, space.views) if space else ((), ())
    known = len(writer.catalogue.files_of(source.number))
    visit = Visit(source.number, asked=False)
    present: set[str] = set()
    try:
        with progress.task(f"files in {source.root.name}", known or None, "files") as step:
            for dataset, split in _readings(writer.catalogue, source):
                visit = replace(visit, seen=set(), step=step)  # each reading has its own "repeated ids"
                writer.visit(visit, dataset, split, backbones, views, report, progress)
                present |= visit.seen
    except InputError as error:  # a table that lost its columns, a dataset that lost its lists
        look.report.state, look.report.why = "unreadable", str(error)
        return look
    if known and not present and not visit.unread:
        look.report.state, look.report.why = "gone", "there is nothing in it any more"
        return look
    look.arrived = visit.copied
    folders = tuple(f"{folder}/" if folder else "" for folder in visit.unread)
    for name, key, is_copy in writer.catalogue.files_of(source.number):
        if name not in present and not name.startswith(folders):
            (look.copies if is_copy else look.own).append((name, key))
    return look


def _readings(catalogue: Catalogue, source: SourceRow) -> Iterator[tuple[Dataset, str | None]]:
    """The source as it was read; parts of what was read whole are not read twice."""
    readings = catalogue.readings(source)
    whole = {one[:3] for one in readings if one.split is None}
    for one in readings:
        if one.split is None or one[:3] not in whole:
            yield open_dataset(one.path, one.format, dict(one.columns)), one.split


def _forget_copies(
    catalogue: Catalogue, source: int, copies: Sequence[tuple[str, int]], report: SyncReport
) -> None:
    for batch in batches(copies, BATCH):
        with catalogue.transaction():
            for name, key in batch:
                forget(catalogue, key, [(source, name)])
        report.copies_gone += len(batch)


def _hand_on(
    writer: Writer,
    lost: Sequence[int],
    arrived: set[File],
    gone: set[int],
    report: SyncReport,
    *,
    may_stay: bool,
) -> None:
    """Posts that lost their own file: a copy takes its place, else they go offline (or stay as they are)."""
    catalogue = writer.catalogue
    for batch in batches(lost, BATCH):
        orphans: list[int] = []
        with catalogue.transaction():
            for key in batch:
                heirs = [file for file in copies_of(catalogue, key) if file[0] not in gone]
                heirs.sort(key=lambda file: file not in arrived)  # what came just now is where it went
                promote(catalogue, key, heirs[:1])
                if not heirs:
                    orphans.append(key)
                elif heirs[0] in arrived or may_stay:
                    report.moved += 1
                    report.copies -= heirs[0] in arrived
                else:
                    report.copies_gone += 1
            offline = [] if may_stay else catalogue.online(orphans)
            take_offline(catalogue, offline)
        report.offline += len(offline)
        if writer.target and offline:
            writer.target.store.delete(np.array(offline, np.int64))
