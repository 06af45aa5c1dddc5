"""The plain files of a saved text model: arrays in npy, words one a line. Nothing is pickled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cartolina import durable
from cartolina.errors import InputError

__all__ = ["read_array", "read_lines", "readable", "write_array", "write_lines"]


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write a .npy file, on disk when this returns."""
    np.save(path, array, allow_pickle=False)
    durable.fsync_file(path)


def read_array(path: Path) -> NDArray[Any]:
    """A .npy file, memory-mapped: what is not asked for stays on disk."""
    array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return array


def write_lines(path: Path, lines: Sequence[str]) -> None:
    """Write `lines` (none holds a line's end) as UTF-8, whole or not at all."""
    durable.write_bytes(path, "\n".join(lines).encode())


def read_lines(path: Path) -> list[str]:
    """The lines that `write_lines` wrote."""
    return path.read_text(encoding="utf-8").split("\n")


@contextmanager
def readable(folder: Path, what: str) -> Iterator[None]:
    """Turn what reading a folder's files raises into an error that names them."""
    try:
        yield
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{what} in {folder} cannot be read: {error}") from error
