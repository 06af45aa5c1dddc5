"""Asking a space: a query's terms summed as unit rows, the gallery's photos ranked by cosine (Eq. 1).

"skyline+night" is the sum of both terms' vectors, each of length 1 in the matching space, as the product's
queries are. A term of several words ("ice cream") is what the model makes of it; LDA takes the mean of the
words' topics. A term of which a model knows no word adds nothing; a query of which it knows none finds
nothing, and what it could not read is told.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cartolina.evaluate.experiments.judging import Asked
from cartolina.evaluate.experiments.photo_side import Space
from cartolina.text import TextModel, embed_queries

__all__ = ["best", "query_vectors", "unknown_words"]

Floats = NDArray[np.float32]

NOTHING = -1
"""Stands in a ranking where a query found nothing."""


def query_vectors(space: Space, model: TextModel, queries: Sequence[Asked]) -> Floats:
    """The sum of each query's terms: (Q, D); zeros where the model knows no word of it."""
    terms = list(dict.fromkeys(one.name for query in queries for one in query.concepts))
    if not terms:
        return np.zeros((0, model.dim), np.float32)
    vectors = dict(zip(terms, space.texts(embed_queries(model, terms)), strict=True))
    return np.stack([np.sum([vectors[one.name] for one in query.concepts], axis=0) for query in queries])


def best(queries: Floats, photos: Floats, k: int) -> NDArray[np.int64]:
    """The `k` photos nearest to each query, best first: (Q, D), (N, D) unit rows → (Q, min(k, N)).

    Ties go by number. A query of zeros has −1 throughout: it found nothing.
    """
    scores = queries @ photos.T
    ranked = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    ranked[~queries.any(1)] = NOTHING
    return ranked


def unknown_words(model: TextModel, queries: Sequence[Asked]) -> dict[str, list[str]]:
    """The words of each query that the model cannot read, for the queries that have some."""
    found = {
        query.name: [word for one in query.concepts for word in model.unknown(one.name)] for query in queries
    }
    return {name: words for name, words in found.items() if words}
