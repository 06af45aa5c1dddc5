"""Writing a dataset in another format, whole or not at all, as our own readers read it.

- `csv`, `tsv`, `jsonl`, `parquet`: a table (table_files.py) that names the pictures where they lie; those out
  of an archive are written beside it, into `NAME-pictures/`;
- `folder`: a tree of the pictures, named by the posts' ids, each with a .txt (the first caption) and a .json
  (all of it);
- `shards`: tars of 10,000 posts each, `train-00000.tar` …, of key.jpg, key.txt and key.json, as webdataset
  and img2dataset write them;
- `locsens`: `splits/train.txt` … of lines `id;tag,tag;country;town;lat;lon;address`, with `img/ID.jpg`.

Pictures are copied to the byte, never encoded anew. A post that a format cannot hold is left out and counted.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from cartolina.datasets.dataset import NOTES, Dataset, Skipped
from cartolina.datasets.list_files import write_lists
from cartolina.datasets.picture_files import Left, NotWritten, Placed, copy_picture, file_name, write_folder
from cartolina.datasets.shard_files import write_shards
from cartolina.datasets.table_files import FORMATS as TABLES
from cartolina.datasets.table_files import write_table
from cartolina.durable import staged
from cartolina.errors import InputError, UnknownName
from cartolina.progress import SILENT, Progress

__all__ = ["FORMATS", "ConvertReport", "convert"]

TABLE_FORMATS = tuple(suffix.removeprefix(".") for suffix in TABLES)
FOLDERS: dict[str, Callable[[Path, Iterator[Placed], Left], int]] = {
    "folder": write_folder,
    "locsens": write_lists,
    "shards": write_shards,
}
FORMATS = (*TABLE_FORMATS, *FOLDERS)

_REMEMBERED = 1 << 18


@dataclass(frozen=True)
class ConvertReport:
    """`posts` were written; of others `left_out` says why (what the reader skipped among them), by reason."""

    posts: int
    left_out: dict[str, int]


def convert(
    dataset: Dataset, to: str, into: Path, split: str | None = None, *, progress: Progress = SILENT
) -> ConvertReport:
    """Write the posts of `split` (None: all, with their splits where the format has them) to `into`.

    Raises `UnknownName` for a format that is not among `FORMATS`, `InputError` where something is at `into`,
    or a table's name ends otherwise than its format.
    """
    if to not in FORMATS:
        raise UnknownName("format to convert to", to, FORMATS)
    dataset.check_split(split)
    if to in TABLE_FORMATS and into.suffix.lower() != f".{to}":
        raise InputError(f"{into} should end in .{to}, as the format asked for does")
    left: Counter[str] = Counter()
    met: set[tuple[str, str]] = set()

    def skip(one: Skipped) -> None:
        # What is bad in no split's favour is told with each of them.
        if one.reason not in NOTES and (one.where, one.reason) not in met:
            left[one.reason] += 1
            if len(dataset.splits) > 1 and len(met) < _REMEMBERED:
                met.add((one.where, one.reason))

    def leave(reason: str) -> None:
        left[reason] += 1

    def placed() -> Iterator[Placed]:
        with progress.task(f"writing {to}", dataset.count(split), "posts") as step:
            for name in (split,) if split or not dataset.splits else dataset.splits:
                for post in dataset.posts(name, skip):
                    yield post, name or ""
                    step.advance()

    if to in TABLE_FORMATS:
        count = _table(into, placed(), leave, with_split=bool(dataset.splits))
    else:
        with staged(into, folder=True) as made:
            count = FOLDERS[to](made, placed(), leave)
            if not count:
                raise InputError(f"none of the posts can be written as {to}: {_reasons(left)}")
    if outside := _in_no_split(dataset) if split is None else 0:
        left["in no split"] += outside
    return ConvertReport(count, dict(sorted(left.items())))


def _in_no_split(dataset: Dataset) -> int:
    """How many posts no split has, where the reader knows without going through all."""
    counts = [dataset.count(name) for name in (None, *dataset.splits)]
    known = [count for count in counts if count is not None]
    return max(known[0] - sum(known[1:]), 0) if dataset.splits and len(known) == len(counts) else 0


def _table(into: Path, posts: Iterator[Placed], leave: Left, *, with_split: bool) -> int:
    """A table, and beside it the pictures that are no files yet: there before the table that names them."""
    beside = into.with_name(f"{into.stem}-pictures")
    with ExitStack() as stack:
        made: Path | None = None

        def on_disk() -> Iterator[Placed]:
            nonlocal made
            for post, split in posts:
                if isinstance(post.image, bytes):
                    if made is None:
                        made = stack.enter_context(staged(beside, folder=True))
                    try:
                        name = copy_picture(post.image, made, file_name(post.id)).relative_to(made)
                    except NotWritten as error:
                        leave(str(error))
                        continue
                    yield replace(post, image=Path(beside.name, name)), split
                else:
                    yield replace(post, image=post.image and post.image.absolute()), split

        def then_tidied() -> Iterator[Placed]:
            yield from on_disk()
            stack.close()  # all pictures are written: they go to their place

        try:
            return write_table(into, then_tidied(), with_split=with_split, replace=False)
        except BaseException:
            if made is not None and not made.exists():  # the pictures of a table that is not there
                shutil.rmtree(beside, ignore_errors=True)
            raise


def _reasons(left: Counter[str]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in sorted(left.items())) or "there are none"
