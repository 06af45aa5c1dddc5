"""`mirflickr25k`: 25,000 photos of Flickr with their tags, and 38 concepts said by people.

    mirflickr/im1.jpg … im25000.jpg                 the photos (mirflickr25k.zip)
    mirflickr/meta/tags/tags1.txt                   a tag a line, in small letters without spaces
    mirflickr/meta/exif/exif1.txt                   "-Date and Time (Original)", its value on the next line
    mirflickr25k_annotations_v080/baby.txt          numbers of photos where one may see a baby, one a line
    mirflickr25k_annotations_v080/baby_r1.txt       … where it is what the photo shows

Classes: 24 concepts, 14 of them also as strong ones, with `_r1` (`CONCEPTS`, `STRONG`); they are the labels.
Ids are `im1` and so on. There are no captions: what people wrote are the tags.

There are no published splits; the protocols draw them (5 % of queries, or halves), after `filtered`.
Source: Huiskes, Lew, "The MIR Flickr retrieval evaluation" (MIR 2008).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from cartolina.datasets.dataset import Dataset, Skipped
from cartolina.datasets.fields import PhotoMetadata, clean, distinct, read_taken
from cartolina.datasets.locate import NotTaken, locate, read_text
from cartolina.datasets.walk import names_in_folder, natural
from cartolina.errors import InputError
from cartolina.post import Post

__all__ = ["CONCEPTS", "MIRFLICKR", "STRONG", "MirFlickrReader", "filtered"]

_SHOWN = "baby bird car clouds dog female flower male night people portrait river sea tree"
STRONG = tuple(f"{concept}_r1" for concept in _SHOWN.split())
"""The labels of the 14 concepts where they are what the photo shows."""

_SEEN = (
    "animals baby bird car clouds dog female flower food indoor lake male night people plant_life portrait "
    "river sea sky structures sunset transport tree water"
)
CONCEPTS = tuple(_SEEN.split())
"""The labels of the 24 concepts in their wide sense."""

_IMAGE = re.compile(r"im(\d{1,9})\.jpg")
_CONCEPT = re.compile(r"([\w-]+)\.txt")
_DATES = ("-Date and Time (Original)", "-Date and Time (Digitized)", "-Date and Time")


def filtered(posts: Iterable[Post], at_least: int = 20) -> list[Post]:
    """Keep what the retrieval protocols keep: tags of `at_least` posts, posts with such a tag and a label.

    In MIRFlickr-25K 1,386 tags are left. The posts are held in memory (not their pictures), since what a tag
    is worth is known after the last. Source: section 7 of the web-data paper, after the compared methods.
    """
    posts = list(posts)
    seen = Counter(tag for post in posts for tag in dict.fromkeys(post.tags))
    kept = (replace(post, tags=tuple(tag for tag in post.tags if seen[tag] >= at_least)) for post in posts)
    return [post for post in kept if post.tags and post.labels]


@dataclass(frozen=True)
class MirFlickrReader:
    """Reads MIRFlickr-25K."""

    name: str = "mirflickr25k"

    def detect(self, path: Path) -> str | None:
        """Recognise photos named im1.jpg, im2.jpg, … with tags or annotations beside them."""
        try:
            home = _Home.find(path)
        except OSError:
            return None
        return home.why if home else None

    def open(self, path: Path, columns: Mapping[str, str] | None = None) -> Dataset:
        """List the photos and read the annotations (some 200,000 numbers); tags are read while streaming.

        Raises `InputError` where the photos, or both tags and annotations, are missing.
        """
        home = _Home.find(path)
        if home is None:
            raise InputError(
                f"{path} is not MIRFlickr-25K: expected mirflickr/im1.jpg, … with mirflickr/meta/tags/ or "
                "mirflickr25k_annotations_v080/ in it, or the folder mirflickr itself"
            )
        return Dataset(
            format=self.name,
            root=path,
            why=home.why,
            splits=(),
            stream=lambda split: _stream(home),
            count=lambda split: len(home.numbers()),
            stable_ids=True,
        )


MIRFLICKR = MirFlickrReader()


@dataclass(frozen=True)
class _Home:
    """Where things lie; `annotations` is None where they were not downloaded."""

    root: Path
    images: Path
    annotations: Path | None

    @classmethod
    def find(cls, path: Path) -> _Home | None:
        images = next((one for one in (path / "mirflickr", path) if _has_photos(one)), None)
        if images is None:
            return None
        annotations = next(
            (
                entry
                for folder in (path, images, path.parent)
                for entry in sorted(folder.iterdir())
                if _holds_annotations(entry.name, is_beside=folder == path.parent) and entry.is_dir()
            ),
            None,
        )
        if annotations is None and not (images / "meta" / "tags").is_dir():
            return None
        return cls(path, images, annotations)

    @property
    def why(self) -> str:
        labels = f"the concepts of {self.annotations.name}/" if self.annotations else "no annotations"
        return f"photos named im1.jpg, …, their tags in meta/tags/, {labels}"

    def numbers(self) -> list[int]:
        """The numbers of the photos that are there, in order."""
        names = map(_IMAGE.fullmatch, names_in_folder(self.images))
        return sorted(int(name[1]) for name in names if name)


def _holds_annotations(name: str, *, is_beside: bool) -> bool:
    return name.startswith("mirflickr25k_annotations") or (name == "annotations" and not is_beside)


def _has_photos(folder: Path) -> bool:
    return any(map(_IMAGE.fullmatch, names_in_folder(folder)))


def _stream(home: _Home) -> Iterator[Post | Skipped]:
    labels: dict[int, list[str]] = {}
    if home.annotations:
        yield from _read_annotations(home.annotations, home.root, labels)
    numbers = home.numbers()
    for number in sorted(labels.keys() - set(numbers)):
        yield Skipped(f"im{number}.jpg", "no such image", f"annotated as {', '.join(labels[number])}")
    for number in numbers:
        yield from _read(home, number, tuple(labels.get(number, ())))


def _read_annotations(folder: Path, root: Path, labels: dict[int, list[str]]) -> Iterator[Skipped]:
    """Enter each concept's photos into `labels`, by number; what is no number is told."""
    for file in sorted(folder.iterdir(), key=lambda file: natural(file.name)):
        concept = _CONCEPT.fullmatch(file.name)
        if concept is None or concept[1].lower() == "readme":
            continue
        try:
            text = read_text(file, root if file.is_relative_to(root) else folder) or ""
        except NotTaken as error:
            yield Skipped(file.name, error.reason, str(error))
            continue
        for at, line in enumerate(text.splitlines(), 1):
            number = line.strip()
            if number.isdecimal() and len(number) < 10:
                mine = labels.setdefault(int(number), [])
                if concept[1] not in mine:
                    mine.append(concept[1])
            elif number:
                yield Skipped(
                    f"{file.name}, line {at}", "bad row", f"{number[:80]!r} is no number of a photo"
                )


