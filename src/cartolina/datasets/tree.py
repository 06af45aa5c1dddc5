"""A tree of photos in several parts, folders and archives, read as one.

    takeout-20240101T000000Z-001.zip       Photos from 2019/IMG_1.jpg
    takeout-20240101T000000Z-002.zip       Photos from 2019/IMG_1.jpg.supplemental-metadata.json

Only the names are held in memory. Where the same path is in two parts, the first counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cartolina.datasets.archive import LARGEST, File, Part
from cartolina.datasets.dataset import Dataset, Listed, Skipped
from cartolina.datasets.fields import PhotoMetadata
from cartolina.datasets.locate import NotTaken
from cartolina.datasets.metadata import DISAGREE, Sources, describe_photo
from cartolina.datasets.suffixes import SIDECARS, kind_of
from cartolina.datasets.walk import Folder, Picture, folders
from cartolina.post import Post

__all__ = ["FolderPart", "Item", "Tree", "dataset_of", "pictured"]

Within = Callable[[str], str | None]
"""A path in a part -> the same in the export; None for what does not belong to it."""


class FolderPart(Part):
    """A folder."""

    def files(self) -> Iterator[File | Skipped]:
        """Pictures and what lies beside them."""
        for found in folders(self.path):
            match found:
                case Skipped():
                    yield found
                case Picture():
                    yield File(found.id, self, found.path)
                    for raw in found.raws:  # in an export nothing is stacked
                        yield File(found.id.removesuffix(found.path.name) + raw.name, self, raw)
                case Folder():
                    for path in found.siblings.values():
                        yield File(found.id + path.name, self, path)

    def read(self, file: File, largest: int) -> bytes:
        """The bytes of a file."""
        assert file.path is not None
        try:
            if file.path.stat().st_size > largest:
                raise NotTaken("entry too large", f"more than {largest >> 20} MB")
            return file.path.read_bytes()
        except OSError as error:
            raise NotTaken("unreadable image", error.strerror or str(error)) from error

    def stamp(self, file: File) -> str:
        """Its size and time."""
        assert file.path is not None
        try:
            status = file.path.stat()
        except OSError:  # gone since the folder was listed
            return ""
        return f"{status.st_size}:{status.st_mtime_ns}"


@dataclass(frozen=True)
class _Index:
    pictures: dict[str, File] = field(default_factory=dict)
    beside: dict[str, dict[str, File]] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)


@dataclass(frozen=True)
class Tree:
    """`parts` with what of each belongs to the export; `lost` are parts that could not be opened."""

    parts: Sequence[tuple[Part, Within]]
    lost: Sequence[Skipped] = ()

    @cached_property
    def _index(self) -> _Index:
        index = _Index(skipped=list(self.lost))
        for part, within in self.parts:
            for found in part.files():
                if isinstance(found, Skipped):
                    index.skipped.append(found)
                elif (where := within(found.where)) and not where.startswith(".") and "/." not in where:
                    self._enter(index, File(where, part, found.key))
        return index

    def _enter(self, index: _Index, file: File) -> None:
        kind = kind_of(file.name)
        if file.name.lower().endswith(SIDECARS):
            index.beside.setdefault(file.folder, {}).setdefault(file.name.casefold(), file)
        elif kind == "video":
            index.skipped.append(Skipped(file.where, "video", "only photos are read"))
        elif kind:
            first = index.pictures.setdefault(file.where, file)
            if first.part is file.part and first is not file:
                index.skipped.append(Skipped(file.where, "repeated id", f"twice in {file.part.path.name}"))

    @property
    def pictures(self) -> Mapping[str, File]:
        """All pictures by path."""
        return self._index.pictures

    @property
    def skipped(self) -> Sequence[Skipped]:
        """What was left out already by its name, once though it may be in two parts."""
        return list(dict.fromkeys(self._index.skipped))

    def beside(self, folder: str) -> Mapping[str, File]:
        """The files of a folder ("" or ending in "/") that may speak of its pictures, by lower-case name."""
        return self._index.beside.get(folder, {})

    @property
    def texts(self) -> Iterator[File]:
        """All files that may speak of pictures."""
        return (file for files in self._index.beside.values() for file in files.values())


@dataclass(frozen=True, slots=True)
class Item:
    """A picture of an export: what the export says of it, and the state of the files that say so."""

    id: str
    file: File
    said: Callable[[], PhotoMetadata]
    beside: str


Items = Callable[[], Iterator[Item | Skipped]]


def dataset_of(
    tree: Tree,
    items: Items,
    *,
    format: str,  # noqa: A002  # as `Dataset` has it
    root: Path,
    why: str,
    stable_ids: bool = False,
    count: Callable[[], int] | None = None,
) -> Dataset:
    """The dataset of an export.

    It can be listed, and so be read again where something changed only, unless a part of it is a tar.
    """
    in_order = any(part.in_order for part, _ in tree.parts)
    return Dataset(
        format=format,
        root=root,
        why=why,
        splits=(),
        stream=lambda split: _stream(items()),
        count=lambda split: None if in_order else count() if count else len(tree.pictures),
        stable_ids=stable_ids,
        listing=None if in_order else lambda split: _listing(items()),
    )


def pictured(
    name: str,
    image: Path | bytes,
    said: Sources,
    labels: tuple[str, ...] = (),
    raws: Sequence[Path] = (),
) -> Iterator[Post | Skipped]:
    """Make a picture's post from what is `said` of it and what is embedded in it; first what was dropped."""
    try:
        metadata = describe_photo(image, said, raws)
    except OSError as error:
        yield Skipped(name, "unreadable image", error.strerror or str(error))
        return
    if metadata.is_trash:
        yield Skipped(name, "in the trash", "it was thrown away before the export was made")
        return
    for reason, detail in metadata.problems:
        yield Skipped(name, reason, detail + ("" if reason == DISAGREE else "; the post stays without"))
    yield metadata.post(name, image, labels)


def _read(item: Item, image: Path | bytes | NotTaken) -> Iterator[Post | Skipped]:
    if isinstance(image, NotTaken):
        yield Skipped(item.id, image.reason, str(image))
    else:
        yield from pictured(item.id, image, [("the export", item.said())])


def _read_now(item: Item) -> Iterator[Post | Skipped]:
    try:
        image = item.file.path or item.file.read(LARGEST)
    except NotTaken as error:
        yield from _read(item, error)
    else:
        yield from _read(item, image)


def _stream(items: Iterator[Item | Skipped]) -> Iterator[Post | Skipped]:
    later: dict[Part, dict[object, Item]] = {}
    for item in items:
        if isinstance(item, Skipped):
            yield item
        elif item.file.part.in_order:
            later.setdefault(item.file.part, {})[item.file.key] = item
        else:
            yield from _read_now(item)
    for part, wanted in later.items():
        for key, image in part.each(wanted):
            yield from _read(wanted[key], image)


def _listing(items: Iterator[Item | Skipped]) -> Iterator[Listed | Skipped]:
    for item in items:
        if isinstance(item, Skipped):
            yield item
            continue
        path = item.file.path
        beside = item.beside if path else f"{item.file.stamp()}|{item.beside}"
        yield Listed(item.id, path, beside, lambda item=item: _read_now(item))  # type: ignore[misc]
