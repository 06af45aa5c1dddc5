"""One sample of a shard after another: what its files, or its row, say, as a post.

>>> split_name("0001/cat.seg.PNG")
('0001/cat', 'seg.png')
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cartolina.datasets.archive import LARGEST, in_turn
from cartolina.datasets.columns import assign, describe_row
from cartolina.datasets.dataset import Skipped
from cartolina.datasets.encoding import decode
from cartolina.datasets.exif_text import describe_exif_text
from cartolina.datasets.fields import PhotoMetadata, clean, distinct, merge, read_captions
from cartolina.datasets.locate import NotTaken
from cartolina.datasets.suffixes import kind_of
from cartolina.post import Post

__all__ = ["WORDS", "Sample", "is_picture", "samples", "split_name"]

WORDS = ("txt", "json", "cls")
"""What files of a sample are read beside its picture."""
_LARGEST_TEXT = 8 << 20
_REMEMBERED = 65_536  # names of a shard, some 8 MB


def split_name(where: str) -> tuple[str, str]:
    """A file's path up to the first dot of its name, and the rest in small letters."""
    folder, slash, name = where.rpartition("/")
    key, _, suffix = name.partition(".")
    return folder + slash + key, suffix.lower()


def is_picture(suffix: str) -> bool:
    """Whether a file of a sample is its picture: `seg.png` is not."""
    return kind_of(f"x.{suffix}") in ("picture", "raw") and "." not in suffix


@dataclass
class Sample:
    """What was read of a sample; `lost` are (reason, detail) of its files that could not be."""

    key: str
    image: bytes | None = None
    captions: tuple[str, ...] = ()
    values: object = None
    labels: tuple[str, ...] = ()
    lost: list[tuple[str, str]] = field(default_factory=list)
    no_image: tuple[str, str] = ("no such image", "the sample has words only")
    is_empty: bool = True

    def read(self, suffix: str, read: Callable[[int], bytes]) -> None:
        """Take in a file of it."""
        shown = is_picture(suffix)
        if not shown and suffix not in WORDS:
            return
        self.is_empty = False
        try:
            data = read(LARGEST if shown else _LARGEST_TEXT)
        except NotTaken as error:
            if shown:
                self.no_image = (error.reason, str(error))
            else:
                self.lost.append(("bad sidecar", f".{suffix}: {error}"))
            return
        if shown:
            self.image = self.image or data
        elif suffix == "json":
            try:
                self.values = json.loads(decode(data))
            except (ValueError, RecursionError) as error:
                self.lost.append(("bad sidecar", f".json: {error}"))
        elif suffix == "txt":
            self.captions = read_captions(decode(data))
        else:
            self.labels = read_captions(decode(data))

    def posts(self, file: Path, shard: str) -> Iterator[Post | Skipped]:
        """Its post, whose id is below `shard`; first what was dropped of it."""
        where = f"{file.name}, {self.key}"
        if self.image is None:
            yield Skipped(where, *self.no_image)
            return
        said = _describe(self.values)
        words = PhotoMetadata(captions=self.captions)
        metadata = merge([words, said])
        for reason, detail in (*self.lost, *metadata.problems):
            yield Skipped(where, reason, f"{detail}; the post stays without")
        post_id = clean(f"{shard}/{self.key}")
        yield metadata.post(post_id, self.image, distinct((*self.labels, *_labels(self.values))))


def _describe(values: object) -> PhotoMetadata:
    if not isinstance(values, Mapping):
        return PhotoMetadata()
    names = [str(name) for name in values]
    return merge([describe_row(values, assign(names, {})), describe_exif_text(values.get("exif"))])


def _labels(values: object) -> tuple[str, ...]:
    if not isinstance(values, Mapping):
        return ()
    column = assign([str(name) for name in values], {}).get("label")
    return read_captions(values.get(column)) if column else ()


def samples(file: Path, shard: str) -> Iterator[Post | Skipped]:
    """The samples of a tar, one held at a time; ids are below `shard`."""
    recent: OrderedDict[str, None] = OrderedDict()
    sample: Sample | None = None
    for entry in in_turn(file):
        if isinstance(entry, Skipped):
            if entry.reason == "damaged archive":
                sample = None  # it may be half of one
            yield entry
            continue
        where, read = entry
        key, suffix = split_name(where)
        if sample is None or key != sample.key:
            if sample:
                yield from _finished(sample, file, shard, recent)
            sample = Sample(key)
        if key in recent:
            sample.is_empty = False  # though not read: to be told
        else:
            sample.read(suffix, read)
    if sample:
        yield from _finished(sample, file, shard, recent)


def _finished(
    sample: Sample, file: Path, shard: str, recent: OrderedDict[str, None]
) -> Iterator[Post | Skipped]:
    if sample.is_empty:
        return
    if sample.key in recent:
        detail = "the files of a sample must stand together: pack them sorted by name"
        yield Skipped(f"{file.name}, {sample.key}", "repeated id", detail)
        return
    recent[sample.key] = None
    if len(recent) > _REMEMBERED:
        recent.popitem(last=False)
    yield from sample.posts(file, shard)
