"""One writer at a time: an advisory lock on the album's `LOCK` file.

The operating system drops the lock when its holder dies, kill -9 included; what the file says (pid, host,
command) is there to name the holder and means nothing once nobody holds it. Readers take no lock.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from cartolina.errors import AlbumError, AlbumLocked

__all__ = ["WriterLock"]


class WriterLock:
    """`with WriterLock(path):` holds the lock, or raises `AlbumLocked` naming who does; may be nested."""

    def __init__(self, path: Path, command: str | None = None) -> None:
        self.path = path
        self.command = command or " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
        self._descriptor: int | None = None
        self._depth = 0

    def __enter__(self) -> None:
        if self._depth == 0:
            self._descriptor = self._acquire()
        self._depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._depth -= 1
        if self._depth == 0 and self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def _acquire(self) -> int:
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise AlbumError(f"the album {self.path.parent} cannot be written ({error.strerror})") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, self._signature(), 0)
        except BlockingIOError:
            holder = _holder(os.pread(descriptor, 4096, 0))
            os.close(descriptor)
            raise AlbumLocked(
                f"the album {self.path.parent} is being written by {holder}: "
                "wait until it is done, or stop it; searching works meanwhile"
            ) from None
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _signature(self) -> bytes:
        since = datetime.now(UTC).isoformat(timespec="seconds")
        signature = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "command": self.command,
            "since": since,
        }
        return json.dumps(signature).encode()


def _holder(signature: bytes) -> str:
    try:
        said = json.loads(signature)
        return f"process {said['pid']} on {said['host']} ({said['command']}, since {said['since']})"
    except (ValueError, KeyError, TypeError):
        return "another process"  # caught between locking and signing
