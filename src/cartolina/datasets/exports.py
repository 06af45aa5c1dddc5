"""Where an export lies: its archives, alone or with the others of the same export, and its unpacked folders.

Services cut what they hand out into parts: takeout-20240101T000000Z-001.zip, -002.zip … One of them stands
for all that lie beside it, a folder for all that are in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cartolina.datasets.archive import Part, is_archive, open_archive
from cartolina.datasets.dataset import Skipped
from cartolina.datasets.tree import FolderPart, Tree, Within
from cartolina.datasets.walk import natural
from cartolina.errors import InputError

__all__ = ["Found", "archives_of", "located", "parts_said", "root_of", "subfolders", "tree_of"]


@dataclass(frozen=True)
class Found:
    """The archives of one export, and numbers that are missing among theirs."""

    archives: Sequence[Path] = ()
    missing: Sequence[str] = ()


def archives_of(path: Path, named: re.Pattern[str]) -> Found:
    """The archives of the export at `path`: an archive, whose parts lie beside it, or a folder of them.

    `named` matches their names, with the groups `export`, which all parts share, and perhaps `part`, a number
    from 1. An archive with another name stands for itself. Raises `InputError` for a folder of several
    exports.
    """
    alone = None
    if not path.is_dir():
        alone = named.fullmatch(path.name)
        if not alone:
            return Found([path] if is_archive(path) else [])
    exports: dict[str, dict[Path, re.Match[str]]] = {}
    for one in sorted((path if alone is None else path.parent).iterdir(), key=lambda one: natural(one.name)):
        if (match := named.fullmatch(one.name)) and is_archive(one):
            exports.setdefault(match["export"], {})[one] = match
    if alone:
        exports = {alone["export"]: exports[alone["export"]]}
    if len(exports) > 1:
        names = ", ".join(sorted(exports)[:5])
        raise InputError(f"{path} holds several exports ({names}): give one, or an archive of it")
    if not exports:
        return Found()
    (parts,) = exports.values()
    return Found(list(parts), _missing(parts))


def located(
    path: Path, folders: list[Path], named: re.Pattern[str], expected: str
) -> tuple[list[Path], Found]:
    """The unpacked `folders` and the archives of the export at `path`; a folder with neither is its own.

    Raises `InputError` for what is no export, with what was `expected`.
    """
    found = archives_of(path, named)
    if not folders and not found.archives:
        if not path.is_dir():
            raise InputError(f"{path} is no export of {expected}")
        return [path], found
    return folders, found


def _missing(parts: Mapping[Path, re.Match[str]]) -> list[str]:
    """Archives that are not there though later ones are."""
    first, match = next(iter(parts.items()))
    if "part" not in match.re.groupindex or match["part"] is None:
        return []
    there = {int(one["part"]) for one in parts.values() if one["part"]}
    start, end = match.span("part")
    lost = sorted(set(range(1, max(there))) - there)
    width = end - start
    return [f"{first.name[:start]}{number:0{width}}{first.name[end:]}" for number in lost]


def tree_of(found: Found, folders: Sequence[Path], within: Callable[[Part], Within]) -> Tree:
    """The archives and folders of an export as one tree; `within` says what of a part belongs to it.

    What cannot be opened is left out and told, unless nothing else is there: then `InputError` is raised.
    """
    parts: list[Part] = [FolderPart(folder) for folder in folders]
    lost = [
        Skipped(name, "missing part", "later parts of the export are there, this one is not")
        for name in found.missing
    ]
    for path in found.archives:
        try:
            parts.append(open_archive(path))
        except InputError as error:
            if len(found.archives) == 1 and not folders:
                raise
            lost.append(Skipped(path.name, "damaged archive", str(error)))
    if not parts:
        raise InputError(f"none of {len(found.archives)} archives can be read: {lost[0].detail}")
    return Tree([(part, within(part)) for part in parts], lost)


def root_of(path: Path, folders: Sequence[Path], found: Found) -> Path:
    """What an export is known by, whichever of its parts or levels was given."""
    if len(folders) == 1 and not found.archives:
        return folders[0]
    return path if path.is_dir() else found.archives[0]


def parts_said(folders: Sequence[Path], found: Found) -> str:
    """In words, what an export lies in."""
    names = [f"{folder.name}/" for folder in folders] + [path.name for path in found.archives]
    if len(names) == 1:
        return f"in {names[0]}"
    return f"in {len(names)} parts: {', '.join(names[:3])}{', …' if len(names) > 3 else ''}"


def subfolders(path: Path) -> list[Path]:
    """The folders in a folder that are neither hidden nor links, in natural order."""
    found = [one for one in path.iterdir() if is_folder(one)]
    return sorted(found, key=lambda one: natural(one.name))


def is_folder(path: Path) -> bool:
    """Tell a folder of its own from a link to one."""
    return path.is_dir() and not path.is_symlink() and not path.name.startswith(".")
