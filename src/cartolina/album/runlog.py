"""What was done to an album, for whoever asks later: `runs/cartolina.log`, rotated.

    2026-11-25T05:10:00+00:00 4711 $ cartolina add holidays.album ~/NewPhotos
    2026-11-25T05:10:01+00:00 4711 Recognised as folder: a tree of pictures …
    2026-11-25T05:14:38+00:00 4711 features: 12,345 images in 277.1 s
    2026-11-25T05:14:39+00:00 4711 done in 279.0 s

A log that cannot be written (a full disk, an album that may only be read) never stops the work it tells of.
"""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cartolina.album.catalogue import now
from cartolina.durable import rotate
from cartolina.errors import CartolinaError
from cartolina.progress import SILENT, Progress, Step

__all__ = ["LOG", "logged"]

LOG = "runs/cartolina.log"

LARGEST = 1 << 20
"""Bytes from which a log is put aside when the next run begins."""


@contextmanager
def logged(album: Path, command: str, progress: Progress = SILENT) -> Iterator[Progress]:
    """`progress` that also writes what is said and done into the log of the album at `album`.

    While there is no album yet, what is to be written waits for it; if none comes, nothing is written.
    """
    log = _Log(album)
    start = time.monotonic()
    log.write(f"$ {command}")
    try:
        yield _Logged(progress, log)
    except BaseException as error:
        spent = f"after {time.monotonic() - start:.1f} s"
        if isinstance(error, CartolinaError):
            log.write(f"failed {spent}: {error}")
        elif isinstance(error, KeyboardInterrupt):
            log.write(f"stopped {spent} by Ctrl-C")
        else:
            log.write(f"failed {spent}:\n{traceback.format_exc()}")
        raise
    log.write(f"done in {time.monotonic() - start:.1f} s")


class _Log:
    def __init__(self, album: Path) -> None:
        self._album, self._path = album, album / LOG
        self._waiting: list[str] = []
        self._begun = False

    def write(self, message: str) -> None:
        first, *rest = message.splitlines() or [""]
        self._waiting += [f"{now()} {os.getpid()} {first}", *(f"    {line}" for line in rest)]
        if not (self._album / "album.json").exists():
            return
        with suppress(OSError):
            if not self._begun:
                self._path.parent.mkdir(exist_ok=True)
                rotate(self._path, LARGEST)
                self._begun = True
            with self._path.open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write("\n".join(self._waiting) + "\n")
        self._waiting.clear()


class _Logged:
    """A `Progress` that shows as another does, and writes."""

    def __init__(self, shown: Progress, log: _Log) -> None:
        self._shown, self._log = shown, log

    def say(self, message: str) -> None:
        self._shown.say(message)
        self._log.write(message)

    @contextmanager
    def task(self, label: str, total: int | None, unit: str) -> Iterator[Step]:
        start = time.monotonic()
        with self._shown.task(label, total, unit) as step:
            counted = _Counted(step)
            try:
                yield counted
            finally:
                self._log.write(f"{label}: {counted.done:,} {unit} in {time.monotonic() - start:.1f} s")


class _Counted:
    def __init__(self, step: Step) -> None:
        self._step = step
        self.done = 0

    def advance(self, n: int = 1) -> None:
        self.done += n
        self._step.advance(n)

    def note(self, message: str) -> None:
        self._step.note(message)
