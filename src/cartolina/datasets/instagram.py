"""`instagram`: what Instagram hands out as "Your information", as JSON, in zips or unpacked.

    instagram-me-2024-10-12-AbCd.zip               large ones: …-part1.zip, -part2.zip …
      your_instagram_activity/media/posts_1.json   formerly …/content/, content/; also posts.json
        [{"media": [{"uri": "media/posts/202307/1.jpg", "title": "…", "creation_timestamp": 1688500000,
                     "media_metadata": {"photo_metadata": {"exif_data": [{"latitude": …}]}}}, …],
          "title": "…", "creation_timestamp": …}, …]
      your_instagram_activity/media/stories.json, archived_posts.json, profile_photos.json, other_content.json
      media/posts/202307/1.jpg

A post of several pictures becomes as many, all with its caption. Ids are the paths in `uri`. Its texts are
UTF-8 whose bytes were each written as a letter (`\\u00c3\\u00a9` for é): they are mended. Only what these
files name is read: pictures in messages are other people's.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cartolina.datasets.archive import File, names_in
from cartolina.datasets.dataset import Dataset, Skipped
from cartolina.datasets.exports import Found, archives_of, located, parts_said, root_of, subfolders, tree_of
from cartolina.datasets.fields import PhotoMetadata, read_captions, read_epoch, read_place
from cartolina.datasets.sidecars import read_json, state
from cartolina.datasets.suffixes import kind_of
from cartolina.datasets.tree import Item, Tree, dataset_of
from cartolina.datasets.walk import natural
from cartolina.errors import InputError
from cartolina.post import Place

__all__ = ["INSTAGRAM", "InstagramReader", "mended"]

_NAMED = re.compile(r"(?P<export>instagram-.+?)(?:[-_]part[-_]?(?P<part>\d+))?\.zip", re.IGNORECASE)
_WITHIN = re.compile(r"(?:[^/]+/)??((?:your_instagram_activity|content|media|stories|photos|profile)/.+)")
_LISTS = re.compile(
    r"(?:your_instagram_activity/)?(?:content|media)/"
    r"(posts(?:_\d+)?|archived_posts|stories|profile_photos|other_content)\.(json|html)"
)
_LARGEST_LIST = 256 << 20


@dataclass(frozen=True)
class InstagramReader:
    """Reads an account's export from Instagram."""

    name: str = "instagram"

    def detect(self, path: Path) -> str | None:
        """Recognise the lists of posts where Instagram puts them, in a folder or an archive."""
        try:
            folders, found = _folders(path), archives_of(path, _NAMED)
            known = folders or any(map(_is_export, found.archives))
        except InputError as error:  # several exports: `open` says so
            return str(error)
        except OSError:
            return None
        return _why(folders, found) if known else None

    def open(self, path: Path, columns: Mapping[str, str] | None = None) -> Dataset:
        """Open an export: its zip, a folder of its zips, or what was in them."""
        folders, found = located(
            path,
            _folders(path),
            _NAMED,
            "an Instagram account: expected instagram-….zip, or the folder that "
            "your_instagram_activity is in",
        )
        tree = tree_of(found, folders, lambda part: _within)
        if _kinds(folders, found) == {"html"}:
            raise InputError(
                f"{path} is an export of an Instagram account as web pages: ask Instagram for it as JSON "
                "(where you request it), or read the pictures without captions: --format folder"
            )
        return dataset_of(
            tree,
            lambda: _items(tree),
            count=lambda: sum(isinstance(item, Item) for item in _items(tree)),
            format=self.name,
            root=root_of(path, folders, found),
            why=_why(folders, found),
        )


INSTAGRAM = InstagramReader()


def _why(folders: list[Path], found: Found) -> str:
    return f"an Instagram account's export, {parts_said(folders, found)}"


def _within(where: str) -> str | None:
    match = _WITHIN.fullmatch(where)
    return match[1] if match else None


def _is_export(archive: Path) -> bool:
    return any(_LISTS.fullmatch(_within(name) or "") for name in names_in(archive))


def _kinds(folders: Sequence[Path], found: Found) -> set[str]:
    """What the lists of posts are: json, html."""
    names = [_within(name) or "" for archive in found.archives for name in names_in(archive)]
    names += [name for folder in folders for name in _lists_in(folder)]
    return {match[2] for name in names if (match := _LISTS.fullmatch(name))}


