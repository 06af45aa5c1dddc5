"""How posts come into an album: read, looked at, encoded, written, acknowledged.

One pass over a dataset, in batches. A batch is acknowledged by one transaction after its vectors are on
disk; a process killed before that has changed nothing, after that everything.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import IO, TypeVar

from cartolina.album.catalogue import Catalogue, now
from cartolina.album.entry import Entry
from cartolina.datasets import Dataset, Skipped
from cartolina.durable import fsync_file, rotate, write_bytes
from cartolina.post import Post
from cartolina.vision.decode import UnreadableImage, content_hash

__all__ = ["BATCH", "AddReport", "SkipList", "batches", "entries"]

BATCH = 256
"""Posts acknowledged together: a durable write costs some milliseconds, a photo as many."""

LARGEST = 16 << 20
"""Bytes from which a list of what was skipped is put aside when the next is begun."""

T = TypeVar("T")


@dataclass(slots=True)
class AddReport:
    """What became of a dataset's posts.

    `skipped` counts what was left out by reason; each is a line of `skipped_file` (None: nothing was).
    `renamed` are posts whose id another source had already: given id -> id in the album.
    """

    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    skipped_file: Path | None = None
    renamed: dict[str, str] = field(default_factory=dict)


class SkipList:
    """Counts what is skipped and appends it to `runs/skipped.jsonl`, a line each."""

    def __init__(self, path: Path, source: str, report: AddReport) -> None:
        self._path, self._source, self._report = path, source, report
        self._file: IO[str] | None = None

    def __enter__(self) -> SkipList:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()
            fsync_file(self._path)

    def add(self, skipped: Skipped) -> None:
        """Count one and write it down."""
        if self._file is None:
            self._path.parent.mkdir(exist_ok=True)
            rotate(self._path, LARGEST)
            # Line-buffered appends: a killed process leaves at most one line cut short, its last.
            self._file = self._path.open("a", encoding="utf-8", buffering=1)
            self._report.skipped_file = self._path
        line = {
            "at": now(),
            "source": self._source,
            "where": skipped.where,
            "reason": skipped.reason,
            "detail": skipped.detail,
        }
        self._file.write(json.dumps(line) + "\n")
        self._report.skipped[skipped.reason] += 1


def entries(
    dataset: Dataset,
    split: str | None,
    source: int,
    catalogue: Catalogue,
    space: int | None,
    pictures: Path,
    report: AddReport,
    on_skip: Callable[[Skipped], None],
) -> Iterator[Entry]:
    """The posts that are new or changed; those that are as the album has them are counted, not read.

    A post with the bytes of a picture instead of a path gets them written to `pictures`. With a `space`, a
    post that has no vector there yet counts as changed.
    """
    seen: set[str] = set()
    root = dataset.root.resolve()
    for batch in batches(dataset.posts(split, on_skip), BATCH):
        arrived: list[Entry] = []
        for post in batch:
            if post.id in seen:
                on_skip(Skipped(post.id, "repeated id", "an earlier post of the source has it"))
                continue
            seen.add(post.id)
            try:
                arrived.append(Entry.of(_with_path(post, dataset.root, root, pictures), source))
            except UnreadableImage as error:
                on_skip(Skipped(post.id, error.reason, error.detail))
            except FileNotFoundError as error:
                on_skip(Skipped(post.id, "no such image", str(error.filename)))
            except (OSError, ValueError) as error:  # ValueError: a path with NUL in it
                on_skip(Skipped(post.id, "unreadable image", str(error)))
        known = catalogue.known(source, [entry.post.id for entry in arrived], space)
        for entry in arrived:
            old = known.get(entry.post.id)
            same = old and (old.size, old.mtime, old.digest) == (entry.size, entry.mtime, entry.digest)
            if old and same and (space is None or old.has_vector):
                report.unchanged += 1
            else:
                yield entry


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of up to `size` items."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch


def _with_path(post: Post, given: Path, root: Path, pictures: Path) -> Post:
    """The post with a file for its picture.

    A path below the root as it was given (relative, through links) becomes one below the real root. Bytes
    become a file named by their content: nothing a stranger says becomes a path.
    """
    if post.image is None:
        raise UnreadableImage("no picture", "the post has words only")
    if isinstance(post.image, Path):
        below = post.image.is_relative_to(given)
        return replace(post, image=root / post.image.relative_to(given)) if below else post
    path = pictures / content_hash(post.image)
    if not path.exists():
        pictures.mkdir(exist_ok=True)
        write_bytes(path, post.image)
    return replace(post, image=path)
