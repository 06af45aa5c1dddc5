"""Photos of cities for `cities`: InstaCities1M, or a controlled set of ten towns made of captioned photos."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cartolina.errors import InputError
from cartolina.evaluate.experiments.gallery import BACKBONE, Photos, read_photos
from cartolina.evaluate.experiments.run import Run, digest
from cartolina.evaluate.experiments.towns import TOWNS, assign
from cartolina.metrics import (
    chance_average_precision,
    expected_average_precision,
    expected_precision_at,
    precision_ceiling,
)

if TYPE_CHECKING:
    from cartolina.datasets import Dataset

__all__ = ["TOP", "Cities", "read_cities", "read_towns"]

TOP = 100
"""The k of TOP100."""

GALLERY = 0.3
"""Of a controlled set, the photos that are looked among."""

Bools = NDArray[np.bool_]
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Cities:
    """Photos of cities, `train` and `gallery`; `relevant` (C, N): which of the gallery's is of which city.

    `observer` (C, N) are the scores of who knows the rule of a controlled set, None for real cities; `how`
    says what the photos are, for people.
    """

    names: tuple[str, ...]
    train: Photos
    gallery: Photos
    relevant: Bools
    how: str
    observer: Numbers | None = None

    def references(self) -> dict[str, tuple[Numbers, Numbers]]:
        """TOP100 and AP, (C,) each, of chance and of the ceiling."""
        flat = np.zeros(self.relevant.shape)
        chance = expected_precision_at(flat, self.relevant, TOP), chance_average_precision(self.relevant)
        if self.observer is None:
            return {
                "chance": chance,
                "ceiling": (precision_ceiling(self.relevant, TOP), np.ones(len(self.names))),
            }
        known = (
            expected_precision_at(self.observer, self.relevant, TOP),
            expected_average_precision(self.observer, self.relevant),
        )
        return {"chance": chance, "who knows the rule": known}


def read_cities(dataset: Dataset, run: Run, *, backbone: str = BACKBONE) -> Cities:
    """Read a dataset whose posts have their city as first label, with the parts `train` and `test`.

    Raises `InputError` where parts or labels are missing.
    """
    if not {"train", "test"} <= set(dataset.splits):
        raise InputError(
            f"{dataset.root} has the parts {', '.join(dataset.splits) or 'none'}; cities need train and "
            "test, as InstaCities1M has them (--strength makes a controlled set of any captioned photos)"
        )
    train, gallery = (read_photos(dataset, split, run, backbone=backbone) for split in ("train", "test"))
    labels = [post.labels[0] if post.labels else "" for post in gallery.posts]
    names = tuple(sorted({label for label in labels if label}))
    if len(names) < 2:
        raise InputError(
            f"the photos of {dataset.root} are labelled with {len(names)} cities: expected two or "
            "more, each photo's city its label, as InstaCities1M's are (--strength makes a controlled "
            "set of any captioned photos)"
        )
    worded = [row for row, captions in enumerate(train.captions) if captions]
    relevant = np.array([[label == name for label in labels] for name in names])
    return Cities(names, train.some(worded), gallery, relevant, f"{len(names)} cities of {dataset.root.name}")


def read_towns(
    dataset: Dataset, run: Run, *, strength: float, seed: int = 0, backbone: str = BACKBONE
) -> Cities:
    """Make a controlled set of ten towns of all photos of a captioned dataset; 30 %, drawn, are the gallery.

    Raises `InputError` for a strength that is no probability.
    """
    photos = read_photos(dataset, None, run, backbone=backbone)
    photos = photos.some([row for row, captions in enumerate(photos.captions) if captions])
    captions = photos.captions
    towns = assign(dict(zip(photos.ids, captions, strict=True)), strength, seed)
    # The name goes to the end of every caption: everybody tags where they are.
    posts = tuple(
        replace(post, captions=tuple(f"{caption} #{TOWNS[town]}" for caption in said), labels=(TOWNS[town],))
        for post, said, town in zip(photos.posts, captions, towns.towns, strict=True)
    )
    told = Photos(posts, photos.features, digest([photos.fingerprint, strength, seed]), photos.skipped)
    order = np.random.default_rng([seed, len(posts)]).permutation(len(posts))
    rows, rest = np.split(order, [round(GALLERY * len(posts))])
    looked_among = np.sort(rows)
    return Cities(
        TOWNS,
        told.some(np.sort(rest)),
        told.some(looked_among),
        towns.towns[looked_among] == np.arange(len(TOWNS))[:, None],
        f"ten towns, a controlled set of {dataset.root.name}: strength {strength:g}",
        towns.observer()[:, looked_among],
    )
