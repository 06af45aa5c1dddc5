"""Which posts' words say what is asked for, best first: SQLite's full text over captions and tags together.

A post need not have all words of a text. The more of them it has, the rarer they are among the posts and the
shorter what is said of it, the higher it comes (bm25). English stop words do not count unless there is
nothing else; a run without spaces counts by its pairs of letters. What a person writes is never syntax.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from cartolina.album.catalogue import Catalogue
from cartolina.album.spelt import pieces
from cartolina.store.contract import Keys
from cartolina.text.tokens import STOP_WORDS

__all__ = ["best", "containing", "occurs"]

CAPTION, TAG = 1.0, 2.0
"""How much a word counts in a caption and as a tag."""

MOST = 32
"""So many words of a text, the rarest, are looked for: a page pasted in is no query."""

FEW = 4096
"""Up to so many allowed posts are named in the query; more are sorted out of its answer, which is faster."""


def best(catalogue: Catalogue, text: str, depth: int, among: Keys | None = None) -> Keys:
    """The keys (≤ depth,) of posts with words of `text`, the most relevant first, ties by key.

    Only those `among` the given ones (ascending; None: all whose pictures are there). Where more posts than
    `depth` have the rarer words, those that have but the commonest are not looked at, so that 80,000 posts of
    which half say "man" or "dog" answer in milliseconds.
    """
    counts = {phrase: _count(catalogue, phrase) for phrase in _looked_for(text)}
    phrases = sorted((phrase for phrase in counts if counts[phrase]), key=lambda one: (counts[one], one))[:MOST]
    enough = depth if among is None else depth * len(catalogue) / max(len(among), 1)
    for rare in range(1, len(phrases) + 1):
        if sum(counts[phrase] for phrase in phrases[:rare]) >= enough:
            found = _ranked(catalogue, phrases, phrases[:rare], depth, among)
            if len(found) == depth or rare == len(phrases):
                return found
            break
    return _ranked(catalogue, phrases, phrases, depth, among) if phrases else np.empty(0, np.int64)


def containing(catalogue: Catalogue, text: str, keys: Keys) -> Keys:
    """Those of `keys` whose posts have all words of `text`, ascending."""
    wanted = " AND ".join(map(_quoted, _content(text)))
    found = catalogue.rows(
        "SELECT rowid FROM words WHERE words MATCH ? AND +rowid IN (SELECT value FROM json_each(?)) ORDER BY 1",
        wanted, keys.tolist(),
    )  # fmt: skip
    return np.array([key for (key,) in found], np.int64)


def occurs(catalogue: Catalogue, text: str) -> bool:
    """Whether any post has all words of `text`."""
    wanted = " AND ".join(map(_quoted, _content(text)))
    return bool(catalogue.rows("SELECT 1 FROM words WHERE words MATCH ? LIMIT 1", wanted))


def _ranked(
    catalogue: Catalogue, phrases: list[str], rare: list[str], depth: int, among: Keys | None
) -> Keys:
    """Posts with any of the `rare` phrases, ranked by all `phrases`."""
    conditions, values = ["words MATCH ?"], [" OR ".join(phrases)]
    if len(rare) < len(phrases):
        conditions.append("+rowid IN (SELECT rowid FROM words WHERE words MATCH ?)")
        values.append(" OR ".join(rare))
    sorted_out = among is not None and len(among) > FEW
    if among is None:
        conditions.append("+rowid NOT IN (SELECT key FROM posts WHERE offline IS NOT NULL)")
    elif not sorted_out:
        conditions.append("+rowid IN (SELECT value FROM json_each(?))")
        values.append(among.tolist())
    found = catalogue.rows(
        f"SELECT rowid, bm25(words, {CAPTION}, {TAG}) AS score FROM words "  # noqa: S608 - values are parameters
        f"WHERE {' AND '.join(conditions)} ORDER BY score, rowid LIMIT ?",
        *values, -1 if sorted_out else depth,
    )  # fmt: skip
    keys = np.fromiter((row[0] for row in found), np.int64, len(found))
    return keys[np.isin(keys, among)][:depth] if sorted_out else keys


def _count(catalogue: Catalogue, phrase: str) -> int:
    return int(catalogue.rows("SELECT count(*) FROM words WHERE words MATCH ?", phrase)[0][0])


def _content(text: str) -> list[tuple[str, ...]]:
    found = [tuple(piece) for piece in pieces(text)]
    return [piece for piece in found if len(piece) > 1 or piece[0] not in STOP_WORDS] or found


def _looked_for(text: str) -> list[str]:
    """The phrases of the index's language any of which a post must have, each once."""
    pairs = ((piece[i : i + 2] for i in range(max(len(piece) - 1, 1))) for piece in _content(text))
    return list(dict.fromkeys(_quoted(pair) for some in pairs for pair in some))


def _quoted(tokens: Iterable[str]) -> str:
    return '"' + " ".join(tokens) + '"'
