"""`shards`: samples in tars one after another, as webdataset and img2dataset write them; or in Parquet files.

    laion/00000.tar             000000012.jpg, 000000012.txt, 000000012.json, then the next sample's files
    laion/00000.parquet         img2dataset's list of all that was to be downloaded into it
    laion/00000_stats.json      … and how many were ("successes")
    laion/train-000001.tar.gz   .tgz too; shards of a split by their names, or in folders train/, val/, test/
    laion/00000.parquet         alone: img2dataset's Parquet form, the pictures in a column jpg, png or webp

A sample's files have the same name up to the first dot, and stand together, in any order: .jpg, .png, .webp …
the picture; .txt a caption; .json what a table's columns are named like (caption, lat, lon, tags …), and
`exif` as img2dataset keeps it; .cls a class, the label. Others are passed over. Ids are `shard/name`, since
names may come again in another shard. Captions that .txt and .json both have count once.

One sample is held at a time (of Parquet, 256). A tar is hostile until read: nothing is unpacked, names only
become ids, sizes are bounded. A sample whose picture was not downloaded is told as "not downloaded".
Source: Aizman, Maltby, Breuel, "High performance I/O for large scale deep learning" (2019); img2dataset.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from cartolina.datasets.archive import in_turn
from cartolina.datasets.dataset import Dataset, Skipped
from cartolina.datasets.fields import clean
from cartolina.datasets.locate import read_text
from cartolina.datasets.rows import open_rows
from cartolina.datasets.samples import WORDS, Sample, is_picture, samples, split_name
from cartolina.datasets.suffixes import kind_of
from cartolina.datasets.walk import names_in_folder, natural
from cartolina.errors import CartolinaError, InputError
from cartolina.post import Post

__all__ = ["SHARDS", "ShardsReader"]

_TARS = (".tar", ".tar.gz", ".tgz")
_NUMBERED = re.compile(r"(?:.*\D)?\d{4,6}")  # 00000, laion-000012, but not photos-2019-07-04
_SPLITS = ("train", "val", "valid", "validation", "dev", "test")
_SPLIT = re.compile(rf"(?:^|[^a-z])({'|'.join(_SPLITS)})(?:$|[^a-z])")
_PICTURES = ("jpg", "jpeg", "png", "webp")  # columns of img2dataset's Parquet form
_LOOKED_AT = 32  # files of a tar, among which a picture and its words must be


@dataclass(frozen=True)
class ShardsReader:
    """Reads shards."""

    name: str = "shards"

    def detect(self, path: Path) -> str | None:
        """Recognise numbered tars, or Parquet files of img2dataset, by the first samples of the first.

        Any archive of photos may have words beside them: it needs a shard's number, too.
        """
        try:
            home = _Home.find(path)
            first = home.shards[0] if home.shards else None
            if first is None or not _NUMBERED.fullmatch(first.stem):
                return None
            if any(map(kind_of, names_in_folder(path))):
                return None  # photos, and an archive beside them
            return home.why if first.looks_right() else None
        except (CartolinaError, OSError):
            return None

    def open(self, path: Path, columns: Mapping[str, str] | None = None) -> Dataset:
        """Open a folder of shards, or one; raises `InputError` where there is none."""
        home = _Home.find(path)
        if not home.shards:
            raise InputError(
                f"{path} has no shards: expected tars ({', '.join(_TARS)}) of samples, or img2dataset's "
                "Parquet files with a column jpg"
            )
        return Dataset(
            format=self.name,
            root=home.root,
            why=home.why,
            splits=home.splits,
            stream=home.stream,
            count=home.count,
            stable_ids=False,
        )


SHARDS = ShardsReader()


@dataclass(frozen=True)
class _Shard:
    path: Path
    name: str  # its path from the root, without suffix
    split: str

    @property
    def stem(self) -> str:
        return self.name.rpartition("/")[2]

    @property
    def is_tar(self) -> bool:
        return self.path.name.lower().endswith(_TARS)

    def beside(self, ending: str) -> Path:
        return self.path.with_name(self.stem + ending)

    def looks_right(self) -> bool:
        """Whether a picture and its words are among the first files, or pictures in a column."""
        if not self.is_tar:
            return True  # `_Home.find` has looked
        kinds: dict[str, set[bool]] = {}
        for entry in islice(in_turn(self.path), _LOOKED_AT):
            if isinstance(entry, tuple):
                key, suffix = split_name(entry[0])
                if is_picture(suffix) or suffix in WORDS:
                    kinds.setdefault(key, set()).add(is_picture(suffix))
        return any(len(found) == 2 for found in kinds.values())

    def count(self) -> int | None:
        """How many samples it has, as img2dataset says."""
        try:
            said = json.loads(read_text(self.beside("_stats.json"), self.path.parent) or "{}")
            successes = said.get("successes")
        except (ValueError, RecursionError, InputError, AttributeError):
            return None
        return successes if isinstance(successes, int) else None


@dataclass(frozen=True)
class _Home:
    root: Path
    shards: Sequence[_Shard]

    @classmethod
    def find(cls, path: Path) -> _Home:
        if path.is_file():
            return cls(path.parent, [_shard(path, path.parent)] if _is_shard(path) else [])
        shards = _shards_in(path, path)
        if not shards:
            for name in _SPLITS:
                shards += _shards_in(path / name, path)
        return cls(path, shards)

    @property
    def splits(self) -> tuple[str, ...]:
        found = {shard.split for shard in self.shards}
        return tuple(split for split in _SPLITS if split in found)

    @property
    def why(self) -> str:
        first = self.shards[0]
        kind = "tars of samples" if first.is_tar else "Parquet files with pictures inside"
        more = f" and {len(self.shards) - 1} more" if len(self.shards) > 1 else ""
        return f"{kind}, {first.path.name}{more}"

    def of(self, split: str | None) -> list[_Shard]:
        return [shard for shard in self.shards if split in (None, shard.split)]

    def count(self, split: str | None) -> int | None:
        counts = [shard.count() for shard in self.of(split)]
        return sum(count for count in counts if count) if None not in counts else None

    def stream(self, split: str | None) -> Iterator[Post | Skipped]:
        for shard in self.of(split):
            if shard.is_tar:
                yield from samples(shard.path, shard.name)
                yield from _missing(shard)
            else:
                yield from _rows(shard)


def _shards_in(folder: Path, root: Path) -> list[_Shard]:
    names = [name for name in names_in_folder(folder) if not name.startswith(".")]
    tars = [name for name in names if name.lower().endswith(_TARS)]
    named = tars or [name for name in names if name.lower().endswith(".parquet")]
    files = [folder / name for name in sorted(named, key=natural)]
    shards = [file for file in files if file.is_file()]
    return [_shard(file, root) for file in shards] if shards and _is_shard(shards[0]) else []


def _is_shard(file: Path) -> bool:
    if file.name.lower().endswith(_TARS):
        return True
    if file.suffix.lower() != ".parquet":
        return False
    try:
        columns = open_rows(file).columns
    except CartolinaError:
        return False
    return "key" in columns and any(name in columns for name in _PICTURES)


def _shard(file: Path, root: Path) -> _Shard:
    name = file.relative_to(root).as_posix()
    ending = next((one for one in _TARS if name.lower().endswith(one)), file.suffix)
    split = _SPLIT.search(name.lower())
    return _Shard(file, name[: len(name) - len(ending)], split[1] if split else "")


def _missing(shard: _Shard) -> Iterator[Skipped]:
    """What img2dataset's list beside a tar says was not downloaded; nothing, where it cannot be read."""
    file = shard.beside(".parquet")
    try:
        rows = open_rows(file) if file.is_file() else None
    except CartolinaError:  # no pyarrow, or another's file
        return
    if rows is None or not {"key", "status"} <= set(rows.columns):
        return
    wanted = {"key", "status", "error_message"} & set(rows.columns)
    for row in rows.read(wanted):
        if not isinstance(row, Skipped) and (lost := _not_downloaded(row[1])):
            yield Skipped(f"{file.name}, {clean(str(row[1]['key']))}", *lost)


def _not_downloaded(row: Mapping[str, object]) -> tuple[str, str] | None:
    status = row.get("status")
    if status in (None, "success"):
        return None
    return "not downloaded", clean(str(row.get("error_message") or status))[:200]


def _rows(shard: _Shard) -> Iterator[Post | Skipped]:
    source = open_rows(shard.path)
    pictures = [name for name in _PICTURES if name in source.columns]
    for row in source.read(source.columns):
        if isinstance(row, Skipped):
            yield row
            continue
        number, cells = row
        image = next((cells[name] for name in pictures if cells[name]), None)
        key = clean(str(cells.get("key") or ""))
        values = {name: value for name, value in cells.items() if name not in pictures}
        if not key:
            yield Skipped(f"{shard.path.name}, row {number}", "no id", "the cell is blank")
        elif lost := _not_downloaded(cells):
            yield Skipped(f"{shard.path.name}, {key}", *lost)
        else:
            sample = Sample(key, image if isinstance(image, bytes) else None, values=values)
            yield from sample.posts(shard.path, shard.name)
