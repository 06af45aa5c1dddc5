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
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cartolina import durable
from cartolina.errors import InputError, UnknownName
from cartolina.progress import SILENT, Progress
from cartolina.text.contract import FORMAT, read_card, write_card
from cartolina.text.pooling import POOLINGS, Pooling, inverse_document_frequency, pool
from cartolina.text.spelling import nearest_spelling
from cartolina.text.tokens import tokens

__all__ = ["WordVectors"]


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
        self._check_learnt()
        if self.idf is None and self.pooling == "tf-idf":
            raise InputError(
                f"tf-idf pooling weighs words by the captions, and {self.name!r} has seen none: "
                "call fit(captions) first, or pool by 'mean'"
            )
        idf = np.ones(len(self.words), np.float32) if self.idf is None else self.idf
        return pool(self.vectors, [self._rows_of(text) for text in texts], self.pooling, idf)

    def unknown(self, text: str) -> list[str]:
        """The words of `text` without a vector, once each, in order; stop words do not count."""
        return [word for word in dict.fromkeys(_words(text)) if word not in self.rows]

    def nearest(self, word: str) -> str | None:
        """The known word spelt most like `word`, or None."""
        cut = _words(word)
        return nearest_spelling(cut[0], self.words) if len(cut) == 1 else None

    def save(self, folder: Path) -> None:
        """Write words.txt, vectors.npy, idf.npy (once fitted) and text.json into `folder`."""
        self._check_learnt()
        folder.mkdir(parents=True, exist_ok=True)
        durable.write_bytes(folder / "words.txt", "\n".join(self.words).encode())
        arrays = {"vectors": self.vectors} if self.idf is None else {"vectors": self.vectors, "idf": self.idf}
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", array)
            durable.fsync_file(folder / f"{name}.npy")
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
            },
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
        try:
            words = (folder / "words.txt").read_text(encoding="utf-8").split("\n")
            vectors = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
            idf = np.load(folder / "idf.npy", allow_pickle=False) if card["fitted"] else None
        except (OSError, ValueError) as error:
            raise InputError(f"the word vectors in {folder} cannot be read: {error}") from error
        if vectors.shape != (len(words), card["dim"]) or (idf is not None and idf.shape != (len(words),)):
            raise InputError(
                f"the word vectors in {folder} do not fit together: {len(words)} words, vectors of shape "
                f"{vectors.shape}"
            )
        return WordVectors(
            card["name"], words, vectors, idf=idf, pooling=card["pooling"], language=card["language"]
        )

    def _check_learnt(self) -> None:
        if not self.words:
            raise InputError(f"{self.name!r} has learnt no words yet: call fit(captions) first")

    def _rows_of(self, text: str) -> NDArray[np.int64]:
        known = (self.rows.get(word) for word in _words(text))
        return np.array([row for row in known if row is not None], np.int64)


def _words(text: str) -> list[str]:
    """The words of a text; one of stop words alone keeps them: better a vague answer than none."""
    return tokens(text) or tokens(text, stop_words=frozenset())
