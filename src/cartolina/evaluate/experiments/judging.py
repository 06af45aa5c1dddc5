"""Which photos are relevant to a query, judged by what all their captions say.

*The rule.* A concept is named by a caption that holds, as whole words, the concept's own word or phrase, one
of its synonyms (`synonyms.txt`, committed before any result), or a plural of either. A photo is relevant to
a query when each of its concepts is named by at least one of the photo's captions, not necessarily the same
one: five people looked at it, and each told a part. The paper judged by eye; where somebody did, `verdicts`
win.

What the rule gets wrong: it takes "a dog looks at a picture of a car" for a photo of a car, and a photo of
snow nobody mentions for one without.

>>> judge = Judge([("A girl rides her bicycle.", "kids in the park"), ("a parking car",)])
>>> judge.relevant(asked("bike+park")).tolist()
[True, False]
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from cartolina.errors import InputError
from cartolina.text.tokens import tokens

__all__ = [
    "Asked",
    "Concept",
    "Judge",
    "Verdicts",
    "asked",
    "concept",
    "plurals",
    "read_synonyms",
    "synonyms",
]

Verdicts = Mapping[tuple[str, str], bool]
"""(query, photo's id) → whether it shows what was asked for, as a person said."""

Phrase = tuple[str, ...]
"""Words in a row, as `tokens` cuts them."""

IRREGULAR = {
    "child": "children", "person": "people", "foot": "feet", "tooth": "teeth", "mouse": "mice",
    "goose": "geese", "leaf": "leaves", "wolf": "wolves", "knife": "knives", "shelf": "shelves",
    "calf": "calves", "loaf": "loaves", "scarf": "scarves", "wife": "wives", "sheep": "sheep",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Concept:
    """Something to be seen, and the phrases that name it."""

    name: str
    phrases: frozenset[Phrase]


@dataclass(frozen=True, slots=True)
class Asked:
    """A query: one concept (simple) or several that a photo must show together (complex)."""

    name: str
    concepts: tuple[Concept, ...]

    @property
    def kind(self) -> str:
        """Is it "simple" or "complex"?"""
        return "simple" if len(self.concepts) == 1 else "complex"


def asked(name: str, known: Mapping[str, Sequence[str]] | None = None) -> Asked:
    """The query written "ice-cream+beach"; `known` are synonyms (None: ours).

    Raises `InputError` for a query in which a concept has no letters.
    """
    return Asked(name, tuple(concept(part, known) for part in name.split("+")))


def concept(word: str, known: Mapping[str, Sequence[str]] | None = None) -> Concept:
    """The concept of a word or phrase ("ice-cream"), with its synonyms and all plurals."""
    own = _phrase(word)
    if not own:
        raise InputError(f"{word!r} names no concept: expected words of letters or digits")
    name = " ".join(own)
    others = (synonyms() if known is None else known).get(name, ())
    phrases = [own, *(_phrase(other) for other in others)]
    return Concept(name, frozenset(form for phrase in phrases for form in _forms(phrase)))


def plurals(word: str) -> set[str]:
    """The plurals a word may have; a few more than there are would name nothing.

    >>> sorted(plurals("fireman") | plurals("puppy") | plurals("torch") | plurals("day"))
    ['days', 'firemans', 'firemen', 'puppies', 'torches']
    """
    if word in IRREGULAR:
        return {IRREGULAR[word]}
    if word.endswith("man"):
        return {f"{word[:-2]}en", f"{word}s"}  # humans, talismans
    if re.search(r"(s|x|z|ch|sh)$", word):
        return {f"{word}es"}
    if re.search(r"[^aeiou]y$", word):
        return {f"{word[:-1]}ies"}
    return {f"{word}s", f"{word}es"} if word.endswith("o") else {f"{word}s"}


@cache
def synonyms() -> Mapping[str, tuple[str, ...]]:
    """What else names a concept: our own list, `synonyms.txt`."""
    text = resources.files(__package__).joinpath("synonyms.txt").read_text(encoding="utf-8")
    return read_synonyms(text)


def read_synonyms(text: str) -> dict[str, tuple[str, ...]]:
    """A list of synonyms: lines "concept: phrase, phrase", `#` before remarks.

    Raises `InputError` for a line without a colon, or a concept that comes twice.
    """
    known: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.partition("#")[0].strip()
        if not line:
            continue
        name, colon, others = line.partition(":")
        name = " ".join(_phrase(name))
        if not colon or not name or name in known:
            raise InputError(
                f"synonyms, line {number}: expected 'concept: phrase, phrase', each once: {line!r}"
            )
        known[name] = tuple(one.strip() for one in others.split(",") if one.strip())
    return known


class Judge:
    """Judges a gallery: `captions` are those of each photo, all of them.

    `verdicts` maps (query's name, photo's number) to what a person said; they win over the rule.
    """

    def __init__(
        self,
        captions: Iterable[Sequence[str]],
        verdicts: Mapping[tuple[str, int], bool] | None = None,
        *,
        longest: int = 3,
    ) -> None:
        self.longest = longest
        self.verdicts = verdicts or {}
        self._photos: dict[Phrase, set[int]] = defaultdict(set)
        number = -1
        for number, of_photo in enumerate(captions):
            for caption in of_photo:
                for phrase in _phrases(_phrase(caption), longest):
                    self._photos[phrase].add(number)
        self.photos = number + 1

    def shows(self, concept: Concept) -> NDArray[np.bool_]:
        """Which photos have a caption that names `concept`: (N,)."""
        found = np.zeros(self.photos, np.bool_)
        for phrase in concept.phrases:
            if len(phrase) > self.longest:
                raise InputError(f"{' '.join(phrase)!r} has more than {self.longest} words")
            found[list(self._photos.get(phrase, ()))] = True
        return found

    def relevant(self, query: Asked) -> NDArray[np.bool_]:
        """Which photos are relevant to `query`: (N,)."""
        found = self.shows(query.concepts[0])
        for one in query.concepts[1:]:
            found &= self.shows(one)
        for (name, photo), verdict in self.verdicts.items():
            if name == query.name:
                found[photo] = verdict
        return found

    def relevance(self, queries: Sequence[Asked]) -> NDArray[np.bool_]:
        """`relevant` of each query: (Q, N)."""
        rows = [self.relevant(query) for query in queries]
        return np.stack(rows) if rows else np.zeros((0, self.photos), np.bool_)


def _phrase(text: str) -> Phrase:
    return tuple(tokens(text, frozenset()))


def _phrases(words: Phrase, longest: int) -> Iterator[Phrase]:
    for length in range(1, longest + 1):
        for start in range(len(words) - length + 1):
            yield words[start : start + length]


def _forms(phrase: Phrase) -> Iterator[Phrase]:
    yield phrase
    for last in plurals(phrase[-1]):
        yield (*phrase[:-1], last)
