"""`locsens`: the lists that location sensitive retrieval was learnt from, drawn from YFCC100M.

    splits/train_filtered.txt, val.txt, test.txt     6985418911;sagrada,gaudi;Spain;Barcelona;41.4036;2.1744;http://…
    vocab.txt                                        a tag a line, the most frequent first (`read_vocabulary`)
    queries.txt                                      gaudi,41.4036,2.1744 (`read_geo_queries`)
    embeddings.txt                                   6985418911,.01,-.2,… (`embeddings.embedding_batches`)
    img/6985418911.jpg                               the photos; or in images/, train_img/, val_img/ …

A line is id; tags; country; town; latitude; longitude; address of the photo. There are no captions. Country
and town become the labels `country:Spain` and `town:Barcelona`. Ids are Flickr's.

Splits are the lists, by what their names begin with; the published ones have 24 million, 250,000 and 500,000
photos, at random. Where no folder of photos is there, posts have no image; where one is, posts without their
photo are skipped. Lists are read a line at a time.
Source: Gomez, Gibert, Gomez, Karatzas, "Location sensitive image retrieval and tagging" (ECCV 2020).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cartolina.datasets.dataset import Dataset, Skipped
from cartolina.datasets.encoding import decode
from cartolina.datasets.fields import PhotoMetadata, clean, distinct, read_place
from cartolina.datasets.locate import NotTaken, locate
from cartolina.datasets.longfiles import count_lines, each_line, open_long
from cartolina.datasets.walk import names_in_folder
from cartolina.datasets.yfcc_row import unquoted
from cartolina.errors import InputError
from cartolina.post import Place, Post

__all__ = ["LOCSENS", "LocSensReader", "read_geo_queries", "read_vocabulary"]

_LIST = re.compile(r"(train|val|test)(?:[-_.]\w+)*\.txt(?:\.(?:bz2|gz))?", re.IGNORECASE)
_LINE = re.compile(r"\d{1,20};[^;]*;[^;]*;[^;]*;[^;]*;[^;]*;.*")
_SPLITS = ("train", "val", "test")
_LOOKED_AT, _LONGEST = 5, 65_536  # lines of a file, of which one must be like these, and their bytes


@dataclass(frozen=True)
class LocSensReader:
    """Reads LocSens's split lists."""

    name: str = "locsens"

    def detect(self, path: Path) -> str | None:
        """Recognise a list by its lines, or a folder with such lists in it or in splits/."""
        try:
            home = _Home.find(path)
            return home.why if home else None
        except OSError:
            return None

    def open(self, path: Path, columns: Mapping[str, str] | None = None) -> Dataset:
        """Open a folder of lists, or one list; raises `InputError` where no line is like theirs."""
        home = _Home.find(path)
        if home is None:
            raise InputError(
                f"{path} is not LocSens's: expected train.txt, val.txt or test.txt, in it or in splits/, "
                "with lines like id;tag,tag;country;town;lat;lon;url"
            )
        return Dataset(
            format=self.name,
            root=home.root,
            why=home.why,
            splits=tuple(split for split in _SPLITS if split in home.lists),
            stream=home.stream,
            count=home.count,
            stable_ids=True,
        )


LOCSENS = LocSensReader()


def read_vocabulary(path: Path) -> list[str]:
    """The tags of a vocabulary file, a line each, the most frequent first; each once."""
    lines = (line[1].strip() for line in each_line([path]) if isinstance(line, tuple))
    return list(dict.fromkeys(clean(line) for line in lines if line))


def read_geo_queries(path: Path) -> Iterator[tuple[str, Place] | Skipped]:
    """The queries of a file of `tag,lat,lon` lines, streamed; what is no query is `Skipped`."""
    for line in each_line([path]):
        if isinstance(line, Skipped):
            yield line
            continue
        where, text = line
        if not text.strip():
            continue
        tag, lat, lon = (cell.strip() for cell in ("", "", *text.rsplit(",", 2))[-3:])
        try:
            place = read_place(lat, lon)
        except InputError as error:
            yield Skipped(where, "bad coordinates", str(error))
            continue
        if tag and place:
            yield clean(tag), place
        else:
            yield Skipped(where, "bad row", f"{text[:80]!r} is not tag,lat,lon")


@dataclass(frozen=True)
class _Home:
    """The lists by split ("" for one that is none), and the folder that everything is in."""

    root: Path
    lists: Mapping[str, Path]

    @classmethod
    def find(cls, path: Path) -> _Home | None:
        if path.is_file():
            if not _is_list(path):
                return None
            split = _LIST.fullmatch(path.name)
            root = path.parent.parent if path.parent.name == "splits" else path.parent
            return cls(root, {split[1].lower() if split else "": path})
        for folder in (path, path / "splits"):
            lists: dict[str, Path] = {}
            for split in filter(None, map(_LIST.fullmatch, sorted(names_in_folder(folder)))):
                file = folder / split[0]
                if file.is_file() and _is_list(file):
                    lists.setdefault(split[1].lower(), file)
            if lists:
                return cls(path, {split: lists[split] for split in _SPLITS if split in lists})
        return None

    @property
    def why(self) -> str:
        names = ", ".join(file.name for file in self.lists.values())
        photos = {folder.name for split in self.lists if (folder := self.images(split))}
        where = f"photos in {', '.join(sorted(photos))}/" if photos else "without photos"
        return f"lists of id;tags;country;town;lat;lon;url ({names}), {where}"

    def images(self, split: str) -> Path | None:
        names = ("img", "images", *([f"{split}_img"] if split else []))
        return next((self.root / name for name in names if (self.root / name).is_dir()), None)

    def count(self, split: str | None) -> int | None:
        files = [self.lists[split]] if split else [*self.lists.values()]
        if any(file.suffix in (".bz2", ".gz") for file in files):
            return None
        return sum(count_lines(file) for file in files)

    def stream(self, split: str | None) -> Iterator[Post | Skipped]:
        for name in [split] if split else self.lists:
            images = self.images(name)
            for line in each_line([self.lists[name]]):
                if isinstance(line, Skipped):
                    yield line
                elif line[1].strip():
                    yield from _read(*line, images)


def _is_list(file: Path) -> bool:
    """Whether one of its first lines is like a list's; no more than those are read of whatever it is."""
    try:
        with open_long(file) as opened:
            start = [decode(opened.readline(_LONGEST)) for _ in range(_LOOKED_AT)]
    except (OSError, EOFError, ValueError, zlib.error):
        return False
    return any(_LINE.fullmatch(line.rstrip("\r\n")) for line in start)


def _read(where: str, text: str, images: Path | None) -> Iterator[Post | Skipped]:
    if not _LINE.fullmatch(text):
        yield Skipped(where, "bad row", f"{text[:80]!r} is not id;tags;country;town;lat;lon;url")
        return
    post_id, tags, country, town, lat, lon, _ = text.split(";", 6)
    image = place = None
    if images:
        try:
            image = locate(f"{post_id}.jpg", images)
        except NotTaken as error:
            yield Skipped(where, error.reason, str(error))
            return
    try:
        place = read_place(lat, lon)
    except InputError as error:
        yield Skipped(where, "bad coordinates", f"{error}; the post {post_id} stays without")
    named = (("country", clean(unquoted(country))), ("town", clean(unquoted(town))))
    metadata = PhotoMetadata(tags=distinct(clean(unquoted(tag)) for tag in tags.split(",")), place=place)
    yield metadata.post(post_id, image, tuple(f"{kind}:{name}" for kind, name in named if name))
