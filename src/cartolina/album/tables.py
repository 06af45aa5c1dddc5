"""An album's posts as a table: what `--format table` reads back as the same posts.

CSV and TSV have a row for each caption (those of one post stand together), and divide a tag that has `,` `;`
or `|` in it when they are read again; JSON lines and Parquet have lists and keep it.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

from cartolina.durable import fsync_file, fsync_folder
from cartolina.errors import InputError, require
from cartolina.post import Post
from cartolina.progress import SILENT, Progress

__all__ = ["FORMATS", "write_table"]

COLUMNS = ("id", "image", "text", "tags", "lat", "lon", "taken", "label")
ROWS_AT_A_TIME = 4096


def write_table(
    path: Path, posts: Iterable[Post], *, total: int | None = None, progress: Progress = SILENT
) -> int:
    """Write `posts` to `path`, whose suffix says the format (`FORMATS`); how many there were.

    The file is there whole or not at all. Raises `InputError` for another suffix.
    """
    write = FORMATS.get(path.suffix.lower())
    if write is None:
        raise InputError(f"{path.name!r} says no format: end its name in {', '.join(FORMATS)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    count = 0

    def counted() -> Iterator[Post]:
        nonlocal count
        with progress.task("table", total, "posts") as step:
            for post in posts:
                yield post
                count += 1
                step.advance()

    try:
        write(staged, counted())
        fsync_file(staged)
        staged.replace(path)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise
    fsync_folder(path.parent)
    return count


def _fields(post: Post) -> dict[str, Any]:
    return {
        "id": post.id,
        "image": os.fsencode(str(post.image or "")).decode("utf-8", "backslashreplace"),
        "text": list(post.captions),
        "tags": list(post.tags),
        "lat": post.place.lat if post.place else None,
        "lon": post.place.lon if post.place else None,
        "taken": post.taken.isoformat() if post.taken else None,
        "label": list(post.labels),
    }


def _csv(path: Path, posts: Iterator[Post], delimiter: str = ",") -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, COLUMNS, delimiter=delimiter)
        rows.writeheader()
        for post in posts:
            # A mark at the end says that this is a list: "New York" alone would be read as two tags.
            row = _fields(post) | {"tags": "".join(f"{tag};" for tag in post.tags)}
            for caption, label in zip_longest(post.captions or ("",), post.labels, fillvalue=""):
                rows.writerow(row | {"text": caption, "label": label})


def _tsv(path: Path, posts: Iterator[Post]) -> None:
    _csv(path, posts, "\t")


def _json_lines(path: Path, posts: Iterator[Post]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for post in posts:
            file.write(json.dumps(_fields(post), ensure_ascii=False) + "\n")


def _parquet(path: Path, posts: Iterator[Post]) -> None:
    arrow = require("pyarrow", "writing Parquet", "pip install 'cartolina[table]'")
    parquet = require("pyarrow.parquet", "writing Parquet", "pip install 'cartolina[table]'")
    texts, number = arrow.list_(arrow.string()), arrow.float64()
    kinds = {"text": texts, "tags": texts, "label": texts, "lat": number, "lon": number}
    schema = arrow.schema([(name, kinds.get(name, arrow.string())) for name in COLUMNS])
    with parquet.ParquetWriter(path, schema) as file:
        rows: list[dict[str, Any]] = []
        for post in posts:
            rows.append(_fields(post))
            if len(rows) == ROWS_AT_A_TIME:
                file.write_table(arrow.Table.from_pylist(rows, schema))
                rows.clear()
        file.write_table(arrow.Table.from_pylist(rows, schema))


FORMATS: dict[str, Callable[[Path, Iterator[Post]], None]] = {
    ".csv": _csv,
    ".tsv": _tsv,
    ".jsonl": _json_lines,
    ".parquet": _parquet,
}
