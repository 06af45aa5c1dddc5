"""Which posts' words say what is asked for, and how much of it: SQLite's full text over captions and tags.

A post need not have all words of a text. The more of them it has, the rarer they are among the posts and the
shorter what is said of it, the higher it comes (bm25). English stop words do not count unless there is
nothing else; a run of letters without spaces counts by its pairs. What a person writes is never syntax.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from cartolina.album.catalogue import Catalogue
from cartolina.album.spelt import pieces
from cartolina.store import Hits
from cartolina.store.contract import Keys
from cartolina.text.tokens import STOP_WORDS

__all__ = ["best", "containing", "missing", "wordy"]

CAPTION, TAG = 1.0, 1.5
"""How much a word counts in a caption and as a tag."""

MOST = 64
"""So many words of a text are looked for: a page pasted in is no query."""

FEW = 4096
"""Up to so many allowed posts are named in the SQL; more are sorted out of its answer, which is faster."""


def best(catalogue: Catalogue, text: str, depth: int, among: Keys | None = None) -> Hits:
    """Posts with words of `text`, the most relevant first, ties by key; only those `among` the given, if any.

    The score is the bm25 over that of an average post that has every word once: 1 says that all is there,
    .3 that a third is, rare words counting more. About `depth` hits, all that tie with the last among them.
    Where more posts than that have the rarer words, posts that have but the commonest are not looked at, so
    that 80,000 posts of which half say "man" or "dog" answer in milliseconds.
    """
    counts = {phrase: _count(catalogue, phrase) for phrase in _looked_for(text)[:MOST]}
    phrases = sorted((phrase for phrase, n in counts.items() if n), key=lambda phrase: counts[phrase])
    if not phrases:
        return Hits(np.empty(0, np.int64), np.empty(0, np.float32))
    posts = int(catalogue.rows("SELECT count(*) FROM words_docsize")[0][0])
    # What bm25() makes of a word that n posts have.
    whole = sum(max(math.log((posts - n + 0.5) / (n + 0.5)), 1e-6) for n in counts.values())
    rare = phrases
    if among is None or len(among) > FEW:
        enough = depth if among is None else 2 * depth * posts / len(among)
        reached = np.cumsum([counts[phrase] for phrase in phrases]) >= enough
        rare = phrases[: int(reached.argmax()) + 1] if reached.any() else phrases
    hits = _ranked(catalogue, phrases, rare, whole, depth, among)
    if len(hits.keys) < depth and len(rare) < len(phrases):
        hits = _ranked(catalogue, phrases, phrases, whole, depth, among)
    return hits


def containing(catalogue: Catalogue, text: str, keys: Iterable[int]) -> set[int]:
    """Those of `keys` whose posts have all words of `text`."""
    found = catalogue.rows(
        "SELECT rowid FROM words WHERE words MATCH ? AND +rowid IN (SELECT value FROM json_each(?))",
        _all_of(text), list(keys),
    )  # fmt: skip
    return {key for (key,) in found}


def missing(catalogue: Catalogue, text: str) -> list[str]:
    """The words of `text` that no post has, once each, in order."""
    sql = "SELECT 1 FROM words WHERE words MATCH ? LIMIT 1"
    words = list(dict.fromkeys(_content(text)))[:MOST]
    return ["".join(word) for word in words if not catalogue.rows(sql, _quoted(word))]


def wordy(catalogue: Catalogue, keys: Iterable[int]) -> set[int]:
    """Those of `keys` whose posts have any words at all."""
    sql = "SELECT rowid FROM words WHERE rowid IN (SELECT value FROM json_each(?))"
    return {key for (key,) in catalogue.rows(sql, list(keys))}


def _ranked(
    catalogue: Catalogue, phrases: list[str], rare: list[str], whole: float, depth: int, among: Keys | None
) -> Hits:
    """Posts with any of the `rare` phrases, by the bm25 of all `phrases` over `whole`."""
    conditions: list[str] = ["words MATCH ?"]
    values: list[object] = [whole, " OR ".join(phrases)]
    if len(rare) < len(phrases):
        conditions.append("+rowid IN (SELECT rowid FROM words WHERE words MATCH ?)")
        values.append(" OR ".join(rare))
    limit = depth
    if among is None:
        conditions.append("+rowid NOT IN (SELECT key FROM posts WHERE offline IS NOT NULL)")
    elif len(among) <= FEW:
        conditions.append("+rowid IN (SELECT value FROM json_each(?))")
        values.append(among.tolist())
    else:
        limit = -1
    sql = (
        f"SELECT rowid, -bm25(words, {CAPTION}, {TAG}) / ? AS score FROM words "  # noqa: S608 - all ours
        f"WHERE {' AND '.join(conditions)} ORDER BY score DESC, rowid LIMIT ?"
    )
    keys, scores = _hits(catalogue.rows(sql, *values, limit))
    if limit == depth == len(keys) and 2 * (scores > scores[-1]).sum() < depth:  # more than half are equals
        keys, scores = _hits(catalogue.rows(sql, *values, -1))
    if among is not None and limit == -1:
        inside = np.isin(keys, among)
        keys, scores = keys[inside], scores[inside]
    last = scores[depth - 1] if len(scores) > depth else -np.inf
    return Hits(keys[scores >= last], scores[scores >= last])


def _hits(rows: list[tuple[int, float]]) -> Hits:
    keys, scores = ([row[column] for row in rows] for column in (0, 1))
    return Hits(np.array(keys, np.int64), np.array(scores, np.float32))


def _count(catalogue: Catalogue, phrase: str) -> int:
    return int(catalogue.rows("SELECT count(*) FROM words WHERE words MATCH ?", phrase)[0][0])


def _content(text: str) -> list[tuple[str, ...]]:
    found = [tuple(piece) for piece in pieces(text)]
    return [piece for piece in found if len(piece) > 1 or piece[0] not in STOP_WORDS] or found


def _looked_for(text: str) -> list[str]:
    """The phrases of the index's language any of which a post must have, each once."""
    pairs = ((piece[i : i + 2] for i in range(max(len(piece) - 1, 1))) for piece in _content(text))
    return list(dict.fromkeys(_quoted(pair) for some in pairs for pair in some))


def _all_of(text: str) -> str:
    return " AND ".join(map(_quoted, _content(text)[:MOST])) or '""'


def _quoted(tokens: Iterable[str]) -> str:
    return '"' + " ".join(tokens) + '"'
