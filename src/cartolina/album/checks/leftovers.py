"""What killed processes left lying, and caches of features that cannot be read. All of it is derived."""

from __future__ import annotations

import json
import math
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from cartolina.album.checks.findings import Checked, Finding

__all__ = ["look", "look_at_features"]

ROWS_AT_ONCE = 4096


def look(album: Checked) -> Iterator[Finding]:
    """Files nobody names. Only where we are alone: a writer's files are not named yet either."""
    aside = album.path / "damaged"
    if aside.is_dir() and (names := sorted(path.name for path in aside.iterdir())):
        yield Finding(
            "set-aside", "damaged", f"{', '.join(names)}: set aside by a repair, may be deleted", len(names)
        )
    if not album.alone:
        return
    staged = [*(album.path / "tmp").glob("*"), *album.path.glob(".*.tmp")]
    staged += [path for name in ("pictures", "runs") for path in (album.path / name).glob(".*.tmp")]
    for path in sorted(staged):
        yield Finding("staged", _where(album, path), "left by a process that was killed", mend=_removal(path))
    named = album.catalogue.own_pictures()
    pictures = [path for path in (album.path / "pictures").glob("*") if path.name not in named]
    for path in sorted(pictures):
        if not path.name.startswith("."):
            detail = "no post shows it, and no undo could bring one back"
            yield Finding("picture-unused", _where(album, path), detail, mend=_removal(path))
    known = {name: number for number, name in album.catalogue.rows("SELECT space, fingerprint FROM spaces")}
    for folder in sorted((album.path / "spaces").glob("*")):
        if folder.name not in known:
            detail = "the album does not know it: its learning was not finished"
            yield Finding("space-unknown", _where(album, folder), detail, mend=_removal(folder))
            continue
        rows = album.catalogue.rows("SELECT segment FROM segments WHERE space = ?", known[folder.name])
        counted = {f"{segment:04d}.npy" for (segment,) in rows}
        for path in sorted((folder / "vectors").glob("*")):
            if path.name not in counted:
                yield Finding(
                    "segment-unused", _where(album, path), "no vector lies there", mend=_removal(path)
                )


def look_at_features(album: Checked) -> Iterator[Finding]:
    """Caches of features: derived, so what is damaged is deleted and computed again when it is needed."""
    for folder in sorted((album.path / "features").glob("*")):
        where = _where(album, folder)
        try:
            tails = _tails(folder, deep=album.deep)
        except (sqlite3.DatabaseError, OSError, ValueError, KeyError, TypeError) as error:
            album.broken.add(folder.name)
            yield Finding("features", where, str(error) or type(error).__name__, mend=_removal(folder))
            continue
        if tails and album.alone:
            detail = f"{sum(tails.values()):,} bytes that were written when a process was killed"
            yield Finding("features-tail", where, detail, mend=_cut(folder))


def _tails(folder: Path, *, deep: bool) -> dict[Path, int]:
    """Bytes of each shard behind the last row that counts; raises `ValueError` where rows are not there."""
    if not (folder / "index.sqlite").is_file():
        raise ValueError("its index is missing")
    index = sqlite3.connect((folder / "index.sqlite").absolute().as_uri() + "?mode=rw", uri=True, timeout=60)
    try:
        ((said,),) = index.execute("PRAGMA quick_check(1)").fetchall()
        if said != "ok":
            raise ValueError(f"its index is damaged ({said})")
        ((layout,),) = index.execute("SELECT value FROM about WHERE name = 'layout'").fetchall() or [("{}",)]
        width = 2 * math.prod(json.loads(layout)["shape"])
        counted = index.execute("SELECT shard, max(row) + 1 FROM features GROUP BY shard").fetchall()
        tails = {path: path.stat().st_size for path in folder.glob("*.f16")}
        for shard, rows in counted:
            path = folder / f"{shard:04d}.f16"
            if tails.get(path, 0) < rows * width:
                raise ValueError(f"{path.name} has {tails.get(path, 0):,} bytes; {rows:,} features need more")
            tails[path] -= rows * width
            if deep and not _finite(path, rows * width // 2):
                raise ValueError(f"{path.name} holds numbers that are not finite")
    finally:
        index.close()
    return {path: size for path, size in tails.items() if size}


def _finite(path: Path, values: int) -> bool:
    with path.open("rb") as file:
        left = values
        while left:
            some = np.frombuffer(file.read(2 * min(left, 1 << 22)), "<f2")
            if not len(some) or not np.isfinite(some).all():
                return not len(some)
            left -= len(some)
    return True


def _cut(folder: Path) -> Callable[[], str]:
    def mend() -> str:
        index = sqlite3.connect(folder / "index.sqlite", timeout=60, isolation_level=None)
        try:
            index.execute("BEGIN IMMEDIATE")  # whoever computes features now waits
            for path, size in _tails(folder, deep=False).items():
                with path.open("r+b") as file:
                    file.truncate(path.stat().st_size - size)
            index.execute("COMMIT")
        finally:
            index.close()
        return "cut off"

    return mend


def _removal(path: Path) -> Callable[[], str]:
    def mend() -> str:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        return "deleted"

    return mend


def _where(album: Checked, path: Path) -> str:
    return path.relative_to(album.path).as_posix()
