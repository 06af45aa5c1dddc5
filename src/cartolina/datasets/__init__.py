"""Readers: posts from a tree of photos, an account's export, a table, a published dataset.

`open_dataset` recognises the format, or takes the one it is told; docs/readers.md describes each on disk.

>>> for post in open_dataset("holiday photos").posts():   # doctest: +SKIP
...     print(post.id, post.text, post.place)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from cartolina.datasets.archive import is_archive, open_archive
from cartolina.datasets.columns import parse_columns
from cartolina.datasets.dataset import NOTES, Dataset, Listed, Reader, Skipped
from cartolina.datasets.fields import PhotoMetadata, hashtags
from cartolina.datasets.flickr import FLICKR8K, FLICKR30K
from cartolina.datasets.flickr_export import FLICKR_EXPORT
from cartolina.datasets.folder import FOLDER
from cartolina.datasets.huggingface import HUGGINGFACE
from cartolina.datasets.imagefolder import IMAGEFOLDER
from cartolina.datasets.instacities import INSTACITIES
from cartolina.datasets.instagram import INSTAGRAM
from cartolina.datasets.locsens import LOCSENS
from cartolina.datasets.metadata import describe_photo, read_metadata, reconciled
from cartolina.datasets.mirflickr import MIRFLICKR
from cartolina.datasets.shards import SHARDS
from cartolina.datasets.table import TABLE
from cartolina.datasets.takeout import TAKEOUT
from cartolina.datasets.webvision import WEBVISION
from cartolina.datasets.yfcc import YFCC100M
from cartolina.errors import InputError, UnknownName

__all__ = [
    "NOTES",
    "READERS",
    "Dataset",
    "Listed",
    "PhotoMetadata",
    "Reader",
    "Skipped",
    "describe_photo",
    "hashtags",
    "open_dataset",
    "read_metadata",
    "reconciled",
]

# In the order `auto` asks them: from what only one format looks like to what anything could be.
READERS: dict[str, Reader] = {
    reader.name: reader
    for reader in (
        FLICKR8K,
        FLICKR30K,
        INSTACITIES,
        WEBVISION,
        MIRFLICKR,
        YFCC100M,
        LOCSENS,
        HUGGINGFACE,
        TAKEOUT,
        FLICKR_EXPORT,
        INSTAGRAM,
        SHARDS,
        TABLE,
        IMAGEFOLDER,
        FOLDER,
    )
}

_WITH_COLUMNS = (TABLE.name, HUGGINGFACE.name)


def open_dataset(
    path: Path | str,
    format: str = "auto",  # noqa: A002  # what users say: --format
    columns: str | Mapping[str, str] | None = None,
) -> Dataset:
    """Open the posts at `path`; `.why` of the result is a sentence saying what they were taken for.

    `format` is "auto" or one of `READERS`. `columns` ("image=path,text=caption", or a mapping) names a
    table's columns where their names are not the usual ones; with "auto" it makes the path a table, or the
    Hugging Face dataset that it is.
    Raises `InputError` when there is nothing there, or nothing known; `UnknownName` for another format.
    """
    path = Path(path).expanduser()
    if format != "auto" and format not in READERS:
        raise UnknownName("format", format, ["auto", *READERS])
    if not path.exists():
        raise InputError(
            f"{path} does not exist: expected a folder or an archive of photos, an account's export, a table "
            "or a dataset's folder"
        )
    named = parse_columns(columns)
    if named and format not in ("auto", *_WITH_COLUMNS):
        raise InputError(
            f"columns were given, but only the formats {' and '.join(map(repr, _WITH_COLUMNS))} have them, "
            f"not {format!r}"
        )
    if format != "auto" or named:
        how = "asked" if format != "auto" else "columns were named"
        if format == "auto":
            format = HUGGINGFACE.name if HUGGINGFACE.detect(path) else TABLE.name  # noqa: A001
        chosen = READERS[format]
        dataset = chosen.open(path, named)
        return _opened(dataset, path, named, f"Read as {dataset.format}, as {how}: {dataset.why}.")
    for reader in READERS.values():
        if reader.detect(path):
            dataset = reader.open(path)
            return _opened(dataset, path, named, f"Recognised as {dataset.format}: {dataset.why}.")
    if is_archive(path):
        open_archive(path)  # raises the error of one that was cut short
    raise InputError(
        f"nothing known was found in {path}: expected pictures (.jpg, .png, …) in a folder or an "
        f"archive, an account's export, a table (.csv, .tsv, .jsonl, .parquet) or a dataset; --format says "
        f"which, of {', '.join(READERS)}"
    )


def _opened(dataset: Dataset, path: Path, columns: Mapping[str, str], why: str) -> Dataset:
    return dataclasses.replace(dataset, path=path.absolute(), columns=columns, why=why)
