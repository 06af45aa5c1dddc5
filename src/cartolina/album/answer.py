"""From a query to a ranking: words and pictures become one vector, filters and places a set of posts.

Each term is a unit vector times its weight; their sum, of length 1 again, is what pictures are compared with
(Bojanowski's and the web-data paper's algebra of embeddings: skyline + night − car). Captions and tags are
asked for the same words, and the two orders become one. A query that names only filters or a place has
nothing to compare: its posts come nearest first, or in the order they were added.
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
from cartolina.album.fulltext import missing
from cartolina.album.order import DEPTH, Order, by_both, by_picture, by_words
from cartolina.album.ranking import Found, Hit, Ranking
from cartolina.album.relevance import ITSELF, saying_all
from cartolina.album.saying import has_words, said
from cartolina.album.searched import Searched
from cartolina.album.space import Space
from cartolina.errors import AlbumError, InputError, QueryError, UnknownName
from cartolina.geo import Gazetteer
from cartolina.post import Place
from cartolina.query import Filter, ImageRef, Near, Query, Resolved, Term, Text, parse, resolve
from cartolina.settings import BY
from cartolina.store import Hits, Store
from cartolina.store.contract import Keys

__all__ = ["Asked", "answer", "nearest_id"]

Asked: TypeAlias = str | Query | Term | Text | ImageRef | Near | Filter
"""What may be asked: the grammar as text, or its values and their sums."""

NOTHING = 1e-4
"""A sum shorter than this is rounding, not a direction."""


def answer(
    query: Asked, k: int, catalogue: Catalogue, searched: Searched | None, by: str = "both"
) -> Ranking:
    """The best `k` posts for `query`, by "picture", "words" or "both".

    Within one snapshot of the catalogue, of which `searched` is; None: nothing was learnt yet, so that words,
    filters and places can be asked and no pictures.
    """
    if k < 1:
        raise InputError(f"k is how many posts to show, 1 or more; got {k}")
    if by not in BY:
        raise UnknownName("way to search", by, BY)
    resolved = _resolved(parse(query) if isinstance(query, str) else Query() + query)
    read, notes = resolved.query, list(resolved.notes)
    circle = Circle(*resolved.circle) if resolved.circle else None
    among = allowed(catalogue, read.filters, circle)
    if among and not len(among.keys):
        notes.append("no post passes the filters" if circle is None else "no post lies there")
    unknown: dict[str, str | None] = {}
    if read.terms:
        order, unknown, more = _ordered(read.terms, k, by, catalogue, searched, among.keys if among else None)
        notes += more
    else:
        order = Order(_listed(among or Allowed(catalogue.all_keys(), None), k))
    relevant = _relevant(order, read.terms, catalogue, searched)
    if len(order.hits.keys) and not relevant:
        notes.append("nothing in the album seems to show this; these are the nearest")
    return Ranking(
        query=query if isinstance(query, str) else str(Query() + query),
        read_as=resolved.echo,
        hits=_with_posts(order, relevant, among, catalogue),
        unknown_words=unknown,
        places=_places(resolved),
        notes=tuple(notes),
        by=order.by,
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


def _ordered(
    terms: Sequence[Term],
    k: int,
    by: str,
    catalogue: Catalogue,
    searched: Searched | None,
    among: Keys | None,
) -> tuple[Order, dict[str, str | None], list[str]]:
    """The best `k` posts; the words of the query that nobody knows, with the nearest known; notes."""
    texts = [term.what.text for term in terms if isinstance(term.what, Text)]
    words = said(terms, catalogue, max(k, DEPTH), among) if by != "picture" else {}
    notes = []
    if by == "both" and searched is None and len(texts) == len(terms) and has_words(terms):
        by = "words"
        notes.append("only captions and tags were searched: `cartolina build` learns to look at pictures")
    if by == "words":
        if not has_words(terms):
            raise QueryError(
                "there is nothing to look for in captions and tags: write words, or search by picture or both"
            )
        nowhere = [word for text in texts for word in missing(catalogue, text)]
        return by_words(words, terms, k, catalogue), dict.fromkeys(nowhere), notes
    if searched is None:
        raise AlbumError(
            f"the album {catalogue.path.parent} has learnt nothing yet, so no picture can be found by what "
            "it shows: run `cartolina build`, or search by words"
        )
    space, store = searched.space, searched.store
    unknown = {word: space.nearest(word) for text in texts for word in space.unknown(text)}
    vector = _vector(terms, texts, catalogue, space, store)
    if vector is None and not (words and unknown):
        raise QueryError(_nothing_left(unknown))
    if by == "picture" and vector is not None:
        return by_picture(vector, k, store, among), unknown, notes
    # A word that somebody wrote is known, whatever the model has read.
    unknown = {word: near for word, near in unknown.items() if missing(catalogue, word)}
    if vector is None:
        notes.append("only captions and tags were searched: the text model knows none of these words")
        return by_words(words, terms, k, catalogue), unknown, notes
    return by_both(vector, words, terms, k, catalogue, store, among), unknown, notes


def _vector(
    terms: Sequence[Term], texts: Sequence[str], catalogue: Catalogue, space: Space, store: Store
) -> NDArray[np.float32] | None:
    """(D,) float32 of length 1; None where nothing is left of the sum. `texts` are those of the terms."""
    of_texts = iter(space.encode_texts(texts) if texts else ())
    total = np.zeros(space.dim, np.float64)
    for term in terms:
        what = term.what
        vector = next(of_texts) if isinstance(what, Text) else _image(what, catalogue, space, store)
        total += term.weight * vector.astype(np.float64)
    length = np.linalg.norm(total)
    return (total / length).astype(np.float32) if length >= NOTHING else None


def _nothing_left(unknown: dict[str, str | None]) -> str:
    if not unknown:
        return (
            "the terms cancel each other out, nothing is left to look for: "
            "take one away, or give them weights (2*skyline - night)"
        )
    named = [f"{word!r}" + (f" (nearest: {near!r})" if near else "") for word, near in unknown.items()]
    return f"the album's text model knows none of these words: {', '.join(named)}: write other words"


def _image(what: ImageRef, catalogue: Catalogue, space: Space, store: Store) -> NDArray[np.float32]:
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


def _relevant(
    order: Order, terms: Sequence[Term], catalogue: Catalogue, searched: Searched | None
) -> set[int]:
    """Those hits that seem to show what was asked for (`relevance`), or say so."""
    keys = order.hits.keys.tolist()
    if order.by is None:  # only filters or a place were asked for
        return set(keys)
    relevant = saying_all(terms, catalogue, keys)
    compared = [key for key in keys if key in order.cosines]
    if searched is not None and order.vector is not None and compared:
        background = searched.background(catalogue)
        if background is None:
            return set(keys)
        cosines = np.array([order.cosines[key] for key in compared])
        stands_out = (background.excess(order.vector, cosines, terms) >= background.bar) | (cosines >= ITSELF)
        relevant |= {key for key, out in zip(compared, stands_out, strict=True) if out}
    return relevant


def _with_posts(
    order: Order, relevant: set[int], among: Allowed | None, catalogue: Catalogue
) -> tuple[Hit, ...]:
    keys = order.hits.keys.tolist()
    posts = catalogue.posts(keys)
    away: list[float] | list[None] = [None] * len(keys)
    if among and among.distance_km is not None:
        away = among.distance_km[np.searchsorted(among.keys, order.hits.keys)].tolist()
    return tuple(
        Hit(
            posts[key].id,
            score,
            posts[key],
            far,
            key in relevant,
            cosine=order.cosines.get(key),
            matched=tuple(
                name for name, found in (("picture", order.pictured), ("words", order.said)) if key in found
            ),
        )
        for key, score, far in zip(keys, order.hits.scores.tolist(), away, strict=True)
    )


def _places(resolved: Resolved) -> tuple[Found, ...]:
    if resolved.circle is None:
        return ()
    return (Found(resolved.name, *resolved.circle, resolved.alternatives),)
