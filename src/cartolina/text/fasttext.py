"""FastText learnt on the captions (Bojanowski et al. 2017; Learning from web data, §4), by gensim.

Word2Vec's numbers (400 dimensions, window 8, 25 epochs, words seen fewer than 5 times left out), skip-gram as
the paper's text says, and FastText's own: n-grams of 3 to 6 characters in 2,000,000 buckets.

gensim keeps a vector for every bucket, 3.2 GB at 400 dimensions, of which the words of a corpus touch a few
per cent. Only those are given to it, each with the random numbers it would have begun with: what is learnt is
the same, bit for bit (a test compares the two), in a tenth of the memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cartolina.errors import InputError
from cartolina.progress import SILENT, Progress
from cartolina.text.learning import Captions, epoch_counter, gensim_for, known_words
from cartolina.text.ngrams import ngram_buckets
from cartolina.text.pooling import Pooling
from cartolina.text.subwords import Subwords
from cartolina.text.word2vec import Word2VecSettings

__all__ = ["FastText", "FastTextSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FastTextSettings(Word2VecSettings):
    """How to learn; the defaults are the papers' (see `settings.LearntSettings`)."""

    skip_gram: bool = True
    min_n: int = 3
    max_n: int = 6
    buckets: int = 2_000_000


class FastText(Subwords):
    """Words and n-grams that `fit` learns from the captions. A saved one loads as `Subwords`."""

    def __init__(
        self,
        settings: FastTextSettings | None = None,
        *,
        pooling: Pooling = "mean",
        name: str = "fasttext",
    ) -> None:
        self.settings = settings or FastTextSettings()
        if self.settings.max_n < self.settings.min_n:
            raise InputError(
                f"n-grams of {self.settings.min_n} to {self.settings.max_n} characters are none: "
                "min_n must not be above max_n"
            )
        nothing = np.zeros((0, self.settings.dim), np.float32)
        super().__init__(
            name,
            [],
            nothing,
            ngrams=nothing,
            numbers=np.zeros(0, np.uint32),
            buckets=self.settings.buckets,
            shortest=self.settings.min_n,
            longest=self.settings.max_n,
            pooling=pooling,
        )

    def fit(self, texts: Iterable[str], progress: Progress = SILENT) -> Self:
        """Learn words and n-grams, then how telling each word is; what was learnt before is forgotten."""
        models = gensim_for("learning word vectors")
        captions = Captions.read(texts, "fasttext")
        settings = self.settings.for_corpus(captions.words, len(captions.texts))
        model = models.FastText(
            vector_size=settings.dim,
            window=settings.window,
            min_count=settings.min_count,
            sg=int(settings.skip_gram),
            seed=settings.seed,
            workers=settings.workers,
            min_n=settings.min_n,
            max_n=settings.max_n,
            bucket=1,  # gensim's own table, replaced below
        )
        model.build_vocab(captions.sentences)
        words = known_words(model, captions, settings.min_count)
        of_words = [ngram_buckets(word, settings.buckets, settings.min_n, settings.max_n) for word in words]
        numbers = np.unique(np.concatenate([np.array(one, np.uint32) for one in of_words]))
        if not numbers.size:
            raise InputError(f"no word of the captions has n-grams of {settings.min_n} characters")
        model.wv.bucket = len(numbers)
        model.wv.buckets_word = [np.searchsorted(numbers, one).astype(np.uint32) for one in of_words]
        model.wv.vectors_ngrams = initial_rows(numbers, settings.dim, settings.seed + 1)
        with progress.task(self.name, settings.epochs, "epochs") as step:
            model.train(
                captions.sentences,
                total_examples=model.corpus_count,
                epochs=settings.epochs,
                callbacks=[epoch_counter(step)],
            )
        self.learnt(words, model.wv.vectors)
        self.ngrams = np.ascontiguousarray(model.wv.vectors_ngrams, dtype=np.float32)
        self.numbers, self.buckets = numbers, settings.buckets
        return super().fit(captions.texts, progress)


def initial_rows(numbers: NDArray[np.uint32], dim: int, seed: int) -> NDArray[np.float32]:
    """Rows `numbers` (ascending) of a (buckets, dim) matrix as gensim draws it: uniform within 1 / `dim`.

    The generator jumps from row to row, so that the others are never drawn.
    """
    rows = np.empty((len(numbers), dim), np.float32)
    bits = np.random.PCG64(seed)
    generator = np.random.Generator(bits)
    at = 0  # in draws of 64 bits, each of which gives two numbers of 32
    for place, number in enumerate(numbers.tolist()):
        first, odd = divmod(number * dim, 2)
        bits.advance(first - at)  # which forgets half a draw that is left over
        rows[place] = generator.random(dim + odd, dtype=np.float32)[odd:]
        at = first + (dim + odd + 1) // 2
    rows *= 2.0
    rows -= 1.0
    rows /= dim
    return rows
