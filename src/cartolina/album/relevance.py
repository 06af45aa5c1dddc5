"""Which hits seem to show what was asked for, and which are only the nearest there is.

A flat threshold on cosines fails: one query is nearer to every picture of an album than another is to its
best. So a hit is judged by how far it stands out of the query's own background, the album's other pictures:

    excess = (cosine − median over the album of the query's cosines) / spread

The spread is that of the album: how far cosines of texts with pictures lie from their own text's median, over
captions of the album and a sample of its posts; for example pictures, that of pictures with pictures. A hit
is relevant from an excess of `Background.bar` on, or when its words have all words of the query. The bar
rises with the album, since the best of more pictures stands out further by chance. Nothing is labelled.
docs/quality.md has what it gets right on photos, docs/decisions.md what else was tried.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cartolina.album.catalogue import Catalogue
from cartolina.album.fulltext import containing
from cartolina.durable import write_bytes
from cartolina.query import Term, Text

if TYPE_CHECKING:
    from cartolina.album.space import Space
    from cartolina.store import Store
    from cartolina.store.contract import Keys

__all__ = ["ENOUGH", "FEWEST", "ITSELF", "Background", "saying_all", "spread"]

Vectors = NDArray[np.float32]

ENOUGH = 0.88
"""Of what the best of n pictures would stand out by chance, √(2 ln n) spreads were they normal: chosen on one
half of `benchmarks.cutoff_queries`, for galleries of 60 to 1,000 photos (docs/quality.md)."""

ITSELF = 0.999
"""A cosine from which on a hit is what was asked with: the example itself, or one like it to the byte."""

FEWEST = 30
"""With fewer posts than that there is no background to speak of, and everything is relevant."""

SAMPLE = 2000
"""Posts that stand for the album."""

TEXTS = 128
"""Texts that stand for what may be asked."""

COMMON = (
    "a dog", "children playing", "a car in the street", "the sea", "food on a table", "a city at night",
    "snow in the mountains", "a flower", "people at a party", "a cat", "a house with a garden", "a portrait",
    "a bird in the sky", "a boat", "a football game", "a church", "a train", "a forest path", "a baby",
    "a horse",
    "sunset at the beach", "a bridge over a river", "musicians on a stage", "a document", "a screenshot",
    "a bicycle", "a shop window", "an airplane", "a crowd", "a child's drawing", "a book", "a computer",
)  # fmt: skip
"""Stand in where the album has no captions."""


@dataclass(frozen=True)
class Background:
    """`posts` (n, D), a sample of an album's vectors, and the spread of texts' and of pictures' cosines.

    `among`: how many posts the album has, or ever had: twice as many move the bar by a thirtieth.
    """

    posts: Vectors
    of_texts: float
    of_pictures: float
    among: int

    @property
    def bar(self) -> float:
        """The excess from which on a hit is relevant."""
        return ENOUGH * math.sqrt(2 * math.log(max(self.among, 2)))

    @classmethod
    def of(cls, catalogue: Catalogue, space: Space, store: Store) -> Background | None:
        """The background of an album; None where it is too small for one."""
        last = catalogue.rows("SELECT coalesce(max(key), 0) FROM posts")[0][0]
        keys = _some(last, store)
        if len(keys) < FEWEST:
            return None
        posts = store.vectors(keys)
        of_pictures = spread(posts[:TEXTS], posts)
        texts = _texts(catalogue, space)
        return cls(posts, spread(texts, posts) if len(texts) else of_pictures, of_pictures, last)

    def excess(
        self, vector: Vectors, cosines: NDArray[np.float64], terms: Sequence[Term]
    ) -> NDArray[np.float64]:
        """How far hits with these `cosines` (N,) stand out, in spreads, for the query at `vector` (D,)."""
        weights = {True: 0.0, False: 0.0}
        for term in terms:
            weights[isinstance(term.what, Text)] += abs(term.weight)
        unit = (weights[True] * self.of_texts + weights[False] * self.of_pictures) / sum(weights.values())
        middle = float(np.median(self.posts @ vector))
        return (cosines - middle) / max(unit, 1e-6)


def spread(asked: Vectors, posts: Vectors) -> float:
    """The standard deviation of cosines of `asked` (Q, D) with `posts` (n, D) about each one's own median.

    >>> spread(np.eye(2, dtype=np.float32), np.array([[1, 0], [0, 1], [0, 1]], np.float32))
    0.5773502588272095
    """
    cosines = asked @ posts.T
    away = cosines - np.median(cosines, axis=1, keepdims=True)
    return float(np.sqrt(np.mean(np.square(away, dtype=np.float64))))


def saying_all(terms: Sequence[Term], catalogue: Catalogue, keys: Sequence[int]) -> set[int]:
    """Those of `keys` whose posts have all the words that are looked for; none where none are."""
    texts = [term.what.text for term in terms if isinstance(term.what, Text) and term.weight > 0]
    found = set(keys) if texts else set()
    for text in texts:
        found &= containing(catalogue, text, found)
    return found


def _some(last: int, store: Store) -> Keys:
    """Up to `SAMPLE` of the keys up to `last` that have a vector, ascending.

    Spread out by a hash: every post is as likely to be one of them, and tomorrow they are the same. No store
    is asked for all of its keys.
    """
    every = np.arange(1, last + 1)
    order = np.argsort((every * np.int64(2654435761)) % np.int64(1 << 32), kind="stable")
    found = np.empty(0, np.int64)
    start, step = 0, 2 * SAMPLE
    while len(found) < SAMPLE and start < len(order):
        asked = every[order[start : start + step]]
        found = np.r_[found, asked[store.positions_of(asked) >= 0]]
        start, step = start + step, 2 * step
    return np.sort(found[:SAMPLE])


def _texts(catalogue: Catalogue, space: Space) -> Vectors:
    """(T, D) unit rows: captions of the album, encoded once and kept with what else is derived."""
    kept = space.folder / "index" / "background.npy"
    with suppress(OSError, ValueError, EOFError):
        vectors = np.load(kept, allow_pickle=False)
        if vectors.ndim == 2 and vectors.shape[1] == space.dim and len(vectors):
            return np.asarray(vectors, np.float32)
    captions = [
        text
        for (text,) in catalogue.rows(
            "SELECT text FROM captions WHERE text != '' ORDER BY (caption * 2654435761) % 4294967296 LIMIT ?",
            TEXTS,
        )
    ]
    vectors = space.encode_texts(captions if len(captions) >= len(COMMON) else [*captions, *COMMON])
    vectors = vectors[vectors.any(axis=1)]
    if not len(vectors):  # a model that knows none of these words: a captions' language it has not learnt
        return np.zeros((0, space.dim), np.float32)
    out = io.BytesIO()
    np.save(out, vectors)
    with suppress(OSError):  # an album that may only be read is asked all the same
        kept.parent.mkdir(exist_ok=True)
        write_bytes(kept, out.getvalue())
    return vectors
