"""Word2Vec learnt on the captions themselves (Mikolov et al. 2013; Learning from web data, §3.1), by gensim.

The papers' numbers: CBOW, 400 dimensions, window 8, 25 epochs, words seen fewer than 5 times left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from cartolina.progress import SILENT, Progress
from cartolina.text.learning import Captions, epoch_counter, gensim_for, known_words
from cartolina.text.pooling import Pooling
from cartolina.text.settings import LearntSettings, rare
from cartolina.text.word_vectors import WordVectors

__all__ = ["Word2Vec", "Word2VecSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Word2VecSettings(LearntSettings):
    """How to learn; the defaults are the papers' (see `settings.LearntSettings`)."""

    dim: int = 400
    window: int = 8
    epochs: int = 25
    skip_gram: bool = False

    def scaled(self, words: int, texts: int) -> Self:
        """100 dimensions below a million words; for CBOW up to 100 epochs, the more the fewer they are.

        Skip-gram learns from every pair of words, and has enough of them in 25.
        """
        if words >= 1_000_000:
            return self
        more = self.epochs if self.skip_gram else min(100, 20_000_000 // max(words, 1))
        return replace(self, dim=100, epochs=max(self.epochs, more), min_count=rare(2, words))


class Word2Vec(WordVectors):
    """Word vectors that `fit` learns from the captions. A saved one loads as plain `WordVectors`."""

    def __init__(
        self,
        settings: Word2VecSettings | None = None,
        *,
        pooling: Pooling = "mean",
        name: str = "word2vec",
    ) -> None:
        self.settings = settings or Word2VecSettings()
        super().__init__(name, [], np.zeros((0, self.settings.dim), np.float32), pooling=pooling)

    def fit(self, texts: Iterable[str], progress: Progress = SILENT) -> Self:
        """Learn the vectors, then how telling each word is; what was learnt before is forgotten."""
        models = gensim_for("learning word vectors")
        captions = Captions.read(texts, "word2vec")
        settings = self.settings.for_corpus(captions.words, len(captions.texts))
        model = models.Word2Vec(
            vector_size=settings.dim,
            window=settings.window,
            min_count=settings.min_count,
            sg=int(settings.skip_gram),
            seed=settings.seed,
            workers=settings.workers,
        )
        model.build_vocab(captions.sentences)
        words = known_words(model, captions, settings.min_count)
        with progress.task(self.name, settings.epochs, "epochs") as step:
            model.train(
                captions.sentences,
                total_examples=model.corpus_count,
                epochs=settings.epochs,
                callbacks=[epoch_counter(step)],
            )
        self.learnt(words, model.wv.vectors)
        return super().fit(captions.texts, progress)
