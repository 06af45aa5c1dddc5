"""`instacities1m`: Instagram's photos of ten cities, each with its author's caption.

    InstaCities1M/
      captions_resized_1M/cities_instagram/london/1480879459863423542.txt    a caption, hashtags inside
      img_resized_1M/cities_instagram/london/1480879459863423542.jpg         its photo, 300 × 300

Classes: the city (london, newyork, sydney, losangeles, chicago, melbourne, miami, toronto, singapore,
sanfrancisco; 100,000 photos each), the post's label; whatever folders there are, are the cities. Hashtags
become tags and stay in the caption. Ids are `city/number`, as the authors write them.

Splits, as published: of each city's captions in the order of their files the first 15 % are test, the next
5 % val, the rest train. Which order is not said (the released code takes the file system's); here it is that
of their names, byte by byte, so that the split is the same everywhere. A photo without a caption is no post.
Source: Gomez, Gomez, Gibert, Karatzas, "Learning to learn from web data through deep semantic embeddings"
(ECCV 2018 Workshops), and section 5.1 of the web-data paper.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cartolina.datasets.dataset import Dataset, Skipped
from cartolina.datasets.fields import PhotoMetadata, read_captions
from cartolina.datasets.locate import NotTaken, locate, read_text
from cartolina.datasets.walk import names_in_folder, printable
from cartolina.errors import InputError
from cartolina.post import Post

__all__ = ["INSTACITIES", "InstaCitiesReader", "split_bounds"]

_SPLITS = ("train", "val", "test")


def split_bounds(count: int) -> dict[str, range]:
    """Which of a city's `count` captions are in which split.

    >>> split_bounds(100)
    {'train': range(20, 100), 'val': range(15, 20), 'test': range(0, 15)}
    """
    # The released code asks `position < .15 * count`, which rounds up; in whole numbers, without its errors.
    test, held_out = -(-count * 15 // 100), -(-count * 20 // 100)
    return {"train": range(held_out, count), "val": range(test, held_out), "test": range(test)}


@dataclass(frozen=True)
class InstaCitiesReader:
    """Reads InstaCities1M."""

    name: str = "instacities1m"

    def detect(self, path: Path) -> str | None:
        """Recognise the two folders, of captions and of photos, with a city in them."""
        try:
            home = _Home.find(path)
            return home.why if home and home.cities else None
        except OSError:
            return None

    def open(self, path: Path, columns: Mapping[str, str] | None = None) -> Dataset:
        """Open the folder that holds both; raises `InputError` where they are not in it."""
        home = _Home.find(path)
        if home is None:
            raise InputError(
                f"{path} is not InstaCities1M: expected the folders captions_resized_1M and img_resized_1M "
                "in it, each with cities_instagram/CITY"
            )
        return Dataset(
            format=self.name,
            root=path,
            why=home.why,
            splits=_SPLITS,
            stream=home.stream,
            count=home.count,
            stable_ids=True,
        )


INSTACITIES = InstaCitiesReader()


@dataclass(frozen=True)
class _Home:
    root: Path
    captions: Path
    images: Path

    @classmethod
    def find(cls, path: Path) -> _Home | None:
        captions, images = (
            next((path / name for name in names if (path / name).is_dir()), None)
            for names in (
                ("captions_resized_1M/cities_instagram", "captions_resized_1M"),
                ("img_resized_1M/cities_instagram", "img_resized_1M"),
            )
        )
        return cls(path, captions, images) if captions and images else None

    @property
    def cities(self) -> list[str]:
        with os.scandir(self.captions) as entries:
            return sorted(
                entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")
            )

    @property
    def why(self) -> str:
        cities = self.cities
        some = ", ".join(cities[:3]) + (", …" if len(cities) > 3 else "")
        return f"captions of {len(cities)} cities ({some}) beside their photos, the city read as a label"

    def names(self, city: str) -> list[str]:
        """The names of a city's captions, in order."""
        return sorted(name for name in names_in_folder(self.captions / city) if name.endswith(".txt"))

    def count(self, split: str | None) -> int:
        counts = (len(self.names(city)) for city in self.cities)
        return sum(len(split_bounds(count)[split]) if split else count for count in counts)

    def stream(self, split: str | None) -> Iterator[Post | Skipped]:
        for city in self.cities:
            try:
                names = self.names(city)
            except OSError as error:
                yield Skipped(printable(city), "unreadable folder", error.strerror or str(error))
                continue
            bounds = split_bounds(len(names))[split] if split else range(len(names))
            for position in bounds:
                yield from self._read(city, names[position])

    def _read(self, city: str, name: str) -> Iterator[Post | Skipped]:
        where = f"{city}/{name}"
        if printable(where) != where:
            yield Skipped(printable(where), "bad file name", "not UTF-8")
            return
        key, caption = where.removesuffix(".txt"), None
        try:
            image = locate(f"{key}.jpg", self.images)
        except NotTaken as error:
            yield Skipped(where, error.reason, str(error))
            return
        try:
            caption = read_text(self.captions / where, self.root)
        except NotTaken as error:
            yield Skipped(where, error.reason, f"{error}; the post stays without")
        yield PhotoMetadata(captions=read_captions(caption)).post(key, image, (city,))
