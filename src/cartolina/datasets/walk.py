"""What lies in a tree of photos: its pictures and the files beside them, folder by folder, none opened.

Hidden files and folders are passed over. Links to pictures inside the tree are found; links to its folders
are passed over, since those are read where they are; links that leave the tree are skipped and counted (a
sidecar's, silently).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cartolina.datasets.dataset import Skipped
from cartolina.datasets.suffixes import SIDECARS, kind_of

__all__ = ["Folder", "Picture", "folders", "names_in_folder", "natural", "pictures", "printable"]

_SHOWN = (".jpg", ".jpeg", ".heic", ".heif", ".hif")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture found in a tree: its path, its id, the sidecar files of its folder by lower-case name.

    `raws` are the RAWs it stands for, which are no pictures of their own then.
    """

    path: Path
    id: str
    siblings: Mapping[str, Path]
    raws: tuple[Path, ...] = ()

    @property
    def stem(self) -> str:
        """The file's name without its suffix, as it is compared."""
        return self.path.stem.casefold()


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of a tree: `id` is "" or ends in "/"; `siblings` are as a `Picture` has them."""

    path: Path
    id: str
    siblings: dict[str, Path] = field(default_factory=dict)


def names_in_folder(folder: Path) -> list[str]:
    """The names of what is in a folder, in no order; none where it is no folder. Quick for 100,000."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]


def pictures(root: Path, below: str = "") -> Iterator[Picture | Skipped]:
    """Walk a tree in natural order.

    `below` ("" or "name/") is a folder of it to walk alone; ids stay relative to `root`.
    """
    return (found for found in folders(root, below) if not isinstance(found, Folder))


def folders(root: Path, below: str = "") -> Iterator[Folder | Picture | Skipped]:
    """Walk a tree as `pictures` does; each folder comes before what is in it."""
    home = os.path.realpath(root)
    waiting: list[Folder | Picture | Skipped] = [Folder(root / below, below)]
    while waiting:
        found = waiting.pop()
        if isinstance(found, Folder):
            try:
                waiting += reversed(_listing(found, home))
            except OSError as error:
                yield Skipped(printable(found.id) or ".", "unreadable folder", error.strerror or str(error))
                continue
        yield found


def _listing(folder: Folder, home: str) -> list[Folder | Picture | Skipped]:
    """What is in a folder, in natural order; its `siblings` are filled in."""
    with os.scandir(folder.path) as listing:
        entries = [entry for entry in listing if not entry.name.startswith(".")]
    entries.sort(key=lambda entry: natural(entry.name))
    folder.siblings.update(
        (entry.name.casefold(), Path(entry.path))
        for entry in entries
        if entry.name.lower().endswith(SIDECARS)
        and entry.is_file()
        and (not entry.is_symlink() or _is_inside(entry.path, home))
    )
    found = (_classify(entry, folder.id + entry.name, folder.siblings, home) for entry in entries)
    return [*_stacked([item for item in found if item is not None])]


def _stacked(found: list[Folder | Picture | Skipped]) -> Iterator[Folder | Picture | Skipped]:
    """A folder's entries, each RAW that has a picture of the same name put with that picture."""
    shown: dict[str, Picture] = {}
    raws: dict[str, list[Path]] = {}
    for item in found:
        if isinstance(item, Picture):
            if kind_of(item.path) == "raw":
                raws.setdefault(item.stem, []).append(item.path)
            else:
                shown[item.stem] = min(shown.get(item.stem, item), item, key=_rank)
    for item in found:
        if isinstance(item, Picture) and item.stem in shown and item.stem in raws:
            if item.path in raws[item.stem]:
                continue
            if item is shown[item.stem]:
                yield replace(item, raws=tuple(raws[item.stem]))
                continue
        yield item


def _rank(picture: Picture) -> int:
    """What is shown of a stack: first what cameras write beside a RAW."""
    suffix = picture.path.suffix.lower()
    return _SHOWN.index(suffix) if suffix in _SHOWN else len(_SHOWN)


def _classify(
    entry: os.DirEntry[str], entry_id: str, siblings: Mapping[str, Path], home: str
) -> Folder | Picture | Skipped | None:
    kind = kind_of(entry.name)
    if entry.is_symlink():
        target = os.path.realpath(entry.path)
        is_folder = Path(target).is_dir()
        if kind is None and not is_folder:
            return None
        if not _is_inside(target, home):
            return Skipped(printable(entry_id), "link leaves the folder", f"to {printable(target)}")
        if is_folder:
            return None
        if Path(target).is_symlink() or not os.path.lexists(target):  # a realpath that is a link is a loop
            return Skipped(printable(entry_id), "no such image", f"a broken link to {printable(target)}")
        is_file = Path(target).is_file()
    elif entry.is_dir():
        return Folder(Path(entry.path), f"{entry_id}/")
    elif kind is None:
        return None
    else:
        is_file = entry.is_file()
    if not is_file:  # reading one may wait for ever
        return Skipped(printable(entry_id), "not a regular file", "a pipe, a socket or a device")
    if kind == "video":
        return Skipped(printable(entry_id), "video", "only photos are read")
    if printable(entry_id) != entry_id:  # ids and paths are kept as text, which this name is not
        return Skipped(printable(entry_id), "bad file name", "not UTF-8: rename it")
    return Picture(Path(entry.path), entry_id, siblings)


def _is_inside(path: str, home: str) -> bool:
    """Tell whether `path`, its links followed, is `home` (a real path) or below it."""
    return os.path.commonpath((os.path.realpath(path), home)) == home


def natural(name: str) -> tuple[list[str | int], str]:
    """Order names as people do: IMG_2 before IMG_10, capitals beside small letters.

    >>> sorted(["b10.jpg", "B2.jpg", "a.jpg"], key=natural)
    ['a.jpg', 'B2.jpg', 'b10.jpg']
    """
    parts = re.split(r"(\d+)", name)
    # Every second part is a number; asking isdigit() instead would take "²" for one.
    return [int(part) if at % 2 else part.casefold() for at, part in enumerate(parts)], name


def printable(name: str) -> str:
    """Show a file name's bytes that are not UTF-8 as `\\xe9`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
