"""`flickr8k` and `flickr30k`: photos with five captions each, by people who looked at them.

    flickr8k/Flickr8k.token.txt              1000268201_693b08cb0e.jpg#0<TAB>A child in a pink dress …
    flickr8k/Flickr_8k.trainImages.txt       one photo name a line; devImages, testImages likewise
    flickr8k/Flicker8k_Dataset/*.jpg         the photos; the folder's known names are tried in turn
    flickr30k/results_20130124.token         the same with Flickr30k's photos in flickr30k-images/
    flickr30k/train.txt                      lists of names, with or without .jpg
    dataset_flickr8k.json, dataset_flickr30k.json    Karpathy's captions and splits (train, val, test)

With split lists beside it the token file is taken, else Karpathy's JSON if there is one. Ids are the
photos' names without ".jpg". The captions of a photo are kept as published, repetitions too.
Sources: Hodosh, Young, Hockenmaier (JAIR 2013); Young et al. (TACL 2014); Karpathy, Fei-Fei (CVPR 2015).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cartolina.datasets.dataset import Dataset, Skipped
from cartolina.datasets.encoding import decode, lines
from cartolina.datasets.fields import clean
from cartolina.datasets.locate import NotTaken, locate
from cartolina.errors import InputError
from cartolina.post import Post

__all__ = ["FLICKR8K", "FLICKR30K", "FlickrReader"]

_LIST = re.compile(r"(?:flickr_?(?:8|30)k[._]?)?(train|dev|val|test)(?:images)?\.txt", re.IGNORECASE)
_TEXT_FOLDERS = ("", "Flickr8k_text", "flickr30k", "annotations")


@dataclass(frozen=True)
class FlickrReader:
    """Reads one of the two datasets, told apart by their files' names (or what Karpathy's JSON says)."""

    name: str
    token: str
    image_folders: tuple[str, ...]

    def detect(self, path: Path) -> str | None:
        """Recognise a folder with the token file or Karpathy's JSON, or either file itself."""
        try:
            source = self._source(path)
        except OSError:
            return None
        return self._why(source) if source else None

    def open(self, path: Path, columns: Mapping[str, str] | None = None) -> Dataset:
        """Read the captions and split lists (a few MB); the photos are looked for while streaming.

        Raises `InputError` when neither file is there, or the JSON is not Karpathy's.
        """
        source = self._source(path)
        if source is None:
            raise InputError(
                f"{path} is not {self.name}: expected {self.token} or dataset_{self.name}.json, "
                "or the folder with it"
            )
        published = _read_json(source.file) if source.is_json else _read_token(source)
        return Dataset(
            format=self.name,
            root=source.root,
            why=self._why(source),
            splits=tuple(published.splits),
            stream=lambda split: _stream(published, source.images, split),
            count=lambda split: len(published.splits[split] if split else published.captions),
            stable_ids=True,
        )

    def _source(self, path: Path) -> _Source | None:
        if path.is_file():
            is_json = self._is_karpathy(path)
            if not is_json and path.name.lower() != self.token.lower():
                return None
            known = [path]
            root = path.parent
        else:
            known = [file for folder in _TEXT_FOLDERS for file in self._known_files(path / folder)]
            root = path
        if not known:
            return None
        lists = _split_lists(known[0].parent)
        file = next((one for one in known if one.suffix == ".json"), known[0]) if not lists else known[0]
        return _Source(root, file, _split_lists(file.parent), self._images(root))

    def _known_files(self, folder: Path) -> list[Path]:
        names = (self.token, f"dataset_{self.name}.json", "dataset.json")
        files = [folder / name for name in names if (folder / name).is_file()]
        return [file for file in files if file.suffix != ".json" or self._is_karpathy(file)]

    def _is_karpathy(self, file: Path) -> bool:
        if file.suffix.lower() != ".json":
            return False
        with file.open("rb") as stream:  # "dataset": "flickr8k" is its first or its last entry
            ends = stream.read(4096)
            stream.seek(max(0, file.stat().st_size - 4096))
            ends += stream.read()
        return re.search(rb'"dataset"\s*:\s*"%s"' % self.name.encode(), ends) is not None

    def _images(self, root: Path) -> Path:
        return next((root / name for name in self.image_folders if (root / name).is_dir()), root)

    def _why(self, source: _Source) -> str:
        lists = "Karpathy's captions and splits"
        if not source.is_json:
            lists = f"the split lists {', '.join(source.lists)}" if source.lists else "no split lists"
        images = source.images.relative_to(source.root)
        return (
            f"{source.file.name} with {lists}, photos in {f'{images}/' if images.name else 'the same folder'}"
        )


