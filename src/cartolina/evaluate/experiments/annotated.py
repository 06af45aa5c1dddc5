"""Photos with tags and labels, as MIRFlickr's protocols take them: filtered, features beside.

Of a dataset without such annotations they are made of its captions (`concepts.annotated`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cartolina.errors import InputError
from cartolina.evaluate.experiments import concepts as told
from cartolina.evaluate.experiments.gallery import BACKBONE, Photos, read_photos
from cartolina.evaluate.experiments.run import Run, digest

if TYPE_CHECKING:
    from cartolina.datasets import Dataset

__all__ = ["Annotated", "read_annotated"]

Bools = NDArray[np.bool_]
Rows = NDArray[np.int64]

FORMAT = "mirflickr25k"


@dataclass(frozen=True)
class Annotated:
    """Photos that have tags and labels.

    `concepts` are the labels of what is seen at all, `strong` (`…_r1`) those of what is shown foremost; `how`
    says where they are from, for people.
    """

    photos: Photos
    concepts: tuple[str, ...]
    strong: tuple[str, ...]
    how: str

    def texts(self, rows: Rows) -> tuple[str, ...]:
        """What photos `rows` ask by: their tags."""
        return tuple(" ".join(self.photos.posts[row].tags) for row in rows)

    def tagged(self) -> Bools:
        """Which photo carries which of all tags: (N, T)."""
        every = sorted({tag for post in self.photos.posts for tag in post.tags})
        return _incidence([post.tags for post in self.photos.posts], every)

    def labelled(self, labels: Sequence[str]) -> Bools:
        """Which photo carries which of `labels`: (N, L). A strong label is a weak one, too."""
        carried = (
            (*post.labels, *(label.removesuffix("_r1") for label in post.labels))
            for post in self.photos.posts
        )
        return _incidence(carried, labels)


def read_annotated(dataset: Dataset, run: Run, *, at_least: int = 20, backbone: str = BACKBONE) -> Annotated:
    """Read all photos; tags that fewer than `at_least` posts have go, and posts without a tag or a label.

    Raises `InputError` where nothing is left.
    """
    from cartolina.datasets.mirflickr import CONCEPTS, STRONG, filtered

    own = dataset.format == FORMAT
    photos = read_photos(dataset, None, run, backbone=backbone)
    posts = photos.posts if own else tuple(told.annotated(post) for post in photos.posts)
    # Filtering drops posts: their numbers go with them in place of ids.
    kept = filtered([replace(post, id=str(number)) for number, post in enumerate(posts)], at_least)
    if not kept:
        raise InputError(
            f"no photo of {dataset.root} has both a tag that {at_least} photos have and a label: the "
            f"protocols need MIRFlickr's annotations, or photos with {told.SAYING + 1} captions or more"
        )
    rows = [int(post.id) for post in kept]
    some = photos.some(rows)
    posts = tuple(replace(post, id=before.id) for post, before in zip(kept, some.posts, strict=True))
    fingerprint = digest([some.fingerprint, [[post.tags, post.labels] for post in posts]])
    return Annotated(
        Photos(posts, some.features, fingerprint, some.skipped),
        CONCEPTS if own else told.CONCEPTS,
        STRONG if own else told.STRONG,
        "MIRFlickr's annotators" if own else "told from captions",
    )


def _incidence(carried: Iterable[Sequence[str]], names: Sequence[str]) -> Bools:
    columns = {name: column for column, name in enumerate(names)}
    rows = [[columns[name] for name in of_one if name in columns] for of_one in carried]
    table = np.zeros((len(rows), len(names)), np.bool_)
    for row, mine in enumerate(rows):
        table[row, mine] = True
    return table
