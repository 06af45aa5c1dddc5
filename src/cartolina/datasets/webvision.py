"""`webvision`: photos that Google and Flickr found for the 1,000 classes of ImageNet, with their words.

    WebVision/
      info/train_filelist_google.txt         google/q0001/f5yzxTZVbz.jpg 0      a photo, its class from 0
      info/train_meta_list_google.txt        google/q0001.json 1                its entry there, from 1
      info/train_filelist_flickr.txt, train_meta_list_flickr.txt, val_filelist.txt, test_filelist.txt
      info/synsets.txt                       n01440764 tench, Tinca tinca       the classes, a line each
      info/queries_google.txt                1 tench                            what was searched for
      info/queries_synsets_map.txt           1 1                                query, class from 1
      google/q0001/*.jpg, flickr/q0001/*.jpg      the photos, or in resized_images/
      google_json/q0001.json, flickr_json/…       lists of {"title", "description", "tags", …}, or in google/
      val_images_256/*.jpg                        also val_images_resized/, val_images/, val/; test likewise

Classes: the line of synsets.txt is the label; in train it is only what was searched for, in val people said
so. A line without a class has that of its query. Captions are the title and the description, each one
caption; tags are Flickr's. Google's alternative texts are titles. val and test have no words.

Splits: train (Google's, then Flickr's), val, test, as listed. Ids are the paths without .jpg, in val and test
after `val/` and `test/`. The lists are read side by side a line at a time; a query's JSON is held while its
photos follow each other.
Source: Li, Wang, Li, Agustsson, Van Gool, "WebVision database" (arXiv 1708.02862).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, repeat
from pathlib import Path

from cartolina.datasets.dataset import Dataset, Skipped
from cartolina.datasets.fields import PhotoMetadata, clean, read_captions, read_tags, without_html
from cartolina.datasets.locate import NotTaken, locate
from cartolina.datasets.longfiles import count_lines, each_line
from cartolina.datasets.sidecars import read_json
from cartolina.errors import InputError
from cartolina.post import Post

__all__ = ["WEBVISION", "WebVisionReader", "read_queries"]

_SOURCES = ("google", "flickr")
_SPLITS = ("train", "val", "test")
_LARGEST_JSON = 64 << 20  # bytes; a query's has some thousand entries of a kilobyte
_QUERY = re.compile(r"(?:^|/)q(\d+)/")


@dataclass(frozen=True)
class WebVisionReader:
    """Reads WebVision 1.0."""

    name: str = "webvision"

    def detect(self, path: Path) -> str | None:
        """Recognise the folder `info` with one of its lists."""
        try:
            home = _Home(path)
            return home.why if home.splits else None
        except OSError:
            return None

    def open(self, path: Path, columns: Mapping[str, str] | None = None) -> Dataset:
        """Open the folder with `info`; raises `InputError` where no list is in it."""
        home = _Home(path)
        if not home.splits:
            raise InputError(
                f"{path} is not WebVision: expected info/train_filelist_google.txt, "
                "info/train_filelist_flickr.txt or info/val_filelist.txt in it"
            )
        return Dataset(
            format=self.name,
            root=path,
            why=home.why,
            splits=home.splits,
            stream=home.stream,
            count=home.count,
            stable_ids=True,
        )


WEBVISION = WebVisionReader()


def read_queries(path: Path, source: str = "google") -> dict[int, tuple[str, int | None]]:
    """What was searched for in `source` ("google", "flickr"), by number: the words, and the class from 0."""
    classes = _Home(path).classes_of_queries()
    queries = {}
    for line in each_line([path / "info" / f"queries_{source}.txt"]):
        number, _, words = (line[1] if isinstance(line, tuple) else "").partition(" ")
        if number.isdecimal():
            queries[int(number)] = clean(words), classes.get(int(number))
    return queries


@dataclass(frozen=True)
class _Home:
    root: Path

    def lists(self, split: str) -> list[tuple[Path, Path | None]]:
        """The lists of a split, each with that of its metadata."""
        info = self.root / "info"
        if split != "train":
            names: list[tuple[str, str | None]] = [(f"{split}_filelist.txt", None)]
        else:
            names = [(f"train_filelist_{one}.txt", f"train_meta_list_{one}.txt") for one in _SOURCES]
            if not any((info / name).is_file() for name, _ in names):
                names = [("train_filelist_all.txt", "train_meta_list_all.txt")]
        found = (
            (info / name, info / meta if meta else None) for name, meta in names if (info / name).is_file()
        )
        return [(file, meta if meta and meta.is_file() else None) for file, meta in found]

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(split for split in _SPLITS if self.lists(split))

    @property
    def why(self) -> str:
        names = [file.name for split in self.splits for file, _ in self.lists(split)]
        return f"the lists {', '.join(names)} in info/, words in the queries' JSON, labels as listed"

    def images(self, split: str) -> Path:
        """The folder that a split's paths start at."""
        if split == "train":
            inside = [self.root / "resized_images", self.root]
            return next(
                (one for one in inside if any((one / source).is_dir() for source in _SOURCES)), self.root
            )
        names = (f"{split}_images_256", f"{split}_images_resized", f"{split}_images", split)
        folders = (self.root / "resized_images" / names[0], *(self.root / name for name in names))
        return next((folder for folder in folders if folder.is_dir()), self.root)

    def synsets(self) -> list[str]:
        file = self.root / "info" / "synsets.txt"
        lines = each_line([file]) if file.is_file() else ()
        return [clean(line[1]) for line in lines if isinstance(line, tuple) and line[1].strip()]

    def classes_of_queries(self) -> dict[int, int]:
        file = self.root / "info" / "queries_synsets_map.txt"
        lines = each_line([file]) if file.is_file() else ()
        pairs = (line[1].split() for line in lines if isinstance(line, tuple))
        return {
            int(pair[0]): int(pair[1]) - 1
            for pair in pairs
            if len(pair) == 2 and pair[0].isdecimal() and pair[1].isdecimal()
        }

    def count(self, split: str | None) -> int:
        splits = [split] if split else self.splits
        return sum(count_lines(file) for one in splits for file, _ in self.lists(one))

    def stream(self, split: str | None) -> Iterator[Post | Skipped]:
        synsets, classes = self.synsets(), self.classes_of_queries()
        for one in [split] if split else self.splits:
            for listed, meta in self.lists(one):
                yield from _Listed(self, one, synsets, classes).stream(listed, meta)


