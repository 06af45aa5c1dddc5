"""From a query to a ranking: words and pictures become one vector, filters and places a set of posts.

Each term is a unit vector times its weight; their sum, of length 1 again, is what posts are compared with
(Bojanowski's and the web-data paper's algebra of embeddings: skyline + night − car). A query that names
only filters or a place has no vector: its posts come nearest first, or in the order they were added.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cartolina.album.catalogue import Catalogue
from cartolina.album.filters import Allowed, Circle, allowed
from cartolina.album.ranking import Found, Hit, Ranking
from cartolina.album.space import Space
from cartolina.errors import InputError, QueryError
from cartolina.geo import Gazetteer
from cartolina.post import Place
from cartolina.query import Filter, ImageRef, Near, Query, Resolved, Term, Text, parse, resolve
from cartolina.store import ExactStore, Hits

__all__ = ["Asked", "answer", "nearest_id"]

Asked: TypeAlias = str | Query | Term | Text | ImageRef | Near | Filter
"""What may be asked: the grammar as text, or its values and their sums."""

NOTHING = 1e-4
"""A sum shorter than this is rounding, not a direction."""


def answer(query: Asked, k: int, catalogue: Catalogue, space: Space, store: ExactStore) -> Ranking:
    """The best `k` posts for `query`. Within one snapshot of the catalogue, of which `store` is."""
    if k < 1:
        raise InputError(f"k is how many posts to show, 1 or more; got {k}")
    resolved = _resolved(parse(query) if isinstance(query, str) else Query() + query)
    read = resolved.query
    circle = Circle(*resolved.circle) if resolved.circle else None
    unknown = _unknown(read.terms, space)
    vector = _vector(read.terms, unknown, catalogue, space, store) if read.terms else None
    among = allowed(catalogue, read.filters, circle)
    notes = list(resolved.notes)
    if among and not len(among.keys):
        notes.append("no post passes the filters" if circle is None else "no post lies there")
    if vector is None:
        hits = _listed(among or Allowed(catalogue.all_keys(), None), k)
    else:
        (hits,) = store.search(vector[None], k, among.keys if among else None)
    return Ranking(
        query=query if isinstance(query, str) else str(Query() + query),
        read_as=resolved.echo,
        hits=_with_posts(hits, among, catalogue),
        unknown_words=unknown,
        places=_places(resolved),
        notes=tuple(notes),
    )


def nearest_id(catalogue: Catalogue, name: str) -> str | None:
    """An id of the album spelt much like `name`."""
    near = get_close_matches(name, catalogue.ids_like(name), n=1, cutoff=0.6)
    return near[0] if near else None


def _resolved(query: Query) -> Resolved:
    if query.near is None or isinstance(query.near.place, Place):
        return resolve(query, lambda name: [])
    with Gazetteer.open() as gazetteer:
        return resolve(query, gazetteer.find, gazetteer.suggest)


def _unknown(terms: Sequence[Term], space: Space) -> dict[str, str | None]:
    texts = [term.what.text for term in terms if isinstance(term.what, Text)]
    words = dict.fromkeys(word for text in texts for word in space.unknown(text))
    return {word: space.nearest(word) for word in words}


def _vector(
    terms: Sequence[Term],
    unknown: dict[str, str | None],
    catalogue: Catalogue,
    space: Space,
    store: ExactStore,
) -> NDArray[np.float32]:
    """(D,) float32 of length 1."""
    texts = [term.what.text for term in terms if isinstance(term.what, Text)]
    of_texts = iter(space.encode_texts(texts) if texts else ())
    total = np.zeros(space.dim, np.float64)
    for term in terms:
        what = term.what
        vector = next(of_texts) if isinstance(what, Text) else _image(what, catalogue, space, store)
        total += term.weight * vector.astype(np.float64)
    length = np.linalg.norm(total)
    if length < NOTHING:
        raise QueryError(_nothing_left(unknown))
    return (total / length).astype(np.float32)


def _nothing_left(unknown: dict[str, str | None]) -> str:
    if not unknown:
        return (
            "the terms cancel each other out, nothing is left to look for: "
            "take one away, or give them weights (2*skyline - night)"
        )
    said = [f"{word!r}" + (f" (nearest: {near!r})" if near else "") for word, near in unknown.items()]
    return f"the album's text model knows none of these words: {', '.join(said)}: write other words"


def _image(what: ImageRef, catalogue: Catalogue, space: Space, store: ExactStore) -> NDArray[np.float32]:
    if what.kind == "path":
        path = Path(what.path_or_id).expanduser()
        if not path.is_file():
            raise QueryError(f"@{what.path_or_id} is no picture's file: write @path or like:ID")
        (vector,) = space.encode_images([path])
        return np.asarray(vector)
    name = what.path_or_id
    key = catalogue.keys_of([name]).get(name)
    if key is None:
        near = nearest_id(catalogue, name)
        guess = f": did you mean like:{near}?" if near else ""
        raise QueryError(f"like:{name} is no post of the album{guess}")
    keys = np.array([key])
    if store.positions_of(keys)[0] < 0:
        raise QueryError(f"like:{name} has no vector, its picture could not be read: take another post")
    (vector,) = store.vectors(keys)
    return np.asarray(vector)


def _listed(among: Allowed, k: int) -> Hits:
    """Posts without a vector to compare them with: nearest first (scored −km), or the oldest in the album."""
    away = np.zeros(len(among.keys)) if among.distance_km is None else among.distance_km
    order = np.lexsort((among.keys, away))[:k]
    return Hits(among.keys[order], -away[order].astype(np.float32))


def _with_posts(hits: Hits, among: Allowed | None, catalogue: Catalogue) -> tuple[Hit, ...]:
    posts = catalogue.posts(hits.keys)
    away: list[float] | list[None] = [None] * len(hits.keys)
    if among and among.distance_km is not None:
        away = among.distance_km[np.searchsorted(among.keys, hits.keys)].tolist()
    found = zip(hits.keys.tolist(), hits.scores.tolist(), away, strict=True)
    return tuple(Hit(posts[key].id, score, posts[key], far) for key, score, far in found)


def _places(resolved: Resolved) -> tuple[Found, ...]:
    if resolved.circle is None:
        return ()
    return (Found(resolved.name, *resolved.circle, resolved.alternatives),)
