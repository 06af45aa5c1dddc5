"""How posts come into an album: read, looked at, encoded, written, acknowledged.

One pass over a dataset, in batches. A batch is acknowledged by one transaction after its vectors are on
disk; a process killed before that has changed nothing, after that everything.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from errno import EDQUOT, ENOSPC, EROFS
from itertools import islice
from pathlib import Path
from typing import IO, TypeVar

from cartolina.album.catalogue import Catalogue, now
from cartolina.album.copies import come_back, left_out, restamp
from cartolina.album.entry import Entry, Known, storable
from cartolina.datasets import Dataset, Listed, Skipped
from cartolina.durable import fsync_file, rotate, write_bytes
from cartolina.post import Post
from cartolina.progress import Step
from cartolina.vision.decode import UnreadableImage, content_hash

__all__ = ["BATCH", "AddReport", "SkipList", "Visit", "batches", "entries"]

BATCH = 256
"""Posts acknowledged together: a durable write costs some milliseconds, a photo as many."""

LARGEST = 16 << 20
"""Bytes from which a list of what was skipped is put aside when the next is begun."""

FULL = (ENOSPC, EDQUOT, EROFS)

T = TypeVar("T")


@dataclass(slots=True)
class AddReport:
    """What became of a dataset's files.

    `copies` have the bytes of another's picture and share its post; `touched` are the same with another
    time; `moved` and `back` were missing and are there again, elsewhere or where they were. `skipped` counts
    what was left out by reason; each is a line of `skipped_file` (None: nothing was). `renamed` are posts
    whose id another source had already: given id -> id in the album.
    """

    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    copies: int = 0
    touched: int = 0
    moved: int = 0
    back: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    skipped_file: Path | None = None
    renamed: dict[str, str] = field(default_factory=dict)

    @property
    def taken(self) -> int:
        """How many files are in the album, now or still."""
        kinds = ("added", "replaced", "unchanged", "copies", "touched", "moved", "back")
        return sum(getattr(self, kind) for kind in kinds)

    def tell(self, kind: str, name: str) -> None:
        """One more of a kind: the file `name`, or the post of that id."""
        setattr(self, kind, getattr(self, kind) + 1)


@dataclass(slots=True)
class Visit:
    """A source that is being read: the ids `seen` there, and folders in it that could not be read.

    `asked` tells whether a person asked for all of it, also for what was removed (`add`), or not (`sync`).
    `copied` are the ids of files that became copies of posts; `step` counts what is seen.
    """

    source: int
    asked: bool = True
    step: Step | None = None
    seen: set[str] = field(default_factory=set)
    copied: set[str] = field(default_factory=set)
    unread: list[str] = field(default_factory=list)

    def heard(self, skipped: Skipped) -> None:
        """Take note of what a reader could not look into."""
        if skipped.reason in ("damaged archive", "missing part"):
            self.unread.append("")
        elif skipped.reason == "unreadable folder":
            self.unread.append("" if skipped.where == "." else skipped.where.rstrip("/"))


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
    visit: Visit,
    catalogue: Catalogue,
    space: int | None,
    pictures: Path,
    report: AddReport,
    on_skip: Callable[[Skipped], None],
) -> Iterator[Entry]:
    """The files that are new or changed; those that are as the album has them are counted, not read.

    Of a source that can be listed, nothing else is opened at all. A post with the bytes of a picture instead
    of a path gets them written to `pictures`, one at a time. With a `space`, a post that has no vector there
    yet counts as changed.
    """
    root = dataset.root.resolve()
    for batch in batches(_arrivals(dataset, split, visit, pictures, on_skip), BATCH):
        known = catalogue.known(visit.source, [one.id for one in batch], space)
        out = {} if visit.asked else left_out(catalogue, visit.source, [one.id for one in batch])
        arrived: list[Entry] = []
        same: list[tuple[str, Known, str | None]] = []
        for one in batch:
            name = storable(one.id)
            old = known.get(name)
            try:
                if isinstance(one, Listed):
                    if old and _is_as_listed(one, old, space):
                        same.append((name, old, one.beside))
                        continue
                    entry = _described(one, visit.source, dataset.root, root, pictures, on_skip)
                else:
                    entry = Entry.of(_with_path(one, dataset.root, root, pictures), visit.source)
            except UnreadableImage as error:
                on_skip(Skipped(one.id, error.reason, error.detail))
            except FileNotFoundError as error:
                visit.seen.discard(name)
                on_skip(Skipped(one.id, "no such image", str(error.filename)))
            except (OSError, ValueError) as error:  # ValueError: a path with NUL in it
                if isinstance(error, OSError) and error.errno in FULL:
                    raise  # the album's disk is, which no picture can help
                on_skip(Skipped(one.id, "unreadable image", str(error)))
            else:
                if entry is None:
                    continue
                if old and _is_as_read(entry, old, space):
                    same.append((name, old, entry.beside))
                elif old is None and out.get(name) == (entry.size, entry.mtime):
                    report.tell("left_out", name)
                else:
                    arrived.append(entry)
        _confirm(catalogue, visit.source, same, report)
        yield from arrived


def _arrivals(
    dataset: Dataset, split: str | None, visit: Visit, pictures: Path, on_skip: Callable[[Skipped], None]
) -> Iterator[Post | Listed]:
    """What a source has, each id once, no picture held in memory."""
    dataset.check_split(split)
    for one in (dataset.listing or dataset.stream)(split):
        if isinstance(one, Skipped):
            visit.heard(one)
            on_skip(one)
        elif (name := storable(one.id)) in visit.seen:
            on_skip(Skipped(one.id, "repeated id", "an earlier post of the source has it"))
        else:
            visit.seen.add(name)
            if visit.step:
                visit.step.advance()
            try:
                yield _kept(one, pictures) if isinstance(one, Post) else one
            except UnreadableImage as error:
                on_skip(Skipped(one.id, error.reason, error.detail))


def _is_as_listed(one: Listed, old: Known, space: int | None) -> bool:
    if one.beside != old.beside or not (space is None or old.has_vector):
        return False
    if one.image is None:
        return True
    status = one.image.stat()
    return (status.st_size, status.st_mtime_ns) == (old.size, old.mtime)


def _is_as_read(entry: Entry, old: Known, space: int | None) -> bool:
    same = (entry.size, entry.mtime, entry.digest) == (old.size, old.mtime, old.digest)
    return same and (space is None or old.has_vector)


def _described(
    one: Listed, source: int, given: Path, root: Path, pictures: Path, on_skip: Callable[[Skipped], None]
) -> Entry | None:
    """The entry of a listed picture, with its metadata; None where the reader skips it."""
    for item in one.read():
        if isinstance(item, Post):
            return Entry.of(_with_path(item, given, root, pictures), source, one.beside)
        on_skip(item)
    return None


def _confirm(
    catalogue: Catalogue, source: int, same: list[tuple[str, Known, str | None]], report: AddReport
) -> None:
    """Files that are as they were: those that were offline are back, new stamps of sidecars are kept."""
    back = [(name, old) for name, old, _ in same if old.is_offline]
    stamped = [(name, old, beside) for name, old, beside in same if old.beside != beside]
    if back or stamped:
        with catalogue.transaction():
            for name, old in back:
                come_back(catalogue, old, (source, name))
            for name, old, beside in stamped:
                restamp(catalogue, old, (source, name), beside)
    for _, old in back:
        report.tell("back", old.id)
    report.unchanged += len(same) - len(back)


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of up to `size` items."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch


def _with_path(post: Post, given: Path, root: Path, pictures: Path) -> Post:
    """The post with a file for its picture; raises `UnreadableImage` where it has none."""
    post = _kept(post, pictures)
    if post.image is None:
        raise UnreadableImage("no picture", "the post has words only")
    assert isinstance(post.image, Path)
    return _below(post, post.image, given, root)


def _kept(post: Post, pictures: Path) -> Post:
    """The post, its picture a file if it came as bytes.

    The file is named by its content: nothing a stranger says becomes a path.
    """
    if not isinstance(post.image, bytes):
        return post
    path = pictures / content_hash(post.image)
    if not path.exists():
        pictures.mkdir(exist_ok=True)
        write_bytes(path, post.image)
    return replace(post, image=path)


def _below(post: Post, image: Path, given: Path, root: Path) -> Post:
    """A path below the root as it was given (relative, through links) becomes one below the real root."""
    inside = image.is_relative_to(given)
    return replace(post, image=root / image.relative_to(given)) if inside else post
