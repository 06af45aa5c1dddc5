"""A consistent copy of an album, taken while it may be written to, without what is derived.

The catalogue is copied as of one moment (SQLite's online backup); then what it names: the spaces' files, the
The catalogue is copied as of one moment (SQLite's online backup); then what it names: files of spaces, the
are made again when needed. Photos are not copied: they are not the album's.

A backup is an album: to restore one is to copy its folder back. A second backup to the same place takes over
what is the same there (hard links where the disk has them), and replaces the former one in one step once it
is whole.
"""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from errno import ENOENT
from functools import partial
from pathlib import Path
from uuid import uuid4

from cartolina.album.album import Album
from cartolina.album.catalogue import Catalogue, now
from cartolina.album.checks import check
from cartolina.album.install import fingerprint
from cartolina.durable import fsync_file, fsync_folder, swap_folders, write_bytes
from cartolina.errors import AlbumError, InputError
from cartolina.progress import SILENT, Progress, Step
from cartolina.store.segments import copy_rows, has_rows

__all__ = ["BackupReport", "backup"]

MARK = "backup.json"
LOOKS = 8
"""How often a copy is begun anew because a compaction has just replaced the files it was about to read."""


@dataclass(slots=True)
class BackupReport:
    """`files` of `bytes` are in the backup, `reused` of them from the one before; `missing` own pictures are
    named by the catalogue and not there."""

    path: Path
    posts: int = 0
    files: int = 0
    bytes: int = 0
    reused: int = 0
    missing: int = 0


def backup(album: Path | str, destination: Path | str, progress: Progress = SILENT) -> BackupReport:
    """Copy the album at `album` to `destination`, which must not exist or be an earlier backup of it.

    Whole or not at all: what was there stays until the new copy is whole, on disk and checked. Raises
    `InputError` for a destination that is something else, and `AlbumError` for an album that is damaged.
    """
    source, target = Path(album).absolute(), Path(destination).absolute()
    with Album.open(source) as opened:
        uuid, catalogue = opened.uuid, opened._catalogue
        former = _former(source, target, uuid, catalogue)
        target.parent.mkdir(parents=True, exist_ok=True)
        for left in target.parent.glob(f".{target.name}.*.backup"):  # by a killed backup
            shutil.rmtree(left)
        for _ in range(LOOKS):
            staged = target.with_name(f".{target.name}.{uuid4().hex}.backup")
            staged.mkdir()
            try:
                report = _copy(opened, staged, former, progress)
                _verify(staged, progress)
                _flush(staged)
                _put_in_place(staged, target)
            except FileNotFoundError as error:  # replaced by a writer since the catalogue was copied
                gone = error
            else:
                report.path = target
                return report
            finally:
                shutil.rmtree(staged, ignore_errors=True)
    raise AlbumError(f"{gone.filename} is missing: `cartolina check {source}` says what can be done")


def _former(source: Path, target: Path, uuid: str, catalogue: Catalogue) -> Path | None:
    """The backup that is at `target`, if one of this album is; raises `InputError` for anything else."""
    inside = target.resolve()
    if source.resolve() in (inside, *inside.parents):
        raise InputError(
            f"{target} lies in the album itself: choose a folder elsewhere, best on another disk"
        )
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return None
    try:
        mark = json.loads((target / MARK).read_bytes())
        theirs = json.loads((target / "album.json").read_bytes())["uuid"]
        is_ours = mark["uuid"] == uuid == theirs
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"there is something at {target} that is no backup: choose another folder") from None
    if not is_ours:
        raise InputError(
            f"{target} is the backup of another album ({mark.get('album')}): choose another folder"
        )
    _refuse_what_went_on(target, catalogue)
    return target


def _refuse_what_went_on(target: Path, catalogue: Catalogue) -> None:
    """A backup that somebody has used as an album since may hold what the album does not."""
    try:
        former = Catalogue(target / "album.sqlite")
    except AlbumError:
        return  # damaged: nothing that could be lost
    try:
        with suppress(sqlite3.DatabaseError):
            last = former.rows("SELECT entry, at, action FROM journal ORDER BY entry DESC LIMIT 1")
            if last and last != catalogue.rows(
                "SELECT entry, at, action FROM journal WHERE entry = ?", last[0][0]
            ):
                raise InputError(
                    f"{target} was written to since it was a backup, and holds what the album does not: "
                    "choose another folder"
                )
    finally:
        former.close()