_EVERYWHERE = ("images", "Images")
FLICKR8K = FlickrReader(
    "flickr8k",
    "Flickr8k.token.txt",
    (
        "Flicker8k_Dataset",
        "Flickr8k_Dataset/Flicker8k_Dataset",
        "Flickr8k_Dataset",
        "flickr8k_images",
        *_EVERYWHERE,
    ),
)
FLICKR30K = FlickrReader(
    "flickr30k",
    "results_20130124.token",
    ("flickr30k-images", "flickr30k_images/flickr30k_images", "flickr30k_images", *_EVERYWHERE),
)


@dataclass(frozen=True)
class _Source:
    """Where things lie: the captions' file, the split lists by name, the photos' folder."""

    root: Path
    file: Path
    lists: Mapping[str, Path]
    images: Path

    @property
    def is_json(self) -> bool:
        return self.file.suffix.lower() == ".json"


@dataclass(frozen=True)
class _Published:
    """What the files say: captions by photo name, photo names by split, rows that made no sense."""

    captions: dict[str, list[str]] = field(default_factory=dict)
    splits: dict[str, list[str]] = field(default_factory=dict)
    bad: list[Skipped] = field(default_factory=list)


def _split_lists(folder: Path) -> dict[str, Path]:
    found = {match[1].lower(): file for file in folder.iterdir() if (match := _LIST.fullmatch(file.name))}
    return {name: found[name] for name in ("train", "dev", "val", "test") if name in found}


def _read_token(source: _Source) -> _Published:
    published = _Published()
    for number, line in enumerate(lines(source.file), 1):
        key, tab, caption = line.partition("\t")
        photo, sign, _ = key.rpartition("#")
        if tab and sign and photo and clean(caption):
            published.captions.setdefault(photo, []).append(clean(caption))
        elif line.strip():
            published.bad.append(Skipped(f"{source.file.name}, line {number}", "bad row", clean(line)[:80]))
    stems = {Path(photo).stem: photo for photo in published.captions}
    for name, file in source.lists.items():
        listed = filter(None, (clean(line) for line in lines(file)))
        # Flickr30k Entities lists names without ".jpg".
        published.splits[name] = [one if one in published.captions else stems.get(one, one) for one in listed]
    return published


def _read_json(file: Path) -> _Published:
    published = _Published()
    try:
        photos = json.loads(decode(file.read_bytes()))["images"]
        for number, photo in enumerate(photos):
            _add_photo(published, file.name, number, photo)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{file} is not Karpathy's JSON: expected an object with a list 'images'") from error
    return published


def _add_photo(published: _Published, file: str, number: int, photo: Any) -> None:  # noqa: ANN401  # JSON
    try:
        name, split = str(photo["filename"]), str(photo["split"])
        captions = [caption for one in photo["sentences"] if (caption := clean(str(one["raw"])))]
    except (KeyError, TypeError) as error:
        published.bad.append(
            Skipped(f"{file}, image {number}", "bad row", f"{type(error).__name__}: {error}")
        )
        return
    published.captions[name] = captions
    published.splits.setdefault(split, []).append(name)


def _stream(published: _Published, images: Path, split: str | None) -> Iterator[Post | Skipped]:
    yield from published.bad
    for name in dict.fromkeys(published.splits[split]) if split else published.captions:
        captions = published.captions.get(name)
        image = images / name
        if image.parent != images:
            yield Skipped(name, "image outside the dataset", "a photo's bare name was expected")
        elif not captions:
            yield Skipped(name, "no caption", "listed in the split, but without a caption")
        else:
            try:
                yield Post(image.stem, locate(name, images), tuple(captions))
            except NotTaken as error:
                yield Skipped(name, error.reason, str(error))