@dataclass(frozen=True)
class _Listed:
    """Reads the photos of a list."""

    home: _Home
    split: str
    synsets: list[str]
    classes: dict[int, int]

    def stream(self, listed: Path, meta: Path | None) -> Iterator[Post | Skipped]:
        entries = lru_cache(maxsize=4)(self._entries)
        images = self.home.images(self.split)
        places = chain(each_line([meta]), repeat(None)) if meta else repeat(None)
        for line, place in zip(each_line([listed]), places, strict=False):
            if isinstance(line, Skipped):
                yield line
                continue
            where, text = line
            if not text.strip():
                continue
            name, label = self._label(text.strip())
            try:
                image = locate(name, images)
            except NotTaken as error:
                yield Skipped(where, error.reason, str(error))
                continue
            metadata = PhotoMetadata()
            if place is not None:
                try:
                    metadata = _describe(entries, place)
                except InputError as error:
                    yield Skipped(where, "bad metadata", f"{error}; the post {name} stays without")
            key = clean(name).removesuffix(".jpg")
            yield metadata.post(key if self.split == "train" else f"{self.split}/{key}", image, label)

    def _label(self, text: str) -> tuple[str, tuple[str, ...]]:
        """A line's path, and the label of its class."""
        name, _, number = text.rpartition(" ")
        if name and number.isdecimal():
            at: int | None = int(number)
        else:
            name, query = text, _QUERY.search(text)
            at = self.classes.get(int(query[1])) if query else None
        if at is None:
            return name.strip(), ()
        return name.strip(), (self.synsets[at] if at < len(self.synsets) else str(at),)

    def _entries(self, name: str) -> list[object] | InputError:
        """The entries of a query's JSON, or why there are none: a broken one is read once, too."""
        folder, slash, rest = name.partition("/")
        try:
            try:
                file = locate(f"{folder}_json{slash}{rest}", self.home.root)
            except NotTaken:
                file = locate(name, self.home.root)
            entries = read_json(file, _LARGEST_JSON)
        except InputError as error:
            return error
        return entries if isinstance(entries, list) else InputError(f"{name}: a list was expected")


Entries = Callable[[str], list[object] | InputError]


def _describe(entries: Entries, place: tuple[str, str] | Skipped) -> PhotoMetadata:
    """What the metadata list says of a photo; raises `InputError`."""
    if isinstance(place, Skipped):
        raise InputError(f"{place.where}: {place.detail}")
    name, _, number = place[1].strip().rpartition(" ")
    if not name or not number.isdecimal():
        raise InputError(f"{place[0]}: {place[1][:80]!r} is no file and number")
    held = entries(name)
    if isinstance(held, InputError):
        raise held
    at = int(number) - 1
    entry = held[at] if 0 <= at < len(held) else None
    if not isinstance(entry, dict):
        raise InputError(f"{name} has no entry {number}")
    words = [str(entry[key]) for key in ("title", "description") if isinstance(entry.get(key), str)]
    return PhotoMetadata(
        captions=read_captions([without_html(text) for text in words]),
        tags=read_tags(entry.get("tags")),
    )
