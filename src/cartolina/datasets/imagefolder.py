"""`imagefolder`: one folder per class, as torchvision's ImageFolder and ImageNet lay pictures out.

    scenes/train/coast/n1.jpg        or without train/test/val:  scenes/coast/n1.jpg
    scenes/train/forest/n2.jpg
    scenes/test/coast/n3.jpg

The class becomes the post's label (for evaluation only), never a tag. What the pictures carry in themselves
is read as `folder` reads it, so that taking a tree of photos for classes costs nothing. Ids are paths
relative to the root.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from cartolina.datasets.dataset import Dataset, Listed, Skipped
from cartolina.datasets.folder import listed, read_post
from cartolina.datasets.suffixes import IMAGE_SUFFIXES
from cartolina.datasets.walk import Picture, natural, pictures
from cartolina.errors import InputError
from cartolina.post import Post

__all__ = ["IMAGEFOLDER", "ImageFolderReader"]

_SPLITS = ("train", "training", "val", "valid", "validation", "dev", "test", "testing")
_LOOKED_AT = 8  # class folders whose first picture is opened to see if it carries words of its own


@dataclass(frozen=True)
class ImageFolderReader:
    """Reads a class per folder."""

    name: str = "imagefolder"

    def detect(self, path: Path) -> str | None:
        """Recognise two or more folders of bare pictures, alone or inside train/test/val folders.

        Pictures with words, a place or sidecars of their own make it a `folder` of photos instead.
        """
        try:
            splits = _splits(path)
            for home in [path / split for split in splits] or [path]:
                classes = _folders(home)
                if len(classes) < 2 or _has_pictures(home) or not all(_has_pictures(one) for one in classes):
                    return None
                if not all(_is_bare(one) for one in classes[:_LOOKED_AT]):
                    return None
        except OSError:
            return None
        return _why(path)

    def open(self, path: Path, columns: Mapping[str, str] | None = None) -> Dataset:
        """Open a folder that has class folders."""
        if not path.is_dir() or not _folders(path):
            raise InputError(
                f"{path} has no folders in it: 'imagefolder' reads one folder of pictures per class, "
                "alone or inside train, val and test; for a tree of photos say --format folder"
            )
        splits = _splits(path)
        return Dataset(
            format=self.name,
            root=path,
            why=_why(path),
            splits=splits,
            stream=lambda split: _stream(path, _below(split, splits)),
            count=lambda split: sum(
                isinstance(found, Picture) for found in _walk(path, _below(split, splits))
            ),
            stable_ids=False,
            listing=lambda split: _listing(path, _below(split, splits)),
        )


IMAGEFOLDER = ImageFolderReader()


def _folders(path: Path) -> list[Path]:
    found = [entry for entry in path.iterdir() if _is_own_folder(entry)]
    return sorted(found, key=lambda entry: natural(entry.name))


def _is_own_folder(entry: Path) -> bool:
    return entry.is_dir() and not entry.is_symlink() and not entry.name.startswith(".")


def _splits(path: Path) -> tuple[str, ...]:
    """Return the names of the top folders that are splits, train first; then only those are read."""
    found = [entry.name for entry in _folders(path) if entry.name.lower() in _SPLITS]
    return tuple(sorted(found, key=lambda name: _SPLITS.index(name.lower())))


def _below(split: str | None, splits: tuple[str, ...]) -> list[str]:
    return [f"{name}/" for name in ([split] if split else splits)] or [""]


def _has_pictures(folder: Path) -> bool:
    return any(entry.suffix.lower() in IMAGE_SUFFIXES for entry in folder.iterdir())


def _is_bare(folder: Path) -> bool:
    first = next((found for found in pictures(folder) if isinstance(found, Picture)), None)
    if first is None:
        return True
    post = next((item for item in read_post(first) if isinstance(item, Post)), None)
    return post is not None and not (post.captions or post.tags or post.place)


def _why(path: Path) -> str:
    splits = _splits(path)
    classes = {one.name for home in [path / split for split in splits] or [path] for one in _folders(home)}
    names = sorted(classes, key=natural)
    some = ", ".join(islice(names, 3)) + (", …" if len(names) > 3 else "")
    inside = f" inside {' and '.join(splits)}" if splits else ""
    return f"{len(names)} folders named by class ({some}){inside}, the classes read as labels, not tags"


def _walk(root: Path, below: list[str]) -> Iterator[Picture | Skipped]:
    for home in below:
        for found in pictures(root, home):
            if isinstance(found, Picture) and "/" not in found.id.removeprefix(home):
                yield Skipped(found.id, "no class folder", "the picture lies beside the class folders")
            else:
                yield found


def _listing(root: Path, below: list[str]) -> Iterator[Listed | Skipped]:
    for home in below:
        for found in _walk(root, [home]):
            if isinstance(found, Skipped):
                yield found
            else:
                yield listed(found, labels=(found.id.removeprefix(home).partition("/")[0],))


def _stream(root: Path, below: list[str]) -> Iterator[Post | Skipped]:
    for found in _listing(root, below):
        if isinstance(found, Skipped):
            yield found
        else:
            yield from found.read()
