"""What is asked: the 24 queries of Table 1, and queries made of the captions' own frequent words.

On a gallery of 1,000 photos half of the 24 have fewer than five relevant pictures, so no model can be told
from another by them. The families are ranked on `generated`: at least 100 words and 100 pairs of words, if
the captions give as many, with ten or more relevant photos each. They are made deterministically, of the
training captions' words in order of frequency, without looking at any model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from cartolina.evaluate.experiments.judging import Asked, Judge, asked, concept, plurals, synonyms
from cartolina.text.tokens import tokens

__all__ = ["TABLE_1", "QuerySets", "generated", "query_sets", "table_1"]

Mask = NDArray[np.bool_]

TABLE_1 = (
    ("urban", ("car", "skyline", "bike"), ("yellow+car", "skyline+night", "bike+park")),
    ("weather", ("sunrise", "snow", "rain"), ("sunrise+beach", "snow+ski", "rain+umbrella")),
    ("food", ("ice-cream", "cake", "pizza"), ("ice-cream+beach", "chocolate+cake", "pizza+wine")),
    ("people", ("woman", "man", "kid"), ("woman+bag", "man+boat", "kid+dog")),
)
"""(theme, simple queries, complex queries) of Self-Supervised Learning from Web Data, Table 1."""

# Frequent words that name nothing in particular to be seen.
_VAGUE = """
one two three four five six seven several many some lot couple group others another next near nearby along
around across behind front beside side back top bottom end middle edge past toward towards away together onto
upon against while whilst something someone somebody object thing way area background view outside inside
outdoors indoors doing being getting get gets go goes going make makes making take takes taking look looks
looking try tries trying see seen seems like ready set various different large small big little long young old
older tall open body part kind type appears day dressed covered high laying haired
"""
VAGUE = frozenset(_VAGUE.split())

FEWEST = 10
"""Relevant photos a generated query must have."""

LARGEST_SHARE = 0.25
"""Of the gallery that a generated query's photos may be: beyond, chance alone is right too often."""

SAME = 0.6
"""The share two words' photos have in common from which the rarer word is left out as a double."""

PAIRS_A_WORD = 8
"""In how many pairs a word may be."""


@dataclass(frozen=True)
class QuerySets:
    """All that is asked, once each; which are Table 1's, which rank the models, which are complex: (Q,)."""

    asked: tuple[Asked, ...]
    table_1: Mask
    ranked: Mask
    complex: Mask

    @property
    def strata(self) -> NDArray[np.int64]:
        """Of the queries that rank: 0 for a simple one, 1 for a complex one."""
        return self.complex[self.ranked].astype(np.int64)

    def means(self, values: NDArray[np.float64], prefix: str = "") -> dict[str, float]:
        """The mean of `values` (Q,) over the 24 queries, their simple and their complex ones."""
        of = self.table_1
        return {
            f"{prefix}all": float(values[of].mean()),
            f"{prefix}simple": float(values[of & ~self.complex].mean()),
            f"{prefix}complex": float(values[of & self.complex].mean()),
        }


def query_sets(training: Sequence[Sequence[str]], gallery: Sequence[Sequence[str]]) -> QuerySets:
    """Table 1's queries and generated ones, of each photo's captions in the two parts."""
    own, ranking = table_1(), generated(training, Judge(gallery))
    asked = tuple({query.name: query for query in [*own, *ranking]}.values())

    def named(queries: Sequence[Asked]) -> Mask:
        names = {query.name for query in queries}
        return np.array([query.name in names for query in asked])

    return QuerySets(
        asked, named(own), named(ranking), np.array([query.kind == "complex" for query in asked])
    )


def table_1() -> list[Asked]:
    """The 24 queries, the simple ones first."""
    rows = [[*simple] for _, simple, _ in TABLE_1] + [[*together] for _, _, together in TABLE_1]
    return [asked(name) for row in rows for name in row]


def generated(
    training: Iterable[Sequence[str]], judge: Judge, *, simple: int = 120, complex_: int = 120
) -> list[Asked]:
    """Up to `simple` words and `complex_` pairs of them, each relevant to enough photos of the judge's.

    Words come by their frequency in `training` (each photo's captions), plurals and synonyms of a word only
    once. Pairs are drawn (from one seed) of all that enough photos show together, no word in more than 8.
    """
    words: list[Asked] = []
    shown: dict[str, NDArray[np.bool_]] = {}
    for word in _words(training):
        query = asked(word)
        relevant = judge.relevant(query)
        if _fits(relevant) and not any(_alike(relevant, other) for other in shown.values()):
            words.append(query)
            shown[word] = relevant
        if len(words) == simple:
            break
    pairs = [
        (one.name, other.name)
        for one, other in combinations(words, 2)
        if not one.concepts[0].phrases & other.concepts[0].phrases  # skate+ride, but not water+ocean
        and _fits(shown[one.name] & shown[other.name])
    ]
    return words + [asked(f"{one}+{other}") for one, other in _spread(pairs, complex_)]


def _words(training: Iterable[Sequence[str]]) -> list[str]:
    """Words of the captions, the most frequent first, that name something and are no other's plural."""
    counts = Counter(
        word for captions in training for caption in captions for word in tokens(caption) if word.isalpha()
    )
    plural = {form for word in counts for form in plurals(word) if form != word}
    listed = {form for name in synonyms() for phrase in concept(name).phrases for form in phrase[-1:]}
    return [
        word
        for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        if len(word) > 2
        and word not in VAGUE
        and word not in plural
        and (word in synonyms() or word not in listed)
    ]


def _fits(relevant: NDArray[np.bool_]) -> bool:
    return bool(FEWEST <= relevant.sum() <= LARGEST_SHARE * len(relevant))


def _alike(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> bool:
    """Whether two words are shown by much the same photos: lady and woman, coat and jacket."""
    return bool((one & other).sum() >= SAME * (one | other).sum())


def _spread(pairs: list[tuple[str, str]], most: int) -> list[tuple[str, str]]:
    used: Counter[str] = Counter()
    chosen: list[tuple[str, str]] = []
    for number in np.random.default_rng(0).permutation(len(pairs)):
        pair = pairs[number]
        if len(chosen) < most and all(used[word] < PAIRS_A_WORD for word in pair):
            used.update(pair)
            chosen.append(pair)
    return sorted(chosen)
