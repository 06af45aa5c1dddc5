"""The rows of a table on disk, streamed: delimited text, JSON lines or Parquet, told apart by content.

- delimited: a header line; `"` quotes; comma, semicolon, tab or bar, whichever the header has most of;
- JSON lines: one object a line;
- Parquet: read a batch at a time, and only the columns asked for.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from cartolina.datasets.dataset import Skipped
from cartolina.datasets.encoding import lines
from cartolina.errors import InputError, require

__all__ = ["Rows", "open_rows"]

Numbered = tuple[int, dict[str, object]]  # a row's number (line or row, from 1) and its cells by column
_BATCH = 256  # rows of Parquet at a time; with pictures inside, some 50 MB
_PEEKED = 100  # JSON objects whose keys make the columns


@dataclass(frozen=True)
class Rows:
    """A table: its `kind` and what a row is called ("line", "row") for people, its `columns`, its rows.

    `read(columns)` streams the rows; it may give more cells than asked for, and gives rows that cannot be
    read as `Skipped`.
    """

    kind: str
    unit: str
    columns: list[str]
    read: Callable[[Collection[str]], Iterator[Numbered | Skipped]]


def open_rows(path: Path) -> Rows:
    """Open a table and find its columns.

    Raises `InputError` when it has none or cannot be read, `MissingPackage` for Parquet without pyarrow.
    """
    with path.open("rb") as file:
        start = file.read(4)
    suffix = path.suffix.lower()
    if start == b"PAR1" or suffix == ".parquet":
        return _open_parquet(path)
    first = next((line for line in lines(path) if line.strip()), "").lstrip()
    is_json = first.startswith("{") or suffix in (".jsonl", ".ndjson")
    rows = _open_json_lines(path) if is_json else _open_delimited(path, first)
    if not any(rows.columns):
        raise InputError(f"{path} is empty: expected a header with column names, or JSON objects, one a line")
    return rows


def _open_delimited(path: Path, header: str) -> Rows:
    # Names seldom hold these, so counting decides; with none of them there is a single column.
    delimiter = max(",\t;|", key=header.count)
    kind = {",": "a CSV table", "\t": "a TSV table"}.get(delimiter, f"a table cut at {delimiter!r}")

    def reader() -> Any:  # noqa: ANN401  # csv's reader has no public type
        return csv.reader(lines(path), delimiter=delimiter, skipinitialspace=True)

    def read(columns: Collection[str]) -> Iterator[Numbered | Skipped]:
        rows = reader()
        names: list[str] | None = None
        while True:
            try:
                cells = next(rows, None)
            except csv.Error as error:
                yield Skipped(f"{path.name}, line {rows.line_num}", "bad row", str(error))
                continue
            if cells is None:
                return
            if not any(cells):
                continue
            if names is None:
                names = [cell.strip() for cell in cells]
            elif len(cells) > len(names):
                detail = f"{len(cells)} cells under {len(names)} column names"
                yield Skipped(f"{path.name}, line {rows.line_num}", "bad row", detail)
            else:
                yield rows.line_num, dict(zip(names, cells, strict=False))

    try:
        header_row: list[str] = next((row for row in reader() if any(row)), [])
    except csv.Error as error:
        raise InputError(f"{path} cannot be read as a table: {error}") from error
    return Rows(kind, "line", [cell.strip() for cell in header_row], read)


def _open_json_lines(path: Path) -> Rows:
    def read(columns: Collection[str]) -> Iterator[Numbered | Skipped]:
        for number, line in enumerate(lines(path), 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise InputError("a JSON object was expected")
            except (ValueError, RecursionError, InputError) as error:
                yield Skipped(f"{path.name}, line {number}", "bad row", str(error))
                continue
            yield number, row

    peeked = (row[1] for row in islice(read(()), _PEEKED) if not isinstance(row, Skipped))
    return Rows(
        "a table of JSON lines", "line", list(dict.fromkeys(key for row in peeked for key in row)), read
    )


def _open_parquet(path: Path) -> Rows:
    require("pyarrow", "reading Parquet", "pip install 'cartolina[table]'")
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            columns = list(file.schema_arrow.names)
    except (ArrowException, OSError, ValueError) as error:
        raise InputError(f"{path} is not a Parquet file that can be read: {error}") from error

    def read(columns: Collection[str]) -> Iterator[Numbered | Skipped]:
        with ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                number = sum(file.metadata.row_group(before).num_rows for before in range(group))
                try:
                    batches = file.iter_batches(_BATCH, row_groups=[group], columns=[*columns])
                    for batch in batches:
                        for row in batch.to_pylist():
                            number += 1
                            yield number, row
                except (ArrowException, OSError, ValueError) as error:
                    detail = f"the rest of row group {group}: {error}"
                    yield Skipped(f"{path.name}, row {number + 1}", "bad row", detail)

    return Rows("a Parquet table", "row", columns, read)
