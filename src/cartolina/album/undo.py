"""Undo and redo: the last action on an album taken back, whole or not at all.

Posts come back under their own keys, in one transaction together with their vectors: those whose rows are
still on disk at once, others from the cached features; only a picture whose features are gone is read again,
after that. Where another space was made the active one, the former one gets the vectors of the posts that
came since before it takes over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from cartolina.album import history
from cartolina.album.catalogue import Catalogue
from cartolina.album.copies import remember_removal
from cartolina.album.history import Action
from cartolina.album.searchable import Searchable
from cartolina.album.writer import Writer
from cartolina.errors import AlbumError, InputError
from cartolina.progress import SILENT, Progress

__all__ = ["UndoReport", "look", "take_back"]


@dataclass(slots=True)
class UndoReport:
    """What taking `action` back does: ids of posts that went `out`, came `back`, were `restored`.

    `space` is the fingerprint of the space that is searched from now on, where another one was before ("":
    none; None: nothing changed). `left` are sentences about what could not be taken back; `skipped` counts
    posts whose picture could not be read to give them their vector, by reason.
    """

    action: Action
    redo: bool
    out: list[str]
    back: list[str]
    restored: list[str]
    space: str | None = None
    left: list[str] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)


def look(catalogue: Catalogue, *, redo: bool = False) -> tuple[UndoReport, Action]:
    """What would be done, and the entry that would be taken back; raises `InputError` where there is none."""
    entry = history.last_undo(catalogue) if redo else history.last_action(catalogue)
    if entry is None:
        raise InputError(
            "there is nothing to redo: nothing was undone, or something was done since"
            if redo
            else "there is nothing to undo: nothing was done, or it is too long ago and not kept any more"
        )
    todo = history.changes(catalogue, entry.entry)
    posts = catalogue.posts([*todo.out, *todo.restored])
    report = UndoReport(
        history.undone_by(catalogue, entry) if redo else entry,
        redo,
        [posts[key].id for key in todo.out],
        history.former_ids(catalogue, entry.entry, todo.back),
        [posts[key].id for key in todo.restored],
        None if entry.space is None else entry.former_space or "",
    )
    return report, entry


def take_back(
    writer: Writer,
    load: Callable[[str], Searchable],
    *,
    redo: bool = False,
    progress: Progress = SILENT,
) -> UndoReport:
    """Take the last action back, or the last undo; `load` opens a space by its fingerprint."""
    catalogue = writer.catalogue
    report, entry = look(catalogue, redo=redo)
    todo = history.changes(catalogue, entry.entry)
    if report.space:
        try:
            target = load(report.space)
        except AlbumError as error:
            report.left.append(f"the space that was searched before stays out of use: {error}")
            report.space = None
        else:
            writer = replace(writer, target=target)
            going = set(todo.out)
            keys = [one.key for one in catalogue.without_vector(target.number) if one.key not in going]
            report.skipped += writer.embed(progress, keys).skipped
    elif report.space == "":
        writer = replace(writer, target=None)
    changed = len(todo.out) + len(todo.back) + len(todo.restored)
    with catalogue.transaction(), progress.task("redo" if redo else "undo", changed, "posts") as step:
        if not redo:  # sync leaves out what was taken back, as it does what was removed
            remember_removal(catalogue, todo.out)
        history.restore(catalogue, entry.entry, todo, step)
        if report.space is not None:
            catalogue.set_active_space(report.space or None)
        if redo:
            catalogue.note("redo", changed, f"{report.action.name}: {report.action.detail}")
            history.redone(catalogue, entry.entry)
        else:
            history.undone(catalogue, entry.entry)
        writer.place_cached([*todo.back, *todo.restored])
    writer.shifted = True
    if writer.target:
        report.skipped += writer.embed(progress, [*todo.back, *todo.restored]).skipped
    writer.compact()
    return report
