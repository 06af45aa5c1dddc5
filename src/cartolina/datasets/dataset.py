"""Dataset: named splits of posts, streamed; Skipped: what a reader left out, and why.

>>> dataset = open_dataset("holiday photos")            # doctest: +SKIP
>>> dataset.why                                         # doctest: +SKIP
'Recognised as folder: a tree of pictures, read with what is embedded in them and lies beside them.'
>>> for post in dataset.posts(on_skip=report.append):   # doctest: +SKIP
...     ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cartolina.errors import UnknownName
from cartolina.post import Post

__all__ = ["Dataset", "Listed", "Reader", "Skipped"]


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something left out of the posts: a whole post, or one part of a post that stays without it.

    `where` names the file, row or folder; `reason` is one of a few stable phrases, to be counted by
    (docs/readers.md lists them); `detail` says what was found there.
    """

    where: str
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A picture seen in a listing: it is there, and was not opened.

    `beside` tells the files beside it that speak of it from what they were before; where the picture is no
    file of its own (`image` is None), `beside` tells the picture itself, too. `read` opens all of them and
    yields the post, or what was skipped of it.
    """

    id: str
    image: Path | None
    beside: str
    read: Callable[[], Iterator[Post | Skipped]]


@dataclass(frozen=True)
class Dataset:
    """Posts on disk, read one at a time as often as wanted.

    `why` is one sentence for people: what was recognised. `splits` are the names `posts` accepts.
    `stream(split)` yields the posts and what was skipped between them, in a stable order (None: all
    splits); `count(split)` is at most how many it yields, or None where finding out would take long.
    `stable_ids` is True where ids are the data's own (a table's id column, Flickr's photo names) and
    False where they are derived from relative paths.

    `listing(split)`, where a reader has one, yields what `stream` would, with no file opened: whoever knows
    the pictures already reads only those that changed. `path` and `columns` are what `open_dataset` was
    given (None: the dataset was made otherwise).
    """

    format: str
    root: Path
    why: str
    splits: tuple[str, ...]
    stream: Callable[[str | None], Iterator[Post | Skipped]]
    count: Callable[[str | None], int | None]
    stable_ids: bool
    listing: Callable[[str | None], Iterator[Listed | Skipped]] | None = None
    path: Path | None = None
    columns: Mapping[str, str] | None = None

    def posts(
        self, split: str | None = None, on_skip: Callable[[Skipped], None] | None = None
    ) -> Iterator[Post]:
        """Stream the posts of `split` (None: of all), telling `on_skip` of everything left out.

        Raises `UnknownName` at once, before the first post is asked for, when there is no such split.
        """
        self.check_split(split)
        return self._posts(split, on_skip)

    def check_split(self, split: str | None) -> None:
        """Raise `UnknownName` where there is no such split."""
        if split is not None and split not in self.splits:
            raise UnknownName("split", split, self.splits)

    def _posts(self, split: str | None, on_skip: Callable[[Skipped], None] | None) -> Iterator[Post]:
        for item in self.stream(split):
            if isinstance(item, Post):
                yield item
            elif on_skip is not None:
                on_skip(item)


class Reader(Protocol):
    """One published format: recognises it and opens it."""

    @property
    def name(self) -> str:
        """The name users say after `--format`."""

    def detect(self, path: Path) -> str | None:
        """Say in a phrase by what `path` was recognised, or None. Cheap, and never raises."""

    def open(self, path: Path, columns: Mapping[str, str] | None = None) -> Dataset:
        """Open `path`; `columns` maps roles to column names (table only).

        Raises `InputError` saying what was expected there when it is not this format.
        """
