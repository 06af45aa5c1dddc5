"""A split's photos with their frozen features: what is learnt from, and what is looked for.

Features are those of the default backbone unless another is named, cached by content below the run's folder.

>>> train = read_photos(dataset, "train", run)                          # doctest: +SKIP
>>> train.features.shape                                                # doctest: +SKIP
(6000, 2, 1280)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cartolina.errors import InputError
from cartolina.evaluate.experiments.judging import Verdicts
from cartolina.evaluate.experiments.run import Run, digest

if TYPE_CHECKING:
    from cartolina.datasets import Dataset
    from cartolina.post import Post

__all__ = ["BACKBONE", "VIEWS", "Photos", "read_photos", "splits_of", "two_parts"]

BACKBONE = "efficientnet-lite0"
VIEWS = ("plain", "mirror")
GALLERIES = ("dev", "val", "validation", "test")
AT_A_TIME = 4096


@dataclass(frozen=True)
class Photos:
    """N photos of a split: `posts` (their pixels left on disk), `features` (N, views, *shape) float16.

    `captions` are each photo's words: its captions, or where it has none its tags as one. `fingerprint`
    differs where words, pictures or backbone do; `skipped` counts by reason what could not be read.
    """

    posts: tuple[Post, ...]
    features: NDArray[Any]
    fingerprint: str
    skipped: Counter[str]

    def __len__(self) -> int:
        return len(self.posts)

    @property
    def ids(self) -> tuple[str, ...]:
        """The posts' ids."""
        return tuple(post.id for post in self.posts)

    @property
    def captions(self) -> tuple[tuple[str, ...], ...]:
        """Each photo's words."""
        return tuple(post.words for post in self.posts)

    def numbers(self) -> dict[str, int]:
        """Each id's number."""
        return {photo: number for number, photo in enumerate(self.ids)}

    def judged(self, verdicts: Verdicts | None) -> dict[tuple[str, int], bool]:
        """The verdicts on these photos, by number."""
        number = self.numbers()
        return {(q, number[photo]): said for (q, photo), said in (verdicts or {}).items() if photo in number}

    def some(self, rows: Sequence[int] | NDArray[np.int64]) -> Photos:
        """The photos `rows`, in that order."""
        rows = [int(row) for row in rows]
        posts = tuple(self.posts[row] for row in rows)
        return Photos(posts, self.features[rows], digest([self.fingerprint, rows]), self.skipped)


def two_parts(
    dataset: Dataset,
    run: Run,
    *,
    train: str | None = None,
    gallery: str | None = None,
    backbone: str = BACKBONE,
) -> tuple[Photos, Photos]:
    """The photos with words to learn from, and those to look in.

    Raises `InputError` where a part is missing or has no photos, or the two share some.
    """
    train, gallery = splits_of(dataset, train, gallery)
    learn_from = read_photos(dataset, train, run, backbone=backbone)
    look_in = read_photos(dataset, gallery, run, backbone=backbone)
    both = set(learn_from.ids) & set(look_in.ids)
    if both:
        raise InputError(
            f"{len(both)} photos ({min(both)}, …) are in {train!r} and in {gallery!r}: what is looked for "
            "must not have been learnt from"
        )
    worded = [row for row, captions in enumerate(learn_from.captions) if captions]
    return (learn_from if len(worded) == len(learn_from) else learn_from.some(worded)), look_in


def splits_of(dataset: Dataset, train: str | None, gallery: str | None) -> tuple[str, str]:
    """The names of the two parts, found where they were not given."""
    if train is None and "train" in dataset.splits:
        train = "train"
    if gallery is None:
        gallery = next((name for name in GALLERIES if name in dataset.splits and name != train), None)
    if train is None or gallery is None or train == gallery:
        parts = ", ".join(dataset.splits) or "none"
        raise InputError(
            f"an experiment needs a part of {dataset.root} to learn from and another to look in; it has the "
            f"parts: {parts}. Name two with --train and --gallery"
        )
    dataset.check_split(train)
    dataset.check_split(gallery)
    return train, gallery


def read_photos(
    dataset: Dataset,
    split: str | None,
    run: Run,
    *,
    views: Sequence[str] = VIEWS,
    backbone: str = BACKBONE,
) -> Photos:
    """Read a split (None: all of it) and see that its photos' features are in the run's cache.

    `views` are those that `features` hold, in order; `backbone` is a name as `vision.backbone` takes it.
    Raises `InputError` where no photo could be read.
    """
    from cartolina.vision import FeatureCache, extract, feature_key
    from cartolina.vision import backbone as opened

    eye = opened(backbone)
    skipped: Counter[str] = Counter()
    posts: list[Post] = []
    contents: list[str] = []
    cache = FeatureCache(run.folder / "features" / eye.fingerprint, eye.shape)
    try:
        streamed = dataset.posts(split, on_skip=lambda skip: skipped.update([skip.reason]))
        for post, content in extract(
            ((post, post.image) for post in streamed if post.image is not None),
            [eye],
            [cache],
            views=views,
            on_skip=lambda _, reason, __: skipped.update([reason]),
            progress=run.progress,
            total=dataset.count(split),
        ):
            posts.append(post if not isinstance(post.image, bytes) else replace(post, image=None))
            contents.append(content)
        if not posts:
            what = ", ".join(f"{count} × {reason}" for reason, count in skipped.items())
            of = "" if split is None else f", part {split!r}"
            raise InputError(f"no photo could be read in {dataset.root}{of}" + (f" ({what})" if what else ""))
        features = np.empty((len(posts), len(views), *cache.shape), np.float16)
        for start in range(0, len(posts), AT_A_TIME):
            some = contents[start : start + AT_A_TIME]
            for number, view in enumerate(views):
                features[start : start + len(some), number] = cache.get(
                    [feature_key(content, view) for content in some]
                )
    finally:
        cache.close()
    said = [[post.id, post.captions, post.tags, post.labels] for post in posts]
    return Photos(tuple(posts), features, digest([eye.fingerprint, contents, said]), skipped)