def _folders(path: Path) -> list[Path]:
    """Unpacked parts: `path`, if the lists of posts are below it, or folders in it."""
    if not path.is_dir():
        return []
    if _lists_in(path):
        return [path]
    inside = subfolders(path)
    if not any(map(_lists_in, inside)):
        return []
    return [one for one in inside if _lists_in(one) or _NAMED.fullmatch(f"{one.name}.zip")]


def _lists_in(path: Path) -> list[str]:
    """The lists of posts below a folder, where Instagram puts them."""
    homes = [f"{top}{name}" for top in ("your_instagram_activity/", "") for name in ("content", "media")]
    names = (
        f"{home}/{one.name}" for home in homes if (path / home).is_dir() for one in (path / home).iterdir()
    )
    return [name for name in names if _LISTS.fullmatch(name)]


def _items(tree: Tree) -> Iterator[Item | Skipped]:
    yield from (one for one in tree.skipped if one.reason != "video")  # those of messages are not counted
    seen: set[str] = set()
    for file in sorted((one for one in tree.texts if _LISTS.fullmatch(one.where)), key=_rank):
        try:
            listed = read_json(file, _LARGEST_LIST)
        except InputError as error:
            yield Skipped(file.where, "bad sidecar", str(error))
            continue
        for entry in _entries(listed):
            media = [one for one in _media(entry) if one["uri"] not in seen]
            seen.update(one["uri"] for one in media)
            for one in media:
                yield from _item(tree, one, partial(_said, entry, media[0], one), state([file]))


def _rank(file: File) -> tuple[int, tuple[list[str | int], str]]:
    """Posts first, the numbered lists before posts.json, which newer exports have too, with more in it."""
    kind = file.name.partition(".")[0]
    return (0 if kind.startswith("posts_") else 1 if kind == "posts" else 2), natural(file.where)


def _item(
    tree: Tree, media: Mapping[str, Any], said: Callable[[], PhotoMetadata], beside: str
) -> Iterator[Item | Skipped]:
    where = posixpath.normpath(media["uri"])
    kind = kind_of(where)
    if kind == "video":
        yield Skipped(where, "video", "only photos are read")
    elif kind and "://" in media["uri"]:
        yield Skipped(media["uri"], "image is a web address", "pictures are not downloaded")
    elif kind:
        names = (where, f"your_instagram_activity/{where}", where.removeprefix("your_instagram_activity/"))
        found = next((tree.pictures[name] for name in names if name in tree.pictures), None)
        if found is None:
            yield Skipped(where, "no such image", "a post has it, and it is in no part that is here")
        else:
            yield Item(where, found, said, beside)


def _entries(listed: object) -> list[dict[str, Any]]:
    """A list of posts, alone or as the only value of an object."""
    if isinstance(listed, dict):
        listed = next((value for value in listed.values() if isinstance(value, list)), [listed])
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _media(value: object) -> Iterator[dict[str, Any]]:
    """All objects with a `uri` in a post, however deep newer exports put them."""
    if isinstance(value, dict):
        if isinstance(value.get("uri"), str) and value["uri"]:
            yield value
        for inner in value.values():
            yield from _media(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _media(inner)


def _said(entry: Mapping[str, Any], first: Mapping[str, Any], media: Mapping[str, Any]) -> PhotoMetadata:
    """What is said of one picture of a post: its own title, and the post's, which may be at the first."""
    texts = (media.get("title"), entry.get("title") or first.get("title"))
    captions = read_captions([mended(text) for text in texts if isinstance(text, str)])
    problems = []
    place = taken = None
    try:
        place = next(filter(None, map(_place, _exif(media))), None)
    except InputError as error:
        problems.append(("bad coordinates", str(error)))
    try:
        taken = read_epoch(media.get("creation_timestamp") or entry.get("creation_timestamp"))
    except InputError as error:
        problems.append(("bad date", str(error)))
    return PhotoMetadata(captions, place=place, taken=taken, problems=tuple(problems))


def _exif(media: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    metadata = media.get("media_metadata")
    for part in metadata.values() if isinstance(metadata, dict) else ():
        found = part.get("exif_data") if isinstance(part, dict) else None
        yield from (one for one in found if isinstance(one, dict)) if isinstance(found, list) else ()


def _place(exif: Mapping[str, Any]) -> Place | None:
    place = read_place(exif.get("latitude"), exif.get("longitude"))
    return place if place and (place.lat or place.lon) else None


def mended(text: str) -> str:
    """Text whose UTF-8 bytes were written as letters, as it was; any other text as it is.

    >>> mended("caf\u00c3\u00a9"), mended("café")
    ('café', 'café')
    """
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text
