"""From the vectors of a text's words to the text's vector φ(x) (Learning from web data, §3.2).

*mean* and *sum* of the word vectors, or the *tf-idf* weighted sum: a word's weight is its count in the text
times log2(N / df), and a text's weights have length 1 — the defaults of gensim's `TfidfModel`, which the
authors used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

__all__ = ["POOLINGS", "Pooling", "inverse_document_frequency", "pool", "weigh"]

Pooling = Literal["mean", "sum", "tf-idf"]
POOLINGS: tuple[Pooling, ...] = get_args(Pooling)


def inverse_document_frequency(documents: Sequence[NDArray[np.int64]], size: int) -> NDArray[np.float32]:
    """log2(N / df) for each of `size` words, from texts given as rows of word numbers: (size,) float32.

    A word in every text weighs 0. One in none weighs as much as one in a single text: gensim would drop it,
    but a pretrained model knows words that the captions never used, and a query may still ask for them.
    """
    frequency = np.zeros(size, np.int64)
    for document in documents:
        frequency[np.unique(document)] += 1
    return np.log2(max(len(documents), 1) / np.maximum(frequency, 1)).astype(np.float32)


def pool(
    vectors: NDArray[np.float32],
    texts: Sequence[NDArray[np.int64]],
    how: Pooling,
    idf: NDArray[np.float32],
) -> NDArray[np.float32]:
    """The pooled word vectors of each text: (len(texts), D) float32; zeros for a text without words.

    `vectors` (V, D) and `idf` (V,) belong to the vocabulary; each text is its words' rows, in order, repeats
    included. `idf` is used by "tf-idf" only.
    """
    pooled = np.zeros((len(texts), vectors.shape[1]), np.float32)
    for row, words in enumerate(texts):
        if words.size:
            rows, counts = np.unique(words, return_counts=True)
            pooled[row] = weigh(counts.astype(np.float32), idf[rows], how) @ vectors[rows]
    return pooled


def weigh(counts: NDArray[np.float32], idf: NDArray[np.float32], how: Pooling) -> NDArray[np.float32]:
    """The weight of each word of a text, from how often it is in it and how telling it is: (n,) float32."""
    if how == "sum":
        return counts
    if how == "mean":
        return counts / np.float32(counts.sum())
    weights = counts * idf
    length = np.float32(np.linalg.norm(weights))
    return weights / length if length > 0 else weights
