"""`table`: CSV, TSV, JSON lines or Parquet, a post a row; rows that share an id or a picture are one post.

    photos/posts.csv          image,caption,lat,lon,tags,split
                              barcelona/1.jpg,"Sagrada Família #gaudi",41.40,2.17,"church,spain",train
    photos/barcelona/1.jpg    picture paths are relative to the table's folder

Columns are recognised by their usual names (columns.py) or named with `--columns image=path,…`. In Parquet
a picture may be bytes, or a struct of bytes and path (what Hugging Face's datasets write).

Memory does not grow with the table, so the rows of one post must stand together: rows whose id was seen
among the last 65,536 posts are skipped as "repeated id". A relative path that leaves the table's folder is
refused; an absolute one is taken.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

from cartolina.datasets.columns import assign, describe_row
from cartolina.datasets.dataset import Dataset, Skipped
from cartolina.datasets.fields import clean, distinct, is_blank, merge, read_captions
from cartolina.datasets.locate import NotTaken, locate
from cartolina.datasets.rows import Numbered, Rows, open_rows
from cartolina.errors import CartolinaError, InputError
from cartolina.post import Post

__all__ = ["TABLE", "Table", "TableReader"]

SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
_LOOKED_AT = 20  # posts of a folder's table, one of whose pictures must be there
_REMEMBERED = 65_536  # ids, some 10 MB
_MOST_SPLITS = 100
_QUICKLY_COUNTED = 16 << 20  # bytes, some 300,000 rows: two seconds


@dataclass(frozen=True)
class TableReader:
    """Reads a table of posts."""

    name: str = "table"

    def detect(self, path: Path) -> str | None:
        """Recognise a table by its suffix, or a folder whose only table names pictures that are there."""
        if path.is_file():
            return f"the suffix {path.suffix}" if path.suffix.lower() in SUFFIXES else None
        try:
            table = Table.open(_only_table(path), {})
            found = any(isinstance(item, Post) for item in islice(table.stream(None), _LOOKED_AT))
        except (CartolinaError, OSError):
            return None
        return table.why if found else None

    def open(self, path: Path, columns: Mapping[str, str] | None = None) -> Dataset:
        """Open a table, or the only one in a folder.

        Raises `InputError` when no column holds pictures, `UnknownName` when a named column is not there,
        `MissingPackage` for Parquet without pyarrow.
        """
        table = Table.open(_only_table(path), columns or {})
        return Dataset(
            format=self.name,
            root=table.path.parent,
            why=table.why,
            splits=tuple(split for split in table.census if split) if "split" in table.roles else (),
            stream=table.stream,
            count=table.count,
            stable_ids="id" in table.roles,
        )


TABLE = TableReader()


def _only_table(path: Path) -> Path:
    if path.is_file():
        return path
    tables = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES and file.is_file())
    if len(tables) != 1:
        found = ", ".join(file.name for file in tables[:5]) or "none"
        raise InputError(
            f"{path}: expected a table ({', '.join(SUFFIXES)}) or a folder with one; found {found}"
        )
    return tables[0]


@dataclass(frozen=True)
class _Row:
    where: str
    id: str
    image: object  # the cell as it was read
    cells: Mapping[str, object]


@dataclass(frozen=True)
class Table:
    """Rows as posts: `roles` says which column plays which part; relative pictures lie beside `path`."""

    path: Path
    source: Rows
    roles: Mapping[str, str]

    @classmethod
    def open(cls, path: Path, columns: Mapping[str, str]) -> Table:
        """Open the table at `path`."""
        return cls.of(path, open_rows(path), columns)

    @classmethod
    def of(cls, path: Path, source: Rows, columns: Mapping[str, str]) -> Table:
        """Give the columns of `source` their roles; raises `InputError` where none holds pictures."""
        roles = assign(source.columns, columns)
        if "image" not in roles:
            raise InputError(
                f"{path} has no column known to hold pictures, only {', '.join(source.columns)[:500]}: "
                "say which with --columns image=NAME"
            )
        return cls(path, source, roles)

    @property
    def why(self) -> str:
        """By what it was recognised."""
        read_as = ", ".join(f"{role}={column}" for role, column in self.roles.items())
        return f"{self.path.name} is {self.source.kind}, its columns read as {read_as}"

    def stream(self, split: str | None) -> Iterator[Post | Skipped]:
        """Join rows that follow each other under one id into posts."""
        recent: OrderedDict[str, None] = OrderedDict()
        together: list[_Row] = []
        for row in self._rows(split):
            if isinstance(row, Skipped):
                yield row
                continue
            if together and row.id != together[0].id:
                yield from self._join(together, recent)
                together = []
            together.append(row)
        if together:
            yield from self._join(together, recent)

    def count(self, split: str | None) -> int | None:
        """Count the posts of `split`, unless the table is so large that this takes long."""
        if "split" not in self.roles and self.path.stat().st_size > _QUICKLY_COUNTED:
            return None
        return self.census.total() if split is None else self.census[split]

    @cached_property
    def census(self) -> Counter[str]:
        """Posts by split ("" where the cell is blank): one pass over the table, pictures not looked for."""
        posts: Counter[str] = Counter()
        last: dict[str, object] = {}
        key = self.roles.get("id") or self.roles["image"]
        for row in self.source.read({key, *([self.roles["split"]] if "split" in self.roles else [])}):
            if isinstance(row, Skipped):
                continue
            split, value = self._split(row), row[1].get(key)
            if split not in last or last[split] != value:
                posts[split] += 1
                last[split] = value
            if len(posts) > _MOST_SPLITS:
                raise InputError(
                    f"{self.path}: column {self.roles['split']!r} has more than {_MOST_SPLITS} values, "
                    "too many to be splits: say --columns split= to leave it alone"
                )
        return posts

    def _split(self, row: Numbered) -> str:
        value = row[1].get(self.roles.get("split", ""))
        return "" if is_blank(value) else clean(str(value))

    def _rows(self, split: str | None) -> Iterator[_Row | Skipped]:
        for row in self.source.read(set(self.roles.values())):
            if isinstance(row, Skipped):
                yield row
            elif split is None or self._split(row) == split:
                yield self._identify(*row)

    def _identify(self, number: int, cells: Mapping[str, object]) -> _Row | Skipped:
        where = f"{self.path.name}, {self.source.unit} {number}"
        image = cells.get(self.roles["image"])
        if isinstance(image, dict):  # Hugging Face's {"bytes": …, "path": …}
            image = image.get("bytes") or image.get("path")
        if "id" in self.roles:
            given, missing = cells.get(self.roles["id"]), "no id"
        else:  # a picture inside the table has no path to be known by
            given, missing = (
                f"{self.path.stem}#{number}" if isinstance(image, bytes) else image,
                "no image named",
            )
        post_id = "" if given is None else clean(str(given))
        return _Row(where, post_id, image, cells) if post_id else Skipped(where, missing, "the cell is blank")

    def _join(self, rows: list[_Row], recent: OrderedDict[str, None]) -> Iterator[Post | Skipped]:
        first = rows[0]
        if first.id in recent:
            detail = f"{first.id}: sort the table so that its rows stand together"
            yield Skipped(first.where, "repeated id", detail)
            return
        recent[first.id] = None
        if len(recent) > _REMEMBERED:
            recent.popitem(last=False)
        try:
            image = self._picture(first.image)
        except NotTaken as error:
            yield Skipped(first.where, error.reason, str(error))
            return
        same = [row for row in rows if row.image == first.image]
        for row in rows:
            if row.image != first.image:
                detail = f"{first.id} has one already: give this row an id of its own"
                yield Skipped(row.where, "another image", detail)
        metadata = merge(describe_row(row.cells, self.roles) for row in same)
        for reason, detail in metadata.problems:
            yield Skipped(first.where, reason, f"{detail}; the post {first.id} stays without")
        label = self.roles.get("label", "")
        labels = distinct(name for row in same for name in read_captions(row.cells.get(label)))
        yield metadata.post(first.id, image, labels)

    def _picture(self, cell: object) -> Path | bytes:
        if isinstance(cell, bytes):
            return cell
        if is_blank(cell) or not isinstance(cell, str):
            raise NotTaken("no image named", "the cell is blank" if is_blank(cell) else str(cell)[:80])
        return locate(cell.strip(), self.path.parent)
