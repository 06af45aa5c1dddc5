"""Posts as a table: what `--format table` reads back as the same posts.

CSV and TSV have a row for each caption (those of one post stand together), and divide a tag that has `,` `;`
or `|` in it when they are read again; JSON lines and Parquet have lists and keep it.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

from cartolina.durable import staged
from cartolina.errors import InputError, require
from cartolina.post import Post
from cartolina.progress import SILENT, Progress

__all__ = ["FORMATS", "write_table"]

COLUMNS = ("id", "image", "text", "tags", "lat", "lon", "taken", "label", "split")
ROWS_AT_A_TIME = 4096


def write_table(
    path: Path,
    posts: Iterable[tuple[Post, str]],
    *,
    with_split: bool = False,
    replace: bool = True,
    total: int | None = None,
    progress: Progress = SILENT,
) -> int:
    """Write `posts`, each with its split, to `path`, whose suffix says the format; how many there were.

    The splits are written `with_split` only. The file is there whole or not at all, and replaces one that is
    there unless `replace` is False. Raises `InputError` for a suffix that is not among `FORMATS`.
    """
    write = FORMATS.get(path.suffix.lower())
    if write is None:
        raise InputError(f"{path.name!r} says no format: end its name in {', '.join(FORMATS)}")
    columns = COLUMNS if with_split else COLUMNS[:-1]
    count = 0

    def rows() -> Iterator[dict[str, Any]]:
        nonlocal count
        with progress.task("table", total, "posts") as step:
            for post, split in posts:
                row = _fields(post, split)
                yield {name: row[name] for name in columns}
                count += 1
                step.advance()

    with staged(path, replace=replace) as made:
        write(made, columns, rows())
    return count


def _fields(post: Post, split: str) -> dict[str, Any]:
    return {
        "id": post.id,
        "image": os.fsencode(str(post.image or "")).decode("utf-8", "backslashreplace"),
        "text": list(post.captions),
        "tags": list(post.tags),
        "lat": post.place.lat if post.place else None,
        "lon": post.place.lon if post.place else None,
        "taken": post.taken.isoformat() if post.taken else None,
        "label": list(post.labels),
        "split": split,
    }


def _csv(path: Path, columns: Sequence[str], rows: Iterator[dict[str, Any]], delimiter: str = ",") -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, columns, delimiter=delimiter)
        table.writeheader()
        for row in rows:
            texts, labels = row["text"], row["label"]
            # A mark at the end says that this is a list: "New York" alone would be read as two tags.
            row["tags"] = "".join(f"{tag};" for tag in row["tags"])
            for text, label in zip_longest(texts or ("",), labels, fillvalue=""):
                table.writerow(row | {"text": text, "label": label})


def _tsv(path: Path, columns: Sequence[str], rows: Iterator[dict[str, Any]]) -> None:
    _csv(path, columns, rows, "\t")


def _json_lines(path: Path, columns: Sequence[str], rows: Iterator[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _parquet(path: Path, columns: Sequence[str], rows: Iterator[dict[str, Any]]) -> None:
    arrow = require("pyarrow", "writing Parquet", "pip install 'cartolina[table]'")
    parquet = require("pyarrow.parquet", "writing Parquet", "pip install 'cartolina[table]'")
    texts, number = arrow.list_(arrow.string()), arrow.float64()
    kinds = {"text": texts, "tags": texts, "label": texts, "lat": number, "lon": number}
    schema = arrow.schema([(name, kinds.get(name, arrow.string())) for name in columns])
    with parquet.ParquetWriter(path, schema) as file:
        while some := list(islice(rows, ROWS_AT_A_TIME)):
            file.write_table(arrow.Table.from_pylist(some, schema))


FORMATS: dict[str, Callable[[Path, Sequence[str], Iterator[dict[str, Any]]], None]] = {
    ".csv": _csv,
    ".tsv": _tsv,
    ".jsonl": _json_lines,
    ".parquet": _parquet,
}
"""How each format is written, by its suffix."""
