"""`takeout`: Google Photos as Google's Takeout exports it, in archives or unpacked.

    takeout-20240101T000000Z-001.zip       -002.zip …: together one export; .tgz likewise
      Takeout/
        Google Photos/                     in the account's language: Google Fotos, Google フォト …
          Photos from 2019/IMG_1.jpg       every photo, by year
                           IMG_1.jpg.supplemental-metadata.json     see google_json.py
          Rimini/metadata.json             an album: its title, then its photos once more
                 IMG_1.jpg
                 IMG_1.jpg.supplemental-metadata.json

Ids are paths below `Google Photos`. The titles of albums and the names of people become tags; years are no
album. What is in the trash is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from cartolina.datasets.archive import File, names_in
from cartolina.datasets.dataset import Dataset, Skipped
from cartolina.datasets.exports import Found, archives_of, located, parts_said, root_of, subfolders, tree_of
from cartolina.datasets.fields import PhotoMetadata, clean, merge, read_captions
from cartolina.datasets.google_json import is_google
from cartolina.datasets.sidecars import read_json, read_sidecars, signature, state
from cartolina.datasets.tree import FolderPart, Item, Tree, dataset_of
from cartolina.errors import InputError

__all__ = ["TAKEOUT", "TakeoutReader"]

_NAMED = re.compile(
    r"(?P<export>takeout-\d{8}T\d{6}Z(?:-\d+)?)-(?P<part>\d{3,})\.(?:zip|tgz|tar\.gz)", re.IGNORECASE
)
_TAKEOUT = re.compile(r"Takeout(?: \d+)?", re.IGNORECASE)  # a Mac calls the second part's folder "Takeout 2"
_LAYOUT = re.compile(r"(?:[^/]+/)?Takeout(?: \d+)?/([^/]+)/(.+)|([^/]+)/(.+)", re.IGNORECASE)
_PHOTOS = re.compile(
    "(?=.*google).*(?:phot|fot|фот|zdj|kuv|fényk|φωτ|ảnh|フォト|포토|相册|相簿|תמונות|صور)", re.IGNORECASE
)
_ALBUM = re.compile(r"(?:meta|méta|мета|メタ|메타|元|中繼|siêu)[^.]*\.json")
# Titles of folders that Takeout makes itself: Photos from 2019, 2019 年の写真, formerly 2019-07-04 #2.
_BY_DATE = re.compile(
    r"\w*(?:phot|fot|фот|bild|zdj|kuv|fényk)\w*(?:['’]s)? (?:\w{1,5} )?(?:19|20)\d\d.{0,6}"
    r"|(?:19|20)\d\d ?[年년].{0,8}"
    r"|[\d\s#.:/-]+",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class TakeoutReader:
    """Reads Google Photos' export."""

    name: str = "takeout"

    def detect(self, path: Path) -> str | None:
        """Recognise the folder that Takeout makes, or archives with it in them."""
        try:
            homes, found = _homes(path), archives_of(path, _NAMED)
        except InputError as error:  # several exports: `open` says so
            return str(error)
        except OSError:
            return None
        known = homes or any(_is_export(archive) for archive in found.archives)
        return _why(homes, found) if known else None

    def open(self, path: Path, columns: Mapping[str, str] | None = None) -> Dataset:
        """Open an export, one of its archives, or the folder `Google Photos` itself, whatever its name."""
        homes, found = located(
            path,
            _homes(path),
            _NAMED,
            "Google Photos: expected takeout-….zip or .tgz, a folder of them, or "
            "the folder Takeout that is in them",
        )
        tree = tree_of(found, homes, lambda part: str if isinstance(part, FolderPart) else _below_photos)
        return dataset_of(
            tree,
            lambda: _items(tree),
            format=self.name,
            root=root_of(path, homes, found),
            why=_why(homes, found),
        )


TAKEOUT = TakeoutReader()


def _why(homes: list[Path], found: Found) -> str:
    return f"Google Photos from Takeout, {parts_said(homes, found)}; albums and people are read as tags"


def _below_photos(where: str) -> str | None:
    match = _LAYOUT.fullmatch(where)
    if match is None:
        return None
    home, below = match[1] or match[3], match[2] or match[4]
    return below if _PHOTOS.match(home) else None


def _is_export(archive: Path) -> bool:
    return any(_below_photos(name) for name in names_in(archive))


def _homes(path: Path) -> list[Path]:
    """The unpacked folders `Google Photos`: `path` itself, or those in `Takeout` at or below it."""
    if not path.is_dir():
        return []
    if _PHOTOS.match(path.name):
        return [path]
    takeouts = [path] if _TAKEOUT.fullmatch(path.name) else _takeouts(path)
    if not takeouts:  # parts, each unpacked into a folder of its own
        takeouts = [takeout for folder in subfolders(path) for takeout in _takeouts(folder)]
    return [home for takeout in takeouts for home in subfolders(takeout) if _PHOTOS.match(home.name)]


def _takeouts(folder: Path) -> list[Path]:
    return [one for one in subfolders(folder) if _TAKEOUT.fullmatch(one.name)]


def _items(tree: Tree) -> Iterator[Item | Skipped]:
    yield from tree.skipped
    album = cache(partial(_album, tree))
    album_state = cache(lambda folder: state(_album_files(tree, folder)))  # once a folder, which may be large
    for where, file in tree.pictures.items():
        siblings = tree.beside(file.folder)
        beside = f"{signature(file.name, siblings)}|{album_state(file.folder)}"
        yield Item(where, file, partial(_said, file.name, siblings, album, file.folder), beside)


def _said(
    name: str, siblings: Mapping[str, File], album: Callable[[str], PhotoMetadata], folder: str
) -> PhotoMetadata:
    return merge([*(said for _, said in read_sidecars(name, siblings)), album(folder)])


def _album_files(tree: Tree, folder: str) -> list[File]:
    return [file for name, file in tree.beside(folder).items() if _ALBUM.fullmatch(name)]


def _album(tree: Tree, folder: str) -> PhotoMetadata:
    """The title of the album that a folder is, as a tag."""
    parts = []
    for file in _album_files(tree, folder):
        try:
            about = read_json(file)
        except InputError as error:
            parts.append(PhotoMetadata(problems=(("bad sidecar", str(error)),)))
            continue
        about = about.get("albumData", about) if isinstance(about, dict) else {}
        title = about.get("title") if isinstance(about, dict) and not is_google(about) else None
        if isinstance(title, str) and not _BY_DATE.fullmatch(clean(title)):
            parts.append(PhotoMetadata(tags=read_captions(title)))
    return merge(parts)
