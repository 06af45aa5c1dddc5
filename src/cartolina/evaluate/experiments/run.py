"""The folder of an experiment's cells: what was computed once is read, not computed again.

    FOLDER/cells/queries-ab12….json    {"key": {…}, "value": {…}}, one file a cell, written atomically
    FOLDER/learning/ab12…/             a fit's checkpoint while its cell is not done
    FOLDER/features/BACKBONE/          frozen features by the photos' content

A cell's name is a digest of its key, which says all that the value depends on (data, models, settings,
seeds): one folder serves any number of experiments and datasets, and a changed setting is another cell. All
of it may be deleted.

>>> run = Run(Path("/tmp/run"))                                                    # doctest: +SKIP
>>> run.cell("queries", {"model": "word2vec", "seed": 0}, lambda: {"P@5": 0.46})   # doctest: +SKIP
{'P@5': 0.46}
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

from cartolina import durable
from cartolina.errors import InputError
from cartolina.progress import SILENT, Progress

__all__ = ["Key", "Run", "default_folder", "digest"]

Key = Mapping[str, Any]
"""What a value depends on: JSON-able."""


class Run:
    """A run's `folder`, made where it is missing; `progress` hears of what takes long."""

    def __init__(self, folder: Path | None = None, progress: Progress = SILENT) -> None:
        self.folder = default_folder() if folder is None else folder
        self.progress = progress
        try:
            (self.folder / "cells").mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise InputError(f"{self.folder} is not a folder: --into names one for the run") from error

    def cell(self, experiment: str, key: Key, compute: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
        """The value of the cell `key`, read where it was computed before, else computed and written.

        The value passes through JSON either way, so that a first run and a resumed one give the same.
        """
        path = self._path(experiment, key)
        found = _read(path, key)
        if found is not None:
            return found
        value = json.loads(json.dumps(compute()))
        document = json.dumps({"key": key, "value": value}, ensure_ascii=False, indent=1, sort_keys=True)
        durable.write_bytes(path, document.encode())
        shutil.rmtree(self.learning(key), ignore_errors=True)
        answer: dict[str, Any] = value
        return answer

    def has(self, experiment: str, key: Key) -> bool:
        """Whether a cell was computed before."""
        return _read(self._path(experiment, key), key) is not None

    def learning(self, key: Key) -> Path:
        """Where a fit of this cell keeps its checkpoint; it is emptied once the cell is written."""
        return self.folder / "learning" / digest(key)

    def _path(self, experiment: str, key: Key) -> Path:
        return self.folder / "cells" / f"{experiment}-{digest(key)}.json"


def default_folder() -> Path:
    """`runs` in the user's cache."""
    return durable.cache_folder() / "runs"


def digest(key: object) -> str:
    """32 hexadecimal digits that differ where `key` (JSON-able) does."""
    return blake2b(json.dumps(key, sort_keys=True).encode(), digest_size=16).hexdigest()


def _read(path: Path, key: Key) -> dict[str, Any] | None:
    """The value of a cell's file; None where there is none, or one that somebody spoilt."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["key"] == json.loads(json.dumps(key)):
            value: dict[str, Any] = document["value"]
            return value
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        pass
    return None
