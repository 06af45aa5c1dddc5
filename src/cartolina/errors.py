"""Exceptions that say what was given, what was expected and what to do.

Every mistake a user can mend is a `CartolinaError`: the CLI prints its message without a traceback and
exits with its `exit_code`. Anything else that escapes is a bug of ours.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from difflib import get_close_matches
from types import ModuleType

__all__ = [
    "SCALE",
    "TRAIN",
    "AlbumError",
    "AlbumLocked",
    "CartolinaError",
    "InputError",
    "MissingPackage",
    "QueryError",
    "UnknownName",
    "require",
]


TRAIN = "pip install 'cartolina[train]'"
"""The command that installs what learning needs."""

SCALE = "pip install 'cartolina[scale]'"
"""The command that installs what an index of very many vectors needs."""


class CartolinaError(Exception):
    """A mistake a user can mend. `exit_code` is what the CLI exits with."""

    exit_code = 1


class InputError(CartolinaError):
    """Something given (a path, an option, a file's content) is not what was expected."""

    exit_code = 2


class QueryError(InputError):
    """A query that cannot be read; the message says what to write instead."""


class UnknownName(InputError):
    """A name that is not in a registry: lists the known ones and the nearest.

    >>> str(UnknownName("text model", "minilmm", ["minilm", "word2vec"]))
    "unknown text model 'minilmm': did you mean 'minilm'? Known: minilm, word2vec"
    """

    def __init__(self, kind: str, given: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = get_close_matches(given, names, n=1, cutoff=0.5)
        guess = f": did you mean {near[0]!r}? Known" if near else ". Known"
        super().__init__(f"unknown {kind} {given!r}{guess}: {', '.join(names)}")
        self.nearest = near[0] if near else None


class MissingPackage(CartolinaError):
    """An optional package is needed; the message is the command that installs it."""

    exit_code = 3


class AlbumError(CartolinaError):
    """An album that cannot be opened or is not in a state for what was asked."""

    exit_code = 4


class AlbumLocked(AlbumError):
    """Another process is writing to the album."""

    exit_code = 5


def require(module: str, purpose: str, install: str) -> ModuleType:
    """Import an optional `module`, or raise `MissingPackage` with the command that installs it.

    `purpose` completes "… needs <module>"; `install` is a command, e.g. `pip install 'cartolina[train]'`.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        missing = error.name or module
        raise MissingPackage(f"{purpose} needs the package {missing!r}: {install}") from error
