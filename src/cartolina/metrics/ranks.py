"""Retrieval metrics: unit vectors in, ranks out, and numbers from ranks.

The protocol of the captioning literature (Hodosh et al. 2013; Karpathy & Fei-Fei 2015): every caption is
a query for its one image, and every image a query for its captions, the best-ranked of which counts.

*Ties are read against us*: a wrong candidate that scores exactly as the right one stands before it, so a
model that gives every pair the same score gets recall 0, never 100.

>>> import numpy as np
>>> images = np.eye(3, dtype=np.float32)
>>> ranks = text_to_image_ranks(images[[0, 0, 2]], images, np.array([0, 1, 2]))
>>> ranks.tolist()   # the second caption is image 1's, but points at image 0
[1, 3, 1]
>>> recall_at_k(ranks, 1), median_rank(ranks)
(66.66666666666667, 1.0)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "DEPTHS",
    "image_to_text_ranks",
    "median_rank",
    "recall_at_k",
    "recall_interval",
    "recalls",
    "text_to_image_ranks",
]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

DEPTHS = (1, 5, 10)
"""The k of R@k in the literature's tables."""

# Scores held at once: 4 million float32, 16 MB, so that 100,000 × 100,000 needs no more memory than a page.
BLOCK_SCORES = 4_000_000


def text_to_image_ranks(texts: Floats, images: Floats, owner: Ints) -> Ints:
    """The rank, from 1, of each caption's own image among all images, by dot product.

    `texts` (M, D) and `images` (N, D) are float32 unit rows; `owner` (M,) says which image, 0 to N − 1,
    each caption belongs to. Returns (M,). Images tied with the caption's own stand before it.
    """
    ranks = np.empty(len(texts), np.int64)
    for start, stop in _blocks(len(texts), len(images)):
        scores = texts[start:stop] @ images.T  # (b, N)
        own = scores[np.arange(stop - start), owner[start:stop]]  # (b,)
        ranks[start:stop] = _not_below(scores, own[:, None]).sum(axis=1)  # its own image counts as one
    return ranks


def image_to_text_ranks(images: Floats, texts: Floats, owner: Ints) -> Ints:
    """The rank, from 1, of the best of each image's own captions among all captions, by dot product.

    Arguments as in `text_to_image_ranks`. Returns (N,); an image with no caption has nothing to find and
    gets 0, which the metrics leave out. Other images' captions tied with the best own one stand before it.
    """
    order = np.argsort(owner, kind="stable")  # captions grouped by image
    starts = np.searchsorted(owner[order], np.arange(len(images) + 1))  # (N + 1,)
    ranks = np.zeros(len(images), np.int64)
    for start, stop in _blocks(len(images), len(texts)):
        scores = images[start:stop] @ texts.T  # (b, M)
        for image, row in zip(range(start, stop), scores, strict=True):
            own = row[order[starts[image] : starts[image + 1]]]
            if len(own):
                best = own.max()
                ranks[image] = 1 + _not_below(row, best).sum() - _not_below(own, best).sum()
    return ranks


def recall_at_k(ranks: Ints, k: int) -> float:
    """The percentage of queries whose answer is among the first `k`; NaN without queries."""
    asked = ranks[ranks > 0]
    return float(100 * (asked <= k).sum() / len(asked)) if len(asked) else float("nan")


def recalls(ranks: Ints) -> dict[str, float]:
    """R@1, R@5 and R@10, as `recall_at_k` gives them."""
    return {f"R@{k}": recall_at_k(ranks, k) for k in DEPTHS}


def median_rank(ranks: Ints) -> float:
    """The median rank, from 1; between two middle ranks, their mean; NaN without queries."""
    asked = ranks[ranks > 0]
    return float(np.median(asked)) if len(asked) else float("nan")


def recall_interval(
    ranks: Ints, photo: Ints, k: int, rng: np.random.Generator, *, resamples: int = 1000, level: float = 0.95
) -> tuple[float, float]:
    """A percentile bootstrap interval of recall@k in percent, resampling *photos* with replacement.

    The five captions of a photo share its difficulty, so they are drawn together: `photo` (Q,) says which
    photo each rank belongs to. The gallery stays as it is: the interval speaks of other queries, not of a
    gallery of another size.
    """
    asked = ranks > 0
    if not asked.any():
        return float("nan"), float("nan")
    _, photo = np.unique(photo[asked], return_inverse=True)
    queries = np.bincount(photo).astype(np.float64)  # (P,)
    hits = np.bincount(photo, weights=ranks[asked] <= k)  # (P,)
    recalls = np.empty(resamples)
    for i in range(resamples):
        drawn = rng.integers(0, len(queries), len(queries))
        recalls[i] = 100 * hits[drawn].sum() / queries[drawn].sum()
    low, high = np.quantile(recalls, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _not_below(scores: Floats, mark: Floats | np.float32) -> NDArray[np.bool_]:
    # Not `scores >= mark`: a score that is no number would then rank its query first.
    return ~(scores < mark)


def _blocks(rows: int, columns: int) -> list[tuple[int, int]]:
    size = max(1, BLOCK_SCORES // max(columns, 1))
    return [(start, min(start + size, rows)) for start in range(0, rows, size)]