def _read(home: _Home, number: int, labels: tuple[str, ...]) -> Iterator[Post | Skipped]:
    name = f"im{number}"
    problems: list[tuple[str, str]] = []
    texts: dict[str, str] = {}
    for kind in ("tags", "exif"):
        try:
            texts[kind] = read_text(home.images / "meta" / kind / f"{kind}{number}.txt", home.root) or ""
        except NotTaken as error:
            problems.append((error.reason, str(error)))
    metadata = PhotoMetadata(tags=distinct(clean(line) for line in texts.get("tags", "").splitlines()))
    try:
        metadata = replace(metadata, taken=_date(texts.get("exif", "")))
    except InputError as error:
        problems.append(("bad date", str(error)))
    try:
        image = locate(f"{name}.jpg", home.images)
    except NotTaken as error:  # gone since it was listed, or no file
        yield Skipped(f"{name}.jpg", error.reason, str(error))
        return
    for reason, detail in problems:
        yield Skipped(f"{name}.jpg", reason, f"{detail}; the post stays without")
    yield metadata.post(name, image, labels)


def _date(exif: str) -> datetime | None:
    """The date of a file of names, each with a dash before it, and values on the lines after them."""
    lines = [line.strip() for line in exif.splitlines()]
    said = dict(pairwise(lines))
    return next((taken for name in _DATES if name in said and (taken := read_taken(said[name]))), None)
