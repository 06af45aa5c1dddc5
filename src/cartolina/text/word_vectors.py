"""Word vectors as an album carries them: a list of words, a memory-mapped matrix, and the weights of tf-idf.

>>> model = WordVectors("toy", ["sea", "sand"], np.eye(2, dtype=np.float32))
>>> model.embed(["The sea, the sea!", "sand by the sea"])
array([[1. , 0. ],
       [0.5, 0.5]], dtype=float32)
>>> model.unknown("A lighthouse by the sea")
['lighthouse']
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cartolina import durable
from cartolina.errors import InputError, UnknownName
from cartolina.progress import SILENT, Progress
from cartolina.text.contract import FORMAT, Card, read_card, write_card
from cartolina.text.files import read_array, read_lines, readable, write_array, write_lines
from cartolina.text.pooling import POOLINGS, Pooling, inverse_document_frequency, pool
from cartolina.text.spelling import nearest_spelling
from cartolina.text.tokens import tokens

__all__ = ["WordVectors", "nearest_word", "words_of"]


class WordVectors:
    """A text model that pools the vectors of a text's words (see `contract.TextModel`).

    `words` (V of them, distinct, as `tokens` cuts them, most frequent first), `vectors` (V, dim) float32,
    `idf` (V,) float32 or None until `fit` has seen the captions ("tf-idf" needs it, "mean" and "sum" do not).
    """

    kind = "words"

    def __init__(
        self,
        name: str,
        words: list[str],
        vectors: NDArray[np.float32],
        *,
        idf: NDArray[np.float32] | None = None,
        pooling: Pooling = "mean",
        language: str = "the captions' own",
    ) -> None:
        if pooling not in POOLINGS:
            raise UnknownName("pooling", pooling, POOLINGS)
        self.name = name
        self.words = words
        self.vectors = vectors
        self.idf = idf
        self.pooling: Pooling = pooling
        self.language = language
        self.dim = vectors.shape[1]

    def learnt(self, words: list[str], vectors: NDArray[np.float32]) -> None:
        """Take another vocabulary and its vectors, for families that learn them in `fit`."""
        self.words = words
        self.vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        self.dim = self.vectors.shape[1]
        self.idf = None
        self.__dict__.pop("rows", None)  # computed once per vocabulary, and this is a new one

    @property
    def vocabulary(self) -> list[str]:
        """The words it knows, most frequent first."""
        return self.words

    @cached_property
    def rows(self) -> dict[str, int]:
        """Each word's row."""
        return {word: row for row, word in enumerate(self.words)}

    def fit(self, texts: Iterable[str], progress: Progress = SILENT) -> Self:
        """Learn from `texts` how telling each word is (tf-idf); the vectors stay."""
        documents = [self._rows_of(text) for text in texts]
        self.idf = inverse_document_frequency(documents, len(self.words))
        return self

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The pooled vectors of the words known: (N, dim) float32, zeros where none is."""
        idf = self._weights()
        return pool(self.vectors, [self._rows_of(text) for text in texts], self.pooling, idf)

    def unknown(self, text: str) -> list[str]:
        """The words of `text` without a vector, once each, in order; stop words do not count."""
        return [word for word in dict.fromkeys(words_of(text)) if word not in self.rows]

    def nearest(self, word: str) -> str | None:
        """The known word spelt most like `word`, or None."""
        return nearest_word(word, self.words)

    def save(self, folder: Path) -> None:
        """Write words.txt, vectors.npy, idf.npy (once fitted) and text.json into `folder`."""
        self._check_learnt()
        folder.mkdir(parents=True, exist_ok=True)
        write_lines(folder / "words.txt", self.words)
        arrays = {"vectors": self.vectors} if self.idf is None else {"vectors": self.vectors, "idf": self.idf}
        for name, array in (arrays | self._more_arrays()).items():
            write_array(folder / f"{name}.npy", array)
        write_card(
            folder,
            {
                "format": FORMAT,
                "kind": self.kind,
                "name": self.name,
                "dim": self.dim,
                "language": self.language,
                "pooling": self.pooling,
                "words": len(self.words),
                "fitted": self.idf is not None,
            }
            | self._more_card(),
        )

    def save_text(self, path: Path) -> None:
        """Write the vectors as GloVe's tools do: a word and its numbers a line, which read as they were."""
        self._check_learnt()
        staged = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            with staged.open("w", encoding="utf-8", newline="\n") as file:
                for word, vector in zip(self.words, self.vectors, strict=True):
                    file.write(f"{word} {' '.join(vector.astype(np.str_).tolist())}\n")
            durable.fsync_file(staged)
            staged.replace(path)
        finally:
            staged.unlink(missing_ok=True)

    @classmethod
    def load(cls, folder: Path) -> WordVectors:
        """Open a folder that `save` wrote; the vectors stay on disk until they are asked for."""
        card = read_card(folder)
        with readable(folder, "the word vectors"):
            words = read_lines(folder / "words.txt")
            vectors = read_array(folder / "vectors.npy")
            idf = np.array(read_array(folder / "idf.npy")) if card["fitted"] else None
        if vectors.shape != (len(words), card["dim"]) or (idf is not None and idf.shape != (len(words),)):
            raise InputError(
                f"the word vectors in {folder} do not fit together: {len(words)} words, vectors of shape "
                f"{vectors.shape}"
            )
        return cls._opened(card, folder, words, vectors, idf)

    @classmethod
    def _opened(
        cls,
        card: Card,
        folder: Path,
        words: list[str],
        vectors: NDArray[np.float32],
        idf: NDArray[np.float32] | None,
    ) -> WordVectors:
        """What `load` read, as a model; a kind of its own reads the rest of its folder here."""
        return WordVectors(
            card["name"], words, vectors, idf=idf, pooling=card["pooling"], language=card["language"]
        )

    def _more_arrays(self) -> dict[str, NDArray[Any]]:
        """What a kind of its own saves beside the vectors, by the files' names."""
        return {}

    def _more_card(self) -> Card:
        """What a kind of its own says in its card."""
        return {}

    def _weights(self) -> NDArray[np.float32]:
        """The idf of each word, ones where nothing is known of it and the pooling does not ask."""
        self._check_learnt()
        if self.idf is None and self.pooling == "tf-idf":
            raise InputError(
                f"tf-idf pooling weighs words by the captions, and {self.name!r} has seen none: "
                "call fit(captions) first, or pool by 'mean'"
            )
        return np.ones(len(self.words), np.float32) if self.idf is None else self.idf

    def _check_learnt(self) -> None:
        if not self.words:
            raise InputError(f"{self.name!r} has learnt no words yet: call fit(captions) first")

    def _rows_of(self, text: str) -> NDArray[np.int64]:
        known = (self.rows.get(word) for word in words_of(text))
        return np.array([row for row in known if row is not None], np.int64)


def nearest_word(word: str, vocabulary: Sequence[str]) -> str | None:
    """The word of `vocabulary` (most frequent first) spelt most like `word`, or None."""
    cut = words_of(word)
    return nearest_spelling(cut[0], vocabulary) if len(cut) == 1 else None


def words_of(text: str) -> list[str]:
    """The words of a text; one of stop words alone keeps them: better a vague answer than none."""
    return tokens(text) or tokens(text, stop_words=frozenset())
