"""Files that survive kill -9 and power cuts: written beside, flushed, then renamed."""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cartolina.errors import InputError

__all__ = [
    "cache_folder",
    "fsync_file",
    "fsync_folder",
    "rotate",
    "staged",
    "swap_folders",
    "write_bytes",
]


def write_bytes(path: Path, data: bytes) -> None:
    """Replace `path` with `data` atomically: a reader sees the old file or the new one, whole."""
    staged = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with staged.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(path)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise
    fsync_folder(path.parent)


@contextmanager
def staged(path: Path, *, folder: bool = False, replace: bool = False) -> Iterator[Path]:
    """A file to write, or an empty `folder` to fill, that becomes `path` when the block ends well.

    Else nothing is left of it; what a killed process left is taken away by the next one. Unless `replace` (a
    file), nothing may be at `path` but an empty folder: raises `InputError` at once.
    """
    if not replace and path.exists() and not (folder and path.is_dir() and not any(path.iterdir())):
        raise InputError(f"{path} is there already: nothing is overwritten, so name another or remove it")
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    made = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        if folder:
            made.mkdir()
        yield made
        if folder:
            os.sync()  # of 3,000 files each on its own took twelve times as long
        else:
            fsync_file(made)
        made.replace(path)
    except BaseException:
        if folder:
            shutil.rmtree(made, ignore_errors=True)
        else:
            made.unlink(missing_ok=True)
        raise
    fsync_folder(path.parent)


def _sweep(path: Path) -> None:
    """Take away what was staged for `path` by processes that are no more."""
    for left in path.parent.iterdir():
        name = left.name.removeprefix(f".{path.name}.").removesuffix(".tmp")
        if left.name != f".{path.name}.{name}.tmp" or not name.isdigit() or _is_running(int(name)):
            continue
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OverflowError, PermissionError):
        return True
    return True


def fsync_file(path: Path) -> None:
    """Force a file somebody else wrote (numpy, onnx) to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fsync_folder(path: Path) -> None:
    """Force a folder's entries (a rename, a new file) to disk."""
    fsync_file(path)


def swap_folders(one: Path, other: Path) -> None:
    """Give two folders of one disk each other's name, in one step where the system can (Linux), else in two.

    Between two steps a power cut leaves nothing at `other`; what was there lies beside it.
    """
    if not _exchange(one, other):
        aside = one.with_name(f"{one.name}.aside")
        other.rename(aside)
        one.rename(other)
        aside.rename(one)


def _exchange(one: Path, other: Path) -> bool:
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return bool(rename(here, os.fsencode(one), here, os.fsencode(other), ctypes.c_uint(exchange)) == 0)


def rotate(path: Path, largest: int, kept: int = 4) -> None:
    """Where `path` has more than `largest` bytes, put it aside as `path.1`, the former one as `path.2` …

    The oldest of `kept` is dropped.
    """
    if not path.exists() or path.stat().st_size <= largest:
        return
    names = [path, *(path.with_name(f"{path.name}.{number}") for number in range(1, kept + 1))]
    for older, newer in zip(names[:0:-1], names[-2::-1], strict=True):
        if newer.exists():
            newer.replace(older)


def cache_folder() -> Path:
    """Where exported models are kept between runs; all of it may be deleted.

    `$CARTOLINA_CACHE`, else `$XDG_CACHE_HOME/cartolina`, else `~/.cache/cartolina`.
    """
    given = os.environ.get("CARTOLINA_CACHE")
    if given:
        return Path(given)
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "cartolina"
