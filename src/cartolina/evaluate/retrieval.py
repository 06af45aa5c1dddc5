"""Retrieval between captions and photos that the album need not hold.

Every caption is a query for its photo among the split's photos, and every photo a query for its captions
among the split's captions. *Pictures only*: a photo is its pixels to the model; captions, tags and places
that go with it take no part in its vector, and nothing is added to the album but cached features.

>>> evaluate_retrieval(album, open_dataset("flickr8k"), "dev")          # doctest: +SKIP
{'text_to_image': {'R@1': 26.1, 'R@5': 55.9, 'R@10': 69.3, 'median_rank': 4.0}, 'image_to_text': …}
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cartolina.errors import AlbumError, InputError
from cartolina.metrics import image_to_text_ranks, median_rank, recalls, text_to_image_ranks
from cartolina.progress import SILENT, Progress

if TYPE_CHECKING:
    from cartolina.album.album import Album
    from cartolina.album.space import Space
    from cartolina.datasets import Dataset
    from cartolina.vision import FeatureCache

__all__ = ["RetrievalRanks", "evaluate_retrieval", "retrieval_ranks"]

BATCH = 512


@dataclass(frozen=True)
class RetrievalRanks:
    """The rank, from 1, at which each query found what it was for.

    `text_to_image` (M,) by caption, whose photo is `owner` (M,), 0 to N − 1; `image_to_text` (N,) by photo,
    0 for a photo without a caption. `skipped` counts by reason the photos that could not be read: they and
    their captions take no part.
    """

    text_to_image: NDArray[np.int64]
    image_to_text: NDArray[np.int64]
    owner: NDArray[np.int64]
    skipped: Counter[str]

    def to_json(self) -> dict[str, Any]:
        """The numbers: recalls in percent, median ranks, how many of each."""
        return {
            "text_to_image": _numbers(self.text_to_image),
            "image_to_text": _numbers(self.image_to_text),
            "images": len(self.image_to_text),
            "captions": len(self.text_to_image),
        }


def evaluate_retrieval(
    album: Album, dataset: Dataset, split: str | None = None, progress: Progress = SILENT
) -> dict[str, Any]:
    """Recall@1, 5, 10 (percent) and median rank in both directions, and how many images and captions."""
    return retrieval_ranks(album, dataset, split, progress).to_json()


def retrieval_ranks(
    album: Album, dataset: Dataset, split: str | None = None, progress: Progress = SILENT
) -> RetrievalRanks:
    """Embed a split's photos and captions in the album's space and rank each for each other.

    Photos whose features the album has cached are not computed again, and new features join the cache.
    Raises `AlbumError` where nothing was learnt yet, `InputError` where the split has no captioned photo.
    """
    space = album.space
    if space is None:
        raise AlbumError(f"the album {album.path} has learnt nothing yet: run `cartolina build` first")
    with album.feature_caches(space.backbones) as caches:
        hashes, captions, owner, skipped = _photos(caches, space, dataset, split, progress)
        if not captions:
            what = ", ".join(f"{count} × {reason}" for reason, count in skipped.items())
            raise InputError(
                f"no photo with a caption could be read in {dataset.root}" + (f" ({what})" if what else "")
            )
        images = np.empty((len(hashes), space.dim), np.float32)
        for start in range(0, len(hashes), BATCH):
            images[start : start + BATCH] = space.encode_cached(caches, hashes[start : start + BATCH])
    texts = np.empty((len(captions), space.dim), np.float32)
    with progress.task("Reading captions", len(captions), "captions") as step:
        for start in range(0, len(captions), BATCH):
            texts[start : start + BATCH] = space.encode_texts(captions[start : start + BATCH])
            step.advance(len(captions[start : start + BATCH]))
    return RetrievalRanks(
        text_to_image_ranks(texts, images, owner), image_to_text_ranks(images, texts, owner), owner, skipped
    )


def _photos(
    caches: Sequence[FeatureCache],
    space: Space,
    dataset: Dataset,
    split: str | None,
    progress: Progress,
) -> tuple[list[str], list[str], NDArray[np.int64], Counter[str]]:
    """The photos' content hashes, all captions, whose each is, and what was skipped."""
    from cartolina.vision.features import extract

    skipped: Counter[str] = Counter()
    posts = dataset.posts(split, on_skip=lambda skip: skipped.update([skip.reason]))
    items = ((post.captions, post.image) for post in posts if post.image is not None)
    hashes: list[str] = []
    captions: list[str] = []
    owner: list[int] = []
    for words, content in extract(
        items,
        space.backbones,
        caches,
        views=space.views,
        on_skip=lambda _, reason, __: skipped.update([reason]),
        progress=progress,
        total=dataset.count(split),
    ):
        owner += [len(hashes)] * len(words)
        hashes.append(content)
        captions += words
    return hashes, captions, np.array(owner, np.int64), skipped


def _numbers(ranks: NDArray[np.int64]) -> dict[str, float]:
    return {**recalls(ranks), "median_rank": median_rank(ranks)}
