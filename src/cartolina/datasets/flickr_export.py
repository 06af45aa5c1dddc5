"""`flickr-export`: what Flickr hands out as "Your Flickr data", in zips or unpacked.

    72157722185468047_06fxe76mos37_part1.zip      the account
      photo_48187123456.json                      {"id", "name", "description", "tags": [{"tag"}], "geo",
                                                   "albums": [{"title"}], "date_taken", …}
      albums.json                                 {"albums": [{"title", "photos": [ids]}]}
    data-download-1.zip, -2.zip …                 the pictures, as uploaded
      sunset-at-the-pier_48187123456_o.jpg        title_ID_o, or ID_secret_o where there was no title
      video_48187123457.mp4

Ids are Flickr's. Titles that are no file names, and descriptions, become captions; tags and the titles of
albums become tags, machine tags (geo:lat=…) not. Coordinates are written in millionths of degrees.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from cartolina.datasets.archive import File, names_in
from cartolina.datasets.dataset import Dataset, Skipped
from cartolina.datasets.exports import Found, archives_of, located, parts_said, root_of, subfolders, tree_of
from cartolina.datasets.fields import (
    PhotoMetadata,
    clean,
    distinct,
    merge,
    read_place,
    read_tags,
    read_taken,
    without_html,
)
from cartolina.datasets.sidecars import read_json, state
from cartolina.datasets.tree import Item, Tree, dataset_of
from cartolina.errors import InputError
from cartolina.post import Place

__all__ = ["FLICKR_EXPORT", "FlickrExportReader"]

_NAMED = re.compile(
    r"(?P<export>)(?:data-download-(?P<part>\d+)|\d{10,}_[0-9a-z]+(?:_part\d+)?)\.zip", re.IGNORECASE
)
_ABOUT = re.compile(r"photo_(\d+)\.json", re.IGNORECASE)
_ORIGINAL = re.compile(r"(?:.*_)?\d+(?:_[0-9a-f]+)?_o\.\w+|video_\d+\.\w+", re.IGNORECASE)
_MARKS = ("albums.json", "account_profile.json")
_LARGEST_LIST = 256 << 20
_OWN_ALBUM = "auto upload"  # Flickr's, not its owner's


@dataclass(frozen=True)
class FlickrExportReader:
    """Reads an account's export from Flickr."""

    name: str = "flickr-export"

    def detect(self, path: Path) -> str | None:
        """Recognise `photo_ID.json` beside the account's lists, in a folder or an archive."""
        try:
            folders, found = _folders(path), archives_of(path, _NAMED)
            known = any(map(_is_account, folders)) or any(map(_is_export, found.archives))
        except OSError:
            return None
        return _why(folders, found) if known else None

    def open(self, path: Path, columns: Mapping[str, str] | None = None) -> Dataset:
        """Open an export: a folder with its zips, or what was in them, or one of the zips."""
        folders, found = located(
            path,
            _folders(path),
            _NAMED,
            "a Flickr account: expected a folder with data-download-1.zip … and "
            "the account's zip, or with what is in them",
        )
        tree = tree_of(found, folders, lambda part: str)
        return dataset_of(
            tree,
            lambda: _items(tree),
            format=self.name,
            root=root_of(path, folders, found),
            why=_why(folders, found),
            stable_ids=True,
        )


FLICKR_EXPORT = FlickrExportReader()


def _why(folders: list[Path], found: Found) -> str:
    return f"a Flickr account's export, {parts_said(folders, found)}; albums are read as tags"


def _is_export(archive: Path) -> bool:
    """An account's archive, or one in which all pictures are called as Flickr calls them."""
    names = [name.rpartition("/")[2] for name in names_in(archive)]
    if any(map(_ABOUT.fullmatch, names)):
        return any(name in _MARKS for name in names)
    return _NAMED.fullmatch(archive.name) is not None and all(map(_ORIGINAL.fullmatch, names)) and bool(names)


def _folders(path: Path) -> list[Path]:
    """Unpacked parts: `path`, if the account's files lie there, or folders in it."""
    if not path.is_dir() or _is_account(path):
        return [path] if path.is_dir() else []
    inside = subfolders(path)
    if not any(map(_is_account, inside)):
        inside = [one for one in inside if _NAMED.fullmatch(f"{one.name}.zip")]
        return inside if any(map(_is_export, archives_of(path, _NAMED).archives)) else []
    return [one for one in inside if _is_account(one) or _NAMED.fullmatch(f"{one.name}.zip")]


def _is_account(folder: Path) -> bool:
    if not any((folder / name).is_file() for name in _MARKS):
        return False
    return any(_ABOUT.fullmatch(entry.name) for entry in folder.iterdir())


