"""What an album's pictures look like, each looked at once and kept in the catalogue by its content.

Looks are derived: they are written a batch a transaction, without the album's lock, since two processes that
look at the same picture write the same. Where nothing can be written they are made for this once.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from cartolina.album.catalogue import Catalogue
from cartolina.onnx_session import available_cores
from cartolina.progress import Progress
from cartolina.vision.decode import UnreadableImage, content_hash, read_bytes
from cartolina.vision.looks import Look, look

__all__ = ["Unseen", "looks"]

KEPT_TOGETHER = 256
"""Looks of a transaction: a kill costs at most these."""

AHEAD = 8
"""Pictures handed out ahead per worker."""


class Unseen(NamedTuple):
    """A post whose picture could not be looked at: `reason` is a stable phrase."""

    id: str
    reason: str


class _Due(NamedTuple):
    id: str
    image: Path
    content: str


def looks(catalogue: Catalogue, progress: Progress) -> tuple[dict[str, Look], list[Unseen]]:
    """What the pictures that are there look like, by content hash; those not looked at yet are, now.

    A picture that was changed since it was entered, or that cannot be read, is not looked at.
    """
    found = {content: Look(*rest) for content, *rest in catalogue.rows("SELECT * FROM looks")}
    due: dict[str, _Due] = {}
    for name, image, content in catalogue.rows(
        "SELECT id, image, content_hash FROM posts WHERE offline IS NULL "
        "AND content_hash NOT IN (SELECT content_hash FROM looks) ORDER BY key"
    ):
        due.setdefault(content, _Due(name, catalogue.image_from(image), content))
    unseen: list[Unseen] = []
    keeper = _Keeper(catalogue, progress)
    if due:
        with progress.task("looking", len(due), "photos") as step:
            for one, seen in _seen(due.values()):
                if isinstance(seen, Look):
                    found[one.content] = seen
                    keeper.keep(one.content, seen)
                else:
                    unseen.append(Unseen(one.id, seen))
                step.advance()
        keeper.write()
    return found, unseen


class _Keeper:
    """Writes looks down, as long as the album can be written."""

    def __init__(self, catalogue: Catalogue, progress: Progress) -> None:
        self._catalogue, self._progress = catalogue, progress
        self._waiting: list[tuple[str, Look]] = []
        self._can = True

    def keep(self, content: str, seen: Look) -> None:
        self._waiting.append((content, seen))
        if len(self._waiting) >= KEPT_TOGETHER:
            self.write()

    def write(self) -> None:
        waiting, self._waiting = self._waiting, []
        if not (waiting and self._can):
            return
        try:
            with self._catalogue.transaction():
                for content, seen in waiting:
                    self._catalogue.change("INSERT OR REPLACE INTO looks VALUES (?, ?, ?, ?)", content, *seen)
        except sqlite3.OperationalError as error:  # an album that may only be read, a full disk
            self._can = False
            self._progress.say(f"What the pictures look like is not kept in the album ({error}).")


def _seen(due: Iterable[_Due]) -> Iterator[tuple[_Due, Look | str]]:
    """Each with its look, or the reason why there is none, in the order given."""
    workers, rest = available_cores(), iter(due)
    running: deque[tuple[_Due, Future[Look | str]]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="looks")
    try:
        while True:
            for one in islice(rest, AHEAD * workers - len(running)):
                running.append((one, pool.submit(_look, one)))
            if not running:
                return
            one, future = running.popleft()
            yield one, future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _look(one: _Due) -> Look | str:
    try:
        data = read_bytes(one.image)
        if content_hash(data) != one.content:
            return "changed since it was added"
        return look(data)
    except UnreadableImage as error:
        return error.reason
