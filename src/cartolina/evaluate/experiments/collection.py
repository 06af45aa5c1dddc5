"""Two collections for `transfer`: two datasets, or one captioned dataset cut in two by theme."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cartolina.errors import InputError
from cartolina.evaluate.experiments.gallery import BACKBONE, Photos, read_photos, two_parts
from cartolina.evaluate.experiments.run import Run
from cartolina.evaluate.experiments.themes import halves

if TYPE_CHECKING:
    from cartolina.datasets import Dataset

__all__ = ["Collection", "read_halves", "read_two"]

GALLERY = 2 / 7
"""Of a half, the photos that are looked among: 1,000 of Flickr8k's 3,500."""

FEWEST = 14
"""Captioned photos that can be cut in two halves with a gallery each."""


@dataclass(frozen=True)
class Collection:
    """A dataset's photos to learn from and those to look among."""

    name: str
    train: Photos
    gallery: Photos


def read_two(
    one: Dataset, other: Dataset, run: Run, *, backbone: str = BACKBONE
) -> tuple[Collection, Collection]:
    """Two datasets with parts, as `queries` takes them.

    Raises `InputError` where a dataset has no parts, or both are the same.
    """
    if one.root == other.root:
        raise InputError(f"{one.root} was given twice: --data with --themes cuts one dataset in two")
    first, second = (
        Collection(made.root.name, *two_parts(made, run, backbone=backbone)) for made in (one, other)
    )
    if first.name == second.name:
        first, second = (
            Collection(str(made.root), of.train, of.gallery) for made, of in ((one, first), (other, second))
        )
    return first, second


def read_halves(dataset: Dataset, run: Run, *, backbone: str = BACKBONE) -> tuple[Collection, Collection]:
    """All captioned photos of a dataset in two halves by theme; two sevenths of each half are its gallery.

    Which are the gallery is told by a hash of their ids. Raises `InputError` for fewer than 14 such photos.
    """
    photos = read_photos(dataset, None, run, backbone=backbone)
    captions = dict(zip(photos.ids, photos.captions, strict=True))
    rows = {post: row for row, post in enumerate(photos.ids) if captions[post]}
    if len(rows) < FEWEST:
        raise InputError(
            f"{dataset.root} has {len(rows)} captioned photos; two halves by theme need {FEWEST}"
        )
    nature, people = halves({post: captions[post] for post in rows})
    return (
        _collection("nature", photos, [rows[post] for post in nature]),
        _collection("people", photos, [rows[post] for post in people]),
    )


def _collection(name: str, photos: Photos, rows: Sequence[int]) -> Collection:
    drawn = sorted(rows, key=lambda row: hashlib.sha256(f"gallery {photos.ids[row]}".encode()).hexdigest())
    count = round(GALLERY * len(rows))
    return Collection(name, photos.some(sorted(drawn[count:])), photos.some(sorted(drawn[:count])))