def _copy(album: Album, staged: Path, former: Path | None, progress: Progress) -> BackupReport:
    report = BackupReport(staged)
    _copy_catalogue(album._catalogue.connection, staged / "album.sqlite")
    catalogue = Catalogue(staged / "album.sqlite")
    try:
        report.posts = int(catalogue.rows("SELECT count(*) FROM posts")[0][0])
        copier = _Copier(album.path, staged, former, report)
        pictures = sorted(catalogue.own_pictures())
        spaces = catalogue.rows("SELECT space, fingerprint, dim FROM spaces ORDER BY space")
        with progress.task("backup", None, "files") as step:
            for number, name, dim in spaces:
                copier.space(name, step)
                rows = dict(catalogue.rows("SELECT segment, rows FROM segments WHERE space = ?", number))
                copier.segments(name, dim, rows, step)
            copier.pictures(pictures, album._catalogue.own_pictures, step)
    finally:
        catalogue.close()
    copier.count(staged / "album.sqlite")
    shutil.copyfile(album.path / "album.json", staged / "album.json")
    copier.count(staged / "album.json")
    uuid = json.loads((staged / "album.json").read_bytes())["uuid"]
    mark = {"uuid": uuid, "album": str(album.path), "at": now(), "posts": report.posts}
    write_bytes(staged / MARK, json.dumps(mark, indent=1).encode())
    return report


class _Copier:
    """Copies an album's files into a staged backup, those that are the same from the `former` one."""

    def __init__(self, album: Path, staged: Path, former: Path | None, report: BackupReport) -> None:
        self.album, self.staged, self.former, self.report = album, staged, former, report

    def space(self, name: str, step: Step) -> None:
        """The files of a space, which never change; its vectors are apart, its indexes derived."""
        folder = self.album / "spaces" / name
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            inside = path.relative_to(folder)
            if inside.parts[0] not in ("vectors", "index"):
                self._take(
                    Path("spaces") / name / inside, partial(shutil.copyfile, path), partial(_is_same, path)
                )
                step.advance()
        if fingerprint(self.staged / "spaces" / name) != name:
            raise AlbumError(
                f"the space {name} is damaged: run `cartolina check {self.album}`; the former backup stays"
            )

    def segments(self, name: str, dim: int, rows: Mapping[int, int], step: Step) -> None:
        """The rows of vectors that count."""
        for segment, count in rows.items():
            inside = Path("spaces") / name / "vectors" / f"{segment:04d}.npy"
            path = self.album / inside
            self._take(
                inside,
                lambda target, path=path, count=count: copy_rows(path, target, count, dim),  # type: ignore[misc]
                partial(has_rows, path, rows=count, dim=dim),
            )
            step.advance()

    def pictures(self, names: list[str], still_named: Callable[[], set[str]], step: Step) -> None:
        """The album's own pictures, whose names say what is in them."""
        for name in names:
            path = self.album / "pictures" / name
            if not path.exists():
                if name not in still_named():
                    raise FileNotFoundError(ENOENT, "forgotten since", str(path))
                self.report.missing += 1
                continue
            size = path.stat().st_size
            self._take(
                Path("pictures") / name,
                partial(shutil.copyfile, path),
                lambda former, size=size: former.stat().st_size == size,  # type: ignore[misc]
            )
            step.advance()

    def count(self, path: Path) -> None:
        """One more file of the backup."""
        self.report.files += 1
        self.report.bytes += path.stat().st_size

    def _take(self, inside: Path, write: Callable[[Path], object], is_same: Callable[[Path], bool]) -> None:
        target = self.staged / inside
        target.parent.mkdir(parents=True, exist_ok=True)
        former = self.former / inside if self.former else None
        if former is not None and former.is_file() and is_same(former):
            try:
                os.link(former, target)
            except OSError:  # a disk without hard links
                shutil.copyfile(former, target)
            self.report.reused += 1
        else:
            write(target)
        self.count(target)


def _copy_catalogue(source: sqlite3.Connection, target: Path) -> None:
    """All of it as of one moment, whoever writes meanwhile."""
    copy = sqlite3.connect(target)
    try:
        source.backup(copy)
    finally:
        copy.close()


def _is_same(one: Path, other: Path) -> bool:
    return filecmp.cmp(one, other, shallow=False)


def _verify(staged: Path, progress: Progress) -> None:
    """A damaged album never takes the place of a good backup."""
    report = check(staged, progress=progress)
    for finding in report.left:
        if finding.severity == "damage" and finding.kind != "picture-missing":  # counted and told
            raise AlbumError(
                f"the album is damaged ({finding.where}: {finding.detail}), so nothing was backed up; "
                "the former backup stays. Run `cartolina check --repair`"
            )
    (staged / "LOCK").unlink(missing_ok=True)


def _flush(staged: Path) -> None:
    for parent, _, names in os.walk(staged):
        for name in names:
            fsync_file(Path(parent) / name)
        fsync_folder(Path(parent))


def _put_in_place(staged: Path, target: Path) -> None:
    if target.exists() and any(target.iterdir()):
        swap_folders(staged, target)  # the former backup is what is deleted then
    else:
        staged.rename(target)
    fsync_folder(target.parent)
