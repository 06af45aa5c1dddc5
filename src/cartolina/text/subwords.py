"""Word vectors with n-grams (FastText): a word that was never seen gets a vector from its pieces.

The vector of an unseen word is the sum of its n-grams' vectors over the number of its n-grams, as FastText
and gensim have it, except that an n-gram that no word of the captions has counts as nothing: gensim would
take the random numbers that its bucket began with. So a word that is hardly recognised weighs little, and one
of which no n-gram was ever seen is unknown, a row of zeros.

Only buckets that were learnt are kept, with their numbers, so that a folder holds a tenth of what 2,000,000
buckets would. Needs neither gensim nor FastText.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cartolina.errors import InputError
from cartolina.text.contract import Card
from cartolina.text.files import read_array, readable
from cartolina.text.ngrams import ngram_buckets
from cartolina.text.pooling import Pooling, weigh
from cartolina.text.word_vectors import WordVectors, words_of

__all__ = ["Subwords"]


class Subwords(WordVectors):
    """`WordVectors` that read words they never saw (see `contract.TextModel`).

    `ngrams` (M, dim) float32 are the vectors of the buckets `numbers` (M,), ascending, of `buckets` in all;
    an n-gram has `shortest` to `longest` characters.
    """

    kind = "subwords"

    def __init__(
        self,
        name: str,
        words: list[str],
        vectors: NDArray[np.float32],
        *,
        ngrams: NDArray[np.float32],
        numbers: NDArray[np.uint32],
        buckets: int,
        shortest: int = 3,
        longest: int = 6,
        idf: NDArray[np.float32] | None = None,
        pooling: Pooling = "mean",
        language: str = "the captions' own",
    ) -> None:
        super().__init__(name, words, vectors, idf=idf, pooling=pooling, language=language)
        self.ngrams = ngrams
        self.numbers = numbers
        self.buckets = buckets
        self.shortest = shortest
        self.longest = longest

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The pooled vectors of all words that can be read: (N, dim) float32, zeros where none can.

        In "tf-idf" a word that was never seen weighs as much as the rarest that was.
        """
        idf = self._weights()
        phi = super().embed(texts)
        rarest = idf.max()
        made: dict[str, NDArray[np.float32] | None] = {}
        for row, text in enumerate(texts):
            words = Counter(words_of(text))
            for word in words:
                if word not in self.rows and word not in made:
                    made[word] = self._from_ngrams(word)
            unseen = sorted(word for word in words if made.get(word) is not None)
            if not unseen:
                continue
            seen = sorted(self.rows[word] for word in words if word in self.rows)
            vectors = np.concatenate([self.vectors[seen], [made[word] for word in unseen]])
            weights = np.concatenate([idf[seen], np.full(len(unseen), rarest, np.float32)])
            counts = np.array([words[self.words[one]] for one in seen] + [words[one] for one in unseen])
            phi[row] = weigh(counts.astype(np.float32), weights, self.pooling) @ vectors
        return phi

    def unknown(self, text: str) -> list[str]:
        """The words of `text` of which no n-gram was ever seen, once each, in order."""
        return [word for word in super().unknown(text) if self._from_ngrams(word) is None]

    def _from_ngrams(self, word: str) -> NDArray[np.float32] | None:
        """The vector of an unseen word: (dim,) float32; None where its n-grams were not seen, either."""
        buckets = np.array(ngram_buckets(word, self.buckets, self.shortest, self.longest), np.uint32)
        places = np.searchsorted(self.numbers, buckets)
        places = places[self.numbers[np.minimum(places, len(self.numbers) - 1)] == buckets]
        if not places.size:
            return None
        total: NDArray[np.float32] = self.ngrams[places].sum(axis=0) / np.float32(len(buckets))
        return total

    def _more_arrays(self) -> dict[str, NDArray[Any]]:
        return {"ngrams": self.ngrams, "buckets": self.numbers}

    def _more_card(self) -> Card:
        return {"buckets": self.buckets, "ngram": [self.shortest, self.longest]}

    @classmethod
    def _opened(
        cls,
        card: Card,
        folder: Path,
        words: list[str],
        vectors: NDArray[np.float32],
        idf: NDArray[np.float32] | None,
    ) -> WordVectors:
        with readable(folder, "the n-grams"):
            ngrams, numbers = read_array(folder / "ngrams.npy"), np.array(read_array(folder / "buckets.npy"))
            shortest, longest = card["ngram"]
            buckets = card["buckets"]
        if ngrams.shape != (len(numbers), card["dim"]):
            raise InputError(
                f"the n-grams in {folder} do not fit together: {len(numbers)} buckets, vectors of shape "
                f"{ngrams.shape}"
            )
        return Subwords(
            card["name"], words, vectors,
            ngrams=ngrams, numbers=numbers, buckets=buckets, shortest=shortest, longest=longest,
            idf=idf, pooling=card["pooling"], language=card["language"],
        )  # fmt: skip