def _items(tree: Tree) -> Iterator[Item | Skipped]:
    yield from tree.skipped
    about = {match[1]: file for file in tree.texts if (match := _ABOUT.fullmatch(file.name))}
    lists = [file for file in tree.texts if file.name.lower() == "albums.json"]
    albums = cache(partial(_albums, lists))
    seen = {_id(one.where, about) for one in tree.skipped if one.reason == "video"}
    for where, file in tree.pictures.items():
        name = _id(where, about)
        beside = [file for file in (about.get(name), *lists) if file]
        seen.add(name)
        yield Item(name, file, partial(_said, name, about.get(name), albums), state(beside))
    for name, file in about.items():
        if name not in seen:
            yield Skipped(
                file.name, "no such image", f"{name} is not in the data-download zips that are here"
            )


def _id(where: str, about: Mapping[str, File]) -> str:
    """The photo's id among the numbers in its file's name; the secret may look like one."""
    stem = where.rpartition("/")[2].rpartition(".")[0]
    numbers = [step for step in stem.split("_") if step.isdecimal()]
    known = [number for number in reversed(numbers) if number in about]
    return next(iter(known), "") or max(numbers, key=len, default=where)


def _albums(lists: Sequence[File]) -> dict[str, PhotoMetadata]:
    """The titles of each photo's albums, by its id; "" holds what could not be read."""
    titles: dict[str, list[str]] = {}
    problems = []
    for file in lists:
        try:
            albums = read_json(file, _LARGEST_LIST)
        except InputError as error:
            problems.append(("bad sidecar", str(error)))
            continue
        for album in _objects(albums, "albums"):
            photos = album.get("photos")
            for name in photos if isinstance(photos, list) else []:
                titles.setdefault(str(name), []).append(str(album.get("title") or ""))
    found = {name: PhotoMetadata(tags=_titles(some)) for name, some in titles.items()}
    return {"": PhotoMetadata(problems=tuple(problems)), **found}


def _titles(titles: Sequence[str]) -> tuple[str, ...]:
    cleaned = distinct(clean(without_html(title)) for title in titles)
    return tuple(title for title in cleaned if title.casefold() != _OWN_ALBUM)


def _said(name: str, about: File | None, albums: Any) -> PhotoMetadata:  # noqa: ANN401  # a cached function
    listed = albums()
    own = PhotoMetadata()
    if about is not None:
        try:
            own = _parse(read_json(about))
        except InputError as error:
            own = PhotoMetadata(problems=(("bad sidecar", str(error)),))
    return merge((own, listed.get(name, PhotoMetadata()), listed[""]))


def _parse(values: object) -> PhotoMetadata:
    if not isinstance(values, dict):
        raise InputError("a JSON object was expected")
    title, description = (clean(without_html(str(values.get(key) or ""))) for key in ("name", "description"))
    tags = [str(tag.get("tag") or "") for tag in _objects(values, "tags")]
    albums = [str(album.get("title") or "") for album in _objects(values, "albums")]
    problems = []
    place = taken = None
    try:
        place = _place(values.get("geo"))
    except InputError as error:
        problems.append(("bad coordinates", str(error)))
    try:
        taken = read_taken(values.get("date_taken"))
    except InputError as error:
        problems.append(("bad date", str(error)))
    return PhotoMetadata(
        captions=distinct(("" if _is_file_name(title) else title, description)),
        tags=(*read_tags([tag for tag in tags if not re.search(":.*=", tag)]), *_titles(albums)),
        place=place,
        taken=taken,
        problems=tuple(problems),
    )


def _objects(values: object, key: str) -> list[dict[str, Any]]:
    found = values.get(key) if isinstance(values, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _is_file_name(title: str) -> bool:
    """A title nobody wrote: IMG_1234, DSC00042, 20190704_123456, 2019-07-04 12.34.56."""
    if not re.search(r"[^\W\d_]{2}", title):
        return True
    return " " not in title and re.search(r"\d{3}", title) is not None


def _place(geo: object) -> Place | None:
    if isinstance(geo, list):
        geo = geo[0] if geo else None
    if not isinstance(geo, dict):
        return None
    place = read_place(_degrees(geo.get("latitude")), _degrees(geo.get("longitude")))
    return place if place and (place.lat or place.lon) else None


def _degrees(value: object) -> object:
    """Millionths of degrees, as digits or a number, become degrees; what has a decimal point is degrees."""
    text = str(value if value is not None else "").strip()
    return int(text) / 1e6 if re.fullmatch(r"[+-]?\d+", text) else text
