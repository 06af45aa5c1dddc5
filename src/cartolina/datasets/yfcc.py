"""`yfcc100m`: the 100 million photos and videos of Flickr, their words and places, as Yahoo published them.

    YFCC100M/
      yfcc100m_dataset           a post a line, 25 columns; or .bz2, .gz, or in parts: -0.bz2, -1.bz2 …
      yfcc100m_places            id, and 24703176:Admiralty:Suburb,… (the places expansion), where it is there
      yfcc100m_hash              id, hash: for the older files of 23 columns, which have no hash in them
      data/images/abc/def/abcdef….jpg     the photos, named by their hash (or images/abc/def/…)

The columns are those of `Row`. Captions are title and description (without HTML, titles that are file names
left out), tags the users'; machine tags are none. The place is kept whatever its accuracy. Places of the
expansion become labels, their kind before them: `country:Spain`, `town:Barcelona`. Ids are Flickr's.

There are no published splits. Where a folder of photos is there, posts without their photo are skipped;
where none is (most people have the text alone), posts have no image. Videos are skipped.

Everything is read a line at a time. The expansions are read beside the dataset, whose order they have; lines
may be missing in either, up to 65,536 in a row.
Source: Thomee et al., "YFCC100M: the new data in multimedia research" (CACM 2016); docs of the Multimedia
Commons for hashes and places.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cartolina.datasets.alongside import Alongside
from cartolina.datasets.dataset import Dataset, Skipped
from cartolina.datasets.fields import (
    PhotoMetadata,
    is_file_name,
    read_captions,
    read_place,
    read_taken,
    without_html,
)
from cartolina.datasets.locate import NotTaken, locate
from cartolina.datasets.longfiles import count_lines, each_line
from cartolina.datasets.walk import names_in_folder, natural
from cartolina.datasets.yfcc_row import Row, read_places, read_row
from cartolina.errors import InputError
from cartolina.post import Post

__all__ = ["YFCC100M", "YfccReader", "parts_of"]

_QUICKLY_COUNTED = 64 << 20  # bytes: a tenth of a second
_HASH = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class YfccReader:
    """Reads YFCC100M.

    `pictures` says whether posts need their photo: None, where a folder of photos is there; False never
    looks for one.
    """

    name: str = "yfcc100m"
    pictures: bool | None = None

    def detect(self, path: Path) -> str | None:
        """Recognise a file named yfcc100m_dataset, or a folder with one or its parts."""
        try:
            parts = parts_of(path)
            return self._home(path, parts).why if parts else None
        except OSError:
            return None

    def open(self, path: Path, columns: Mapping[str, str] | None = None) -> Dataset:
        """Open the folder, or one file of it; raises `InputError` where there is none."""
        parts = parts_of(path)
        if not parts:
            raise InputError(
                f"{path} is not YFCC100M: expected yfcc100m_dataset (.bz2, .gz) or its parts in it"
            )
        home = self._home(path, parts)
        return Dataset(
            format=self.name,
            root=home.root,
            why=home.why,
            splits=(),
            stream=lambda split: home.stream(),
            count=lambda split: home.count(),
            stable_ids=True,
        )

    def _home(self, path: Path, parts: Sequence[Path]) -> _Home:
        root = path if path.is_dir() else path.parent
        inside = (root / "data" / "images", root / "images")
        images = next((folder for folder in inside if folder.is_dir()), None)
        if self.pictures is False:
            images = None
        elif self.pictures and images is None:
            raise InputError(f"{root} has no photos: expected data/images/abc/def/….jpg")
        return _Home(root, parts, images)


YFCC100M = YfccReader()


def parts_of(path: Path, kind: str = "dataset") -> list[Path]:
    """The files of a `kind` ("dataset", "places", "hash") in the order of their numbers, or `path` itself."""
    named = re.compile(rf"yfcc100m_{kind}(?:[-_.]\d{{1,4}})?(?:\.(?:tsv|csv|txt))?(?:\.(?:bz2|gz))?")
    if path.is_file():
        return [path] if named.fullmatch(path.name) else []
    found = [path / name for name in names_in_folder(path) if named.fullmatch(name)]
    found = [one for one in found if one.is_file()]
    # Somebody who unpacked a file and kept it packed has one, not two.
    names = {one.name for one in found}
    kept = [one for one in found if one.suffix not in (".bz2", ".gz") or one.stem not in names]
    return sorted(kept, key=lambda one: natural(one.name))


@dataclass(frozen=True)
class _Home:
    root: Path
    parts: Sequence[Path]
    images: Path | None

    @property
    def why(self) -> str:
        names = self.parts[0].name + (f" and {len(self.parts) - 1} more" if len(self.parts) > 1 else "")
        photos = f"photos in {self.images.relative_to(self.root)}/" if self.images else "without photos"
        places = ", with the places expansion" if parts_of(self.root, "places") else ""
        return f"{names}, {photos}{places}"

    def count(self) -> int | None:
        packed = any(part.suffix in (".bz2", ".gz") for part in self.parts)
        if packed or sum(part.stat().st_size for part in self.parts) > _QUICKLY_COUNTED:
            return None
        return sum(count_lines(part) for part in self.parts)

    def stream(self) -> Iterator[Post | Skipped]:
        places = Alongside(parts_of(self.root, "places"))
        hashes = Alongside(parts_of(self.root, "hash"))
        for line in each_line(self.parts):
            if isinstance(line, Skipped):
                yield line
                continue
            where, text = line
            if not text:
                continue
            try:
                row = read_row(text)
            except InputError as error:
                yield Skipped(where, "bad row", str(error))
                continue
            labels = read_places(places.find(row.id))
            digest = row.hash or (hashes.find(row.id) if self.images else "")
            if row.is_video:
                yield Skipped(where, "video", "only photos are read")
            else:
                yield from self._post(where, row, digest, labels)
            yield from (*places.problems(), *hashes.problems())

    def _post(self, where: str, row: Row, digest: str, labels: tuple[str, ...]) -> Iterator[Post | Skipped]:
        image = None
        if self.images:
            try:
                if not _HASH.fullmatch(digest):  # nothing a stranger says becomes a path
                    raise NotTaken("no image named", f"{digest[:80]!r} is no hash")
                image = locate(f"{digest[:3]}/{digest[3:6]}/{digest}.jpg", self.images)
            except NotTaken as error:
                yield Skipped(where, error.reason, str(error))
                return
        place = taken = None
        try:
            place = read_place(row.lat, row.lon)
        except InputError as error:
            yield Skipped(where, "bad coordinates", f"{error}; the post {row.id} stays without")
        try:
            taken = read_taken(row.taken)
        except InputError as error:
            yield Skipped(where, "bad date", f"{error}; the post {row.id} stays without")
        titles = () if is_file_name(row.title.strip()) else (row.title,)
        captions = read_captions([without_html(text) for text in (*titles, row.description)])
        yield PhotoMetadata(captions, row.tags, place, taken).post(row.id, image, labels)
