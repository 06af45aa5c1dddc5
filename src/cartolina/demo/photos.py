"""The demo's photos as one table: what the packages hold, written as pictures and a `posts.jsonl`."""

from __future__ import annotations

import json
import shutil
from itertools import chain
from pathlib import Path

from cartolina.demo import gcompris, tuxpaint
from cartolina.demo.debian import unpacked
from cartolina.durable import cache_folder, write_bytes
from cartolina.progress import SILENT, Progress

__all__ = ["collect"]

GCOMPRIS, STAMPS = "usr/share/gcompris-qt/rcc", "usr/share/tuxpaint/stamps"


def collect(folder: Path, progress: Progress = SILENT) -> Path:
    """Gather the photos below `folder` and return its `posts.jsonl`, for the `table` reader.

    A row has `id`, `image`, `captions`, `tags`, and `lat` and `lon` where known. Done once: a table that is
    there is whole, and is returned as it is. Raises `InputError` that says what this machine lacks.
    """
    table = folder / "posts.jsonl"
    if table.exists():
        return table
    cache = cache_folder() / "demo"
    progress.say(
        "The photos are in the Debian packages gcompris-qt-data and tuxpaint-stamps-default (205 MB)"
    )
    first = unpacked("gcompris-qt-data", cache, progress) / GCOMPRIS
    second = unpacked("tuxpaint-stamps-default", cache, progress) / STAMPS
    rows = []
    with progress.task("Unpacking photos", None, "photos") as step:
        for row in chain(gcompris.photos(first, folder), tuxpaint.photos(second, folder)):
            rows.append(json.dumps(row, ensure_ascii=False))
            step.advance()
    write_bytes(table, ("\n".join(rows) + "\n").encode())
    shutil.rmtree(cache, ignore_errors=True)  # 300 MB, of which the photos are 30
    return table
