"""Posts on their way into the catalogue and out of it, and how their texts and paths are written there."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize

from cartolina.datasets.fields import distinct
from cartolina.post import Place, Post

__all__ = [
    "Entry",
    "Known",
    "Lacking",
    "Stored",
    "folded",
    "path_from",
    "path_value",
    "said_by",
    "saying",
    "storable",
    "united",
    "way",
]


@dataclass(frozen=True, slots=True)
class Entry:
    """A post on its way into the catalogue; `post.image` is a path."""

    post: Post
    source: int
    size: int
    mtime: int
    digest: str
    content_hash: str = ""
    beside: str | None = None
    """The state of its sidecars (`Listed.beside`), where its source can be listed."""

    @property
    def image(self) -> Path:
        """The picture's file."""
        assert isinstance(self.post.image, Path)
        return self.post.image

    @classmethod
    def of(cls, post: Post, source: int, beside: str | None = None) -> Entry:
        """The entry of `post`, whose picture is looked at (not read); raises `OSError` if it is not there."""
        assert isinstance(post.image, Path)
        image = post.image.absolute()
        post = replace(
            post,
            id=storable(post.id),
            image=image,
            captions=tuple(map(storable, post.captions)),
            tags=tuple(map(storable, post.tags)),
            labels=tuple(map(storable, post.labels)),
        )
        status = image.stat()
        return cls(post, source, status.st_size, status.st_mtime_ns, _digest(post), beside=beside)


class Known(NamedTuple):
    """What the catalogue holds of a file that comes again: a post's own, or (`is_copy`) a copy of it."""

    size: int
    mtime: int
    digest: str
    beside: str | None
    key: int
    id: str
    is_offline: bool
    is_copy: bool
    has_vector: bool


class Lacking(NamedTuple):
    """A post without a vector."""

    key: int
    id: str
    image: Path
    content_hash: str


class Stored(NamedTuple):
    """What became of an entry: its key and album id, and its former content hash (None: it is new)."""

    key: int
    id: str
    former_hash: str | None


def folded(tag: str) -> str:
    """A tag as it is compared: no `#`, no case, one way to write each letter."""
    return normalize("NFKC", tag).strip().lstrip("#").casefold()


def storable(text: str) -> str:
    """`text` with what SQLite or UTF-8 cannot hold (NUL, half a surrogate pair, a raw byte) spelt out."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")


def path_value(path: Path) -> str | bytes:
    """A path for SQLite: text where it is UTF-8, else the raw bytes."""
    raw = os.fsencode(path)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw


def path_from(value: str | bytes) -> Path:
    """The path `path_value` wrote."""
    return Path(os.fsdecode(value))


def way(root: str | bytes, within: str | bytes) -> str:
    """The folders from a source's own (the last of `root`) to a picture, as they are compared: "/a/b/c/"."""
    return _way(os.fsdecode(root), os.fsdecode(within).rpartition("/")[0])


@lru_cache(1024)
def _way(root: str, folder: str) -> str:
    path = "/".join(("", root.rpartition("/")[2], *([folder] if folder else []), ""))
    return normalize("NFC", storable(path)).casefold()


def saying(post: Post) -> str:
    """What is said of a post, as JSON: captions, tags, labels, place, date."""
    return json.dumps(_said(post), ensure_ascii=False)


def said_by(name: str, image: Path, said: str) -> Post:
    """The post of which `saying` wrote `said`."""
    captions, tags, labels, place, taken = json.loads(said)
    return Post(
        name,
        image,
        tuple(captions),
        tuple(tags),
        Place(*place) if place else None,
        datetime.fromisoformat(taken) if taken else None,
        tuple(labels),
    )


def united(posts: Sequence[Post]) -> Post:
    """The first post with the words of all, each once, and the first place and date there is."""
    return replace(
        posts[0],
        captions=distinct(caption for post in posts for caption in post.captions),
        tags=distinct(tag for post in posts for tag in post.tags),
        labels=distinct(label for post in posts for label in post.labels),
        place=next((post.place for post in posts if post.place), None),
        taken=next((post.taken for post in posts if post.taken), None),
    )


def _said(post: Post) -> list[object]:
    place = (post.place.lat, post.place.lon) if post.place else None
    return [post.captions, post.tags, post.labels, place, post.taken.isoformat() if post.taken else None]


def _digest(post: Post) -> str:
    """Tells whether what is said of a post has changed."""
    return blake2b(json.dumps(_said(post)).encode(), digest_size=16).hexdigest()
