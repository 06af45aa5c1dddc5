"""`folder`: a tree of photos, read with what is embedded in them and what lies beside them.

    photos/
      2019/IMG_2.jpg          EXIF, IPTC and XMP inside
      2019/IMG_2.jpg.xmp      or IMG_2.xmp, .txt, .json: see sidecars.py
      2019/IMG_2.CR2          the same photo as a RAW: stacked with IMG_2.jpg, no post of its own
      2019/IMG_10.jpg         read after IMG_2: numbers count as numbers
      .thumbnails/            hidden files and folders are passed over, as is all that is no picture

A RAW and a picture of the same name in the same folder are one post: its picture is the JPEG (or HEIC, or
what there is), its words and place are those of both and of the sidecars of both. A RAW alone is a post.

Ids are paths relative to the root, with `/`. Links to pictures inside the tree are read; links to its
folders are passed over, since those are read where they are; links that leave the tree are skipped and
counted (a sidecar's, silently).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cartolina.datasets.dataset import Dataset, Listed, Skipped
from cartolina.datasets.fields import PhotoMetadata
from cartolina.datasets.metadata import DISAGREE, describe_photo
from cartolina.datasets.sidecars import SIDECARS, signature
from cartolina.datasets.suffixes import kind_of
from cartolina.errors import InputError
from cartolina.post import Post

__all__ = [
    "FOLDER",
    "STACKED",
    "FolderReader",
    "Picture",
    "describe",
    "listed",
    "natural",
    "pictures",
    "read_post",
]


STACKED = "RAW beside its picture"
"""The reason why a RAW is no post of its own."""

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


@dataclass(frozen=True)
class FolderReader:
    """Reads a tree of photos."""

    name: str = "folder"

    def detect(self, path: Path) -> str | None:
        """Recognise a folder with at least one picture anywhere below it."""
        if not path.is_dir() or not any(isinstance(found, Picture) for found in pictures(path)):
            return None
        return "a tree of pictures, read with what is embedded in them and lies beside them"

    def open(self, path: Path, columns: Mapping[str, str] | None = None) -> Dataset:
        """Open a folder, be there pictures in it or not."""
        if not path.is_dir():
            raise InputError(f"{path} is not a folder: the format 'folder' reads a folder of pictures")
        return Dataset(
            format=self.name,
            root=path,
            why=self.detect(path) or "no picture in it so far",
            splits=(),
            stream=lambda split: _stream(path),
            count=lambda split: sum(isinstance(found, Picture) for found in pictures(path)),
            stable_ids=False,
            listing=lambda split: (
                found if isinstance(found, Skipped) else listed(found) for found in pictures(path)
            ),
        )


FOLDER = FolderReader()


def _stream(root: Path) -> Iterator[Post | Skipped]:
    for found in pictures(root):
        if isinstance(found, Skipped):
            yield found
        else:
            yield from read_post(found)


def listed(picture: Picture, labels: tuple[str, ...] = ()) -> Listed:
    """A picture with the state of its sidecars and RAWs, none of which is opened."""
    beside = signature(picture.path, picture.siblings, picture.raws)
    return Listed(picture.id, picture.path, beside, lambda: read_post(picture, labels))


def read_post(picture: Picture, labels: tuple[str, ...] = ()) -> Iterator[Post | Skipped]:
    """Make a picture's post from its metadata; what was dropped of it comes before it."""
    try:
        metadata = describe(picture)
    except OSError as error:
        yield Skipped(picture.id, "unreadable image", error.strerror or str(error))
        return
    for raw in picture.raws:
        yield Skipped(_beside(picture, raw), STACKED, f"one post with {picture.path.name}")
    for reason, detail in metadata.problems:
        lost = "" if reason == DISAGREE else "; the post stays without"
        yield Skipped(picture.id, reason, detail + lost)
    yield metadata.post(picture.id, picture.path, labels)


def describe(picture: Picture) -> PhotoMetadata:
    """Read what is known of a picture; raises `OSError` when it cannot be opened."""
    return describe_photo(picture.path, picture.siblings, picture.raws)


def _beside(picture: Picture, path: Path) -> str:
    """The id of another file of the picture's folder."""
    return picture.id.removesuffix(picture.path.name) + printable(path.name)


def pictures(root: Path, below: str = "") -> Iterator[Picture | Skipped]:
    """Walk a tree in natural order, opening no file.

    `below` ("" or "name/") is a folder of it to walk alone; ids stay relative to `root`.
    """
    home = os.path.realpath(root)
    waiting: list[_Folder | Picture | Skipped] = [_Folder(root / below, below)]
    while waiting:
        found = waiting.pop()
        if not isinstance(found, _Folder):
            yield found
            continue
        try:
            waiting += reversed(_entries(found, home))
        except OSError as error:
            yield Skipped(printable(found.id) or ".", "unreadable folder", error.strerror or str(error))


@dataclass(frozen=True, slots=True)
class _Folder:
    path: Path
    id: str  # relative to the root: "" or with "/" at its end


def _entries(folder: _Folder, home: str) -> list[_Folder | Picture | Skipped]:
    with os.scandir(folder.path) as listing:
        entries = [entry for entry in listing if not entry.name.startswith(".")]
    entries.sort(key=lambda entry: natural(entry.name))
    siblings = {
        entry.name.casefold(): Path(entry.path)
        for entry in entries
        if entry.name.lower().endswith(SIDECARS)
        and entry.is_file()
        and (not entry.is_symlink() or _is_inside(entry.path, home))
    }
    found = (_classify(entry, folder.id + entry.name, siblings, home) for entry in entries)
    return [*_stacked([item for item in found if item is not None])]


def _stacked(found: list[_Folder | Picture | Skipped]) -> Iterator[_Folder | Picture | Skipped]:
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
) -> _Folder | Picture | Skipped | None:
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
        return _Folder(Path(entry.path), f"{entry_id}/")
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
