"""`huggingface`: a dataset of the package `datasets`, saved with `save_to_disk`; read without that package.

    flickr/dataset_dict.json                  {"splits": ["train", "test"]}; without it there is one split
    flickr/train/state.json                   {"_data_files": [{"filename": "data-00000-of-00002.arrow"}, …]}
    flickr/train/dataset_info.json            the columns' kinds under "features"
    flickr/train/data-00000-of-00002.arrow    record batches in Arrow's streaming format

A row is a post, its columns are recognised and named as a table's are (`--columns`); rows that share an id
and follow each other are one. Pictures are the bytes in an image column, else the path it holds, which starts
at the dataset's folder. Captions may be a text or a list. Classes that are kept as numbers get their names
from the features (ClassLabel) and become labels. Without an id column posts are `train#1`, `train#2` …

Splits are the dictionary's. A batch is mapped from disk, checked, and turned into posts 16 rows at a time.
Source: the documentation of `datasets`, "Save and export"; Arrow's columnar format.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cartolina.datasets.dataset import Dataset, Skipped
from cartolina.datasets.locate import read_text
from cartolina.datasets.rows import Numbered, Rows
from cartolina.datasets.table import Table
from cartolina.errors import InputError, require
from cartolina.post import Post

__all__ = ["HUGGINGFACE", "HuggingFaceReader"]

_ROWS = 16  # made Python's at a time, pictures and all


@dataclass(frozen=True)
class HuggingFaceReader:
    """Reads what `datasets` saved to disk."""

    name: str = "huggingface"

    def detect(self, path: Path) -> str | None:
        """Recognise dataset_dict.json, or state.json with Arrow files beside it."""
        try:
            if (path / "dataset_dict.json").is_file():
                return "dataset_dict.json, as `datasets` saves it"
            if (path / "state.json").is_file() and any(path.glob("*.arrow")):
                return "state.json and Arrow files, as `datasets` saves them"
        except OSError:
            pass
        return None

    def open(self, path: Path, columns: Mapping[str, str] | None = None) -> Dataset:
        """Open the folder that was saved, or that of one split.

        Raises `InputError` where it is none or no column holds pictures, `UnknownName` for a column that is
        not there, `MissingPackage` without pyarrow.
        """
        if self.detect(path) is None:
            raise InputError(
                f"{path} is no saved Hugging Face dataset: expected dataset_dict.json or state.json in it, "
                "as `datasets` writes them with save_to_disk"
            )
        require("pyarrow", "reading a Hugging Face dataset", "pip install 'cartolina[table]'")
        names = _splits(path)
        # Its own folder is where a split's rows say they are; pictures start at the whole dataset's.
        splits = {name: _Split.open(path / name, path / name, columns or {}) for name in names}
        if not names:
            splits = {"": _Split.open(path, path / path.absolute().name, columns or {})}
        first = next(iter(splits.values())).table
        return Dataset(
            format=self.name,
            root=path,
            why=first.why,
            splits=tuple(names),
            stream=lambda split: _stream([splits[split]] if split else [*splits.values()]),
            count=lambda split: sum(one.count() for one in ([splits[split]] if split else splits.values())),
            stable_ids="id" in first.roles,
        )


HUGGINGFACE = HuggingFaceReader()


def _stream(splits: Sequence[_Split]) -> Iterator[Post | Skipped]:
    for split in splits:
        yield from split.table.stream(None)


def _splits(path: Path) -> list[str]:
    if not (path / "dataset_dict.json").is_file():
        return []
    said = _json(path / "dataset_dict.json")
    names = said.get("splits")
    if not isinstance(names, list) or not names or not all(_is_plain(name) for name in names):
        raise InputError(f"{path / 'dataset_dict.json'}: expected a list of names under 'splits'")
    return list(dict.fromkeys(names))


def _json(file: Path) -> dict[str, Any]:
    try:
        said = json.loads(read_text(file, file.parent) or "null")
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file} cannot be read as JSON: {error}") from error
    if not isinstance(said, dict):
        raise InputError(f"{file}: expected a JSON object")
    return said


def _is_plain(name: object) -> bool:
    """Whether a name stays in its folder."""
    return (
        isinstance(name, str) and name not in ("", ".", "..") and Path(name).name == name and "\0" not in name
    )


@dataclass(frozen=True)
class _Split:
    files: Sequence[Path]
    table: Table

    @classmethod
    def open(cls, folder: Path, place: Path, columns: Mapping[str, str]) -> _Split:
        """The rows in `folder`, which are called those of `place`."""
        files = _files(folder)
        classes = _classes(folder)
        names = _columns(files[0])
        rows = Rows("a Hugging Face dataset", "row", names, partial(_rows, files, classes))
        given = {"split": "", **columns}  # the folders say it
        return cls(files, Table.of(place, rows, given))

    def count(self) -> int:
        return sum(batch.num_rows for file in self.files for batch in _batches(file, is_checked=False))


def _files(folder: Path) -> list[Path]:
    state = _json(folder / "state.json")
    if state.get("_indices_data_files") or state.get("_indices_files"):
        raise InputError(
            f"{folder} keeps a selection of rows beside them: save it again with a newer `datasets`"
        )
    listed = state.get("_data_files")
    entries = listed if isinstance(listed, list) else []
    names = [str(one.get("filename")) for one in entries if isinstance(one, dict)]
    if not names or not all(_is_plain(name) for name in names):
        raise InputError(f"{folder / 'state.json'}: expected the names of Arrow files under '_data_files'")
    files = [folder / name for name in names]
    if missing := [file.name for file in files if not file.is_file()]:
        raise InputError(f"{folder} has no {', '.join(missing[:5])}, which its state.json names")
    return files


def _classes(folder: Path) -> dict[str, list[str]]:
    """The names of the classes, by the column that has their numbers."""
    file = folder / "dataset_info.json"
    features = _json(file).get("features") if file.is_file() else None
    found = {}
    for column, feature in features.items() if isinstance(features, dict) else ():
        while isinstance(feature, dict) and isinstance(feature.get("feature"), dict):  # a list of them
            feature = feature["feature"]
        if isinstance(feature, list) and len(feature) == 1:  # as older versions write one
            feature = feature[0]
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel":
            found[column] = [str(name) for name in feature.get("names") or ()]
    return found


def _columns(file: Path) -> list[str]:
    from pyarrow import ArrowException, ipc, memory_map

    try:
        with memory_map(str(file)) as mapped:
            return list(ipc.open_stream(mapped).schema.names)
    except (ArrowException, OSError, ValueError) as error:
        raise InputError(f"{file} is not an Arrow file that can be read: {error}") from error


def _batches(file: Path, *, is_checked: bool) -> Iterator[Any]:
    """The record batches of a file, until one cannot be read; then what is raised, where `is_checked`."""
    from pyarrow import ArrowException, ipc, memory_map

    try:
        with memory_map(str(file)) as mapped:
            for batch in ipc.open_stream(mapped):
                if is_checked:
                    batch.validate(full=True)  # offsets that leave the file would end the process
                yield batch
    except (ArrowException, OSError, ValueError):
        if is_checked:
            raise


def _rows(
    files: Sequence[Path], classes: Mapping[str, list[str]], columns: Collection[str]
) -> Iterator[Numbered | Skipped]:
    from pyarrow import ArrowException

    number = 0
    for file in files:
        try:
            for batch in _batches(file, is_checked=True):
                wanted = batch.select([name for name in batch.schema.names if name in columns])
                for start in range(0, wanted.num_rows, _ROWS):
                    for row in wanted.slice(start, _ROWS).to_pylist():
                        number += 1
                        yield number, {name: _named(cell, classes.get(name)) for name, cell in row.items()}
        except (ArrowException, OSError, ValueError) as error:
            yield Skipped(f"{file.name}, row {number + 1}", "bad row", f"the rest of the file: {error}")


def _named(cell: object, names: Sequence[str] | None) -> object:
    """The names of classes for their numbers; a negative one is none."""
    if names is None:
        return cell
    if isinstance(cell, list):
        return [name for one in cell if (name := _named(one, names)) is not None]
    if not isinstance(cell, int):
        return cell
    return names[cell] if 0 <= cell < len(names) else None if cell < 0 else str(cell)
