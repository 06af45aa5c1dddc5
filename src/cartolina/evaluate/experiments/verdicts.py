"""A person's verdicts: which photos show what was asked for. They win over the rule of `judging`.

`verdicts.json`, as the judging page (`judging_page`) saves it:

    {"format": 1, "verdicts": [{"query": "kid+dog", "id": "1000268201_693b08cb0e", "shows": true}, …]}

The one in the run's folder counts by itself, others by `--verdicts FILE`; the given file's win over the
folder's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from cartolina.errors import InputError
from cartolina.evaluate.experiments.judging import Verdicts

__all__ = ["FORMAT", "NAME", "read_verdicts", "verdicts_of"]

FORMAT = 1
NAME = "verdicts.json"
LARGEST = 50_000_000
"""Bytes from which a file is no file of verdicts."""


def verdicts_of(folder: Path, given: Path | None = None) -> Verdicts:
    """The verdicts in a run's folder, if there are, and those of the file that was given."""
    own = folder / NAME
    return {**(read_verdicts(own) if own.exists() else {}), **(read_verdicts(given) if given else {})}


def read_verdicts(path: Path) -> dict[tuple[str, str], bool]:
    """Read a file of verdicts; of two on the same photo the later counts.

    Raises `InputError` for a file that is missing or none.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{path} has more than {LARGEST:,} bytes: it is no file of verdicts")
        document = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError):
        raise InputError(f"there is no file of verdicts at {path}") from None
    except ValueError as error:
        raise InputError(f"{path} is no file of verdicts: {error}") from None
    found = document.get("verdicts") if isinstance(document, Mapping) else None
    if not isinstance(found, list) or document.get("format") != FORMAT:
        raise InputError(f'{path} is no file of verdicts: expected {{"format": {FORMAT}, "verdicts": […]}}')
    verdicts: dict[tuple[str, str], bool] = {}
    for number, one in enumerate(found, 1):
        if not isinstance(one, Mapping):
            one = {}
        query, photo, shows = one.get("query"), one.get("id"), one.get("shows")
        if not isinstance(query, str) or not isinstance(photo, str) or not isinstance(shows, bool):
            raise InputError(f'{path}, verdict {number}: expected "query", "id" and "shows" (true or false)')
        verdicts[query, photo] = shows
    return verdicts
