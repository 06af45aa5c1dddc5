"""`folder`: a tree of photos, read with what is embedded in them and what lies beside them.

    photos/
      2019/IMG_2.jpg          EXIF, IPTC and XMP inside
      2019/IMG_2.jpg.xmp      or IMG_2.xmp, .txt, .json: see sidecars.py
      2019/IMG_10.jpg         read after IMG_2: numbers count as numbers
      .thumbnails/            hidden files and folders are passed over, as is all that is no picture

Ids are paths relative to the root, with `/`. Links to pictures inside the tree are read; links to its
folders are passed over, since those are read where they are; links that leave the tree are skipped and
counted (a sidecar's, silently). A zip or a tar archive of photos is read likewise, without unpacking it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cartolina.datasets.archive import ARCHIVES, is_archive, names_in, open_archive
from cartolina.datasets.dataset import Dataset, Listed, Skipped
from cartolina.datasets.sidecars import read_sidecars, signature
from cartolina.datasets.suffixes import kind_of
from cartolina.datasets.tree import Item, Tree, dataset_of, pictured
from cartolina.datasets.walk import Picture, pictures
from cartolina.errors import InputError
from cartolina.post import Post

__all__ = ["FOLDER", "FolderReader", "listed", "read_post"]


@dataclass(frozen=True)
class FolderReader:
    """Reads a tree of photos."""

    name: str = "folder"

    def detect(self, path: Path) -> str | None:
        """Recognise a folder with at least one picture anywhere below it, or an archive of one."""
        if path.is_dir():
            if any(isinstance(found, Picture) for found in pictures(path)):
                return "a tree of pictures, read with what is embedded in them and lies beside them"
        elif is_archive(path) and any(kind_of(name) in ("picture", "raw") for name in names_in(path)):
            return "an archive of pictures, read with what is embedded in them and lies beside them"
        return None

    def open(self, path: Path, columns: Mapping[str, str] | None = None) -> Dataset:
        """Open a folder or an archive, be there pictures in it or not."""
        why = self.detect(path) or "no picture in it so far"
        if is_archive(path):
            tree = Tree([(open_archive(path), str)])
            return dataset_of(tree, lambda: _items(tree), format=self.name, root=path, why=why)
        if not path.is_dir():
            raise InputError(
                f"{path} is not a folder: the format 'folder' reads a folder of pictures, or an archive "
                f"({', '.join(ARCHIVES)}) of one"
            )
        return Dataset(
            format=self.name,
            root=path,
            why=why,
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


def _items(tree: Tree) -> Iterator[Item | Skipped]:
    yield from tree.skipped
    for where, file in tree.pictures.items():
        siblings = tree.beside(file.folder)
        yield Item(where, file, partial(read_sidecars, file.name, siblings), signature(file.name, siblings))


def listed(picture: Picture, labels: tuple[str, ...] = ()) -> Listed:
    """A picture with the state of its sidecars, none of which is opened."""
    beside = signature(picture.path.name, picture.siblings)
    return Listed(picture.id, picture.path, beside, lambda: read_post(picture, labels))


def read_post(picture: Picture, labels: tuple[str, ...] = ()) -> Iterator[Post | Skipped]:
    """Make a picture's post from its metadata; what was dropped of it comes before it."""
    said = read_sidecars(picture.path.name, picture.siblings)  # first: sidecars are edited later
    return pictured(picture.id, picture.path, said, labels)
