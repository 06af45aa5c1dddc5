"""The words whose φ points where another's does: nearest words, and analogies ("paris − france + italy").

>>> terms = [(1, "paris"), (-1, "france"), (1, "italy")]
>>> Neighbours.of(model).nearest(combined(model, terms), k=1)   # doctest: +SKIP
[('rome', 0.847)]

Everything is asked of φ itself, a word being a text of one word: what a model puts near each other here is
what a search finds near each other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from cartolina.errors import InputError
from cartolina.text.contract import TextModel
from cartolina.text.word_vectors import WordVectors

__all__ = ["Neighbours", "combined", "vocabulary_of"]

AT_A_TIME = 4096


@runtime_checkable
class _HasWords(Protocol):
    @property
    def vocabulary(self) -> list[str]:
        """The words it knows, most frequent first."""


def vocabulary_of(model: TextModel) -> list[str] | None:
    """The words a model knows, most frequent first; None for one that reads words in pieces."""
    return model.vocabulary if isinstance(model, _HasWords) else None


@dataclass(frozen=True, slots=True)
class Neighbours:
    """`words` and their `vectors` (V, D) float32, unit rows."""

    words: list[str]
    vectors: NDArray[np.float32]

    @classmethod
    def of(cls, model: TextModel, among: Sequence[str] | None = None) -> Neighbours:
        """The neighbours in a model's own vocabulary, or `among` other words; those without a vector are left
        out.

        Raises `InputError` for a model that has no list of words, where none is given.
        """
        words = list(among) if among is not None else vocabulary_of(model)
        if words is None:
            raise InputError(
                f"{model.name!r} reads words in pieces and has no list of them: say among which words to look"
            )
        vectors = _vectors(model, words, own=among is None)
        lengths = np.linalg.norm(vectors, axis=1)
        some = np.flatnonzero(lengths > 0)
        return cls([words[row] for row in some], vectors[some] / lengths[some, None])

    def nearest(
        self, vector: NDArray[np.float32], k: int = 10, without: Collection[str] = ()
    ) -> list[tuple[str, float]]:
        """The `k` words with the largest cosine to `vector` (D,), falling; equals in the order of `words`."""
        length = float(np.linalg.norm(vector))
        if not length:
            return []
        cosines = self.vectors @ (vector / np.float32(length))
        order = np.argsort(-cosines, kind="stable")[: k + len(without)]
        found = [(self.words[row], float(cosines[row])) for row in order if self.words[row] not in without]
        return found[:k]


def _vectors(model: TextModel, words: list[str], *, own: bool) -> NDArray[np.float32]:
    """φ of each word, (V, D), some of them longer or shorter than φ is."""
    if own and isinstance(
        model, WordVectors
    ):  # one word's φ is its vector, and 336,000 texts would take long
        told = model.idf[:, None] > 0 if model.pooling == "tf-idf" and model.idf is not None else True
        return np.asarray(np.where(told, model.vectors, 0), np.float32)
    parts = [model.embed(words[start : start + AT_A_TIME]) for start in range(0, len(words), AT_A_TIME)]
    return np.concatenate(parts) if parts else np.zeros((0, model.dim), np.float32)


def combined(model: TextModel, terms: Sequence[tuple[float, str]]) -> NDArray[np.float32]:
    """Σ weight × φ(text) / ‖φ(text)‖: (D,) float32; raises `InputError` where no word of a text is known."""
    total = np.zeros(model.dim, np.float32)
    for weight, text in terms:
        phi = model.embed([text])[0]
        length = np.linalg.norm(phi)
        if not length:
            suggestion = next((near for word in model.unknown(text) if (near := model.nearest(word))), None)
            hint = f": did you mean {suggestion!r}?" if suggestion else ""
            raise InputError(f"{model.name!r} knows no word of {text!r}{hint}")
        total += np.float32(weight) * phi / np.float32(length)
    return total
