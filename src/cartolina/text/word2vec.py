"""Word2Vec learnt on the captions themselves (Mikolov et al. 2013; Learning from web data, §3.1), by gensim.

The papers' numbers: CBOW, 400 dimensions, window 8, 25 epochs, words seen fewer than 5 times left out.
Deviation: in a corpus under 50,000 words the count asked for falls in proportion (10,000 words: 1), or a
small album would know none of its words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from cartolina.errors import InputError, require
from cartolina.progress import SILENT, Progress, Step
from cartolina.text.pooling import Pooling
from cartolina.text.tokens import tokens
from cartolina.text.word_vectors import WordVectors

__all__ = ["Word2Vec", "Word2VecSettings"]

WORDS_PER_COUNT = 10_000
"""A corpus must be this many words long for each time a word has to be seen in it."""


@dataclass(frozen=True, slots=True)
class Word2VecSettings:
    """How to learn; the defaults are the papers'.

    With `workers=1` the same texts and `seed` give the same vectors, bit for bit; more workers are faster,
    and then no two runs are the same. `min_count=None` is the papers' 5, or less for a tiny corpus.
    """

    dim: int = 400
    window: int = 8
    epochs: int = 25
    min_count: int | None = None
    skip_gram: bool = False
    seed: int = 0
    workers: int = 1


class Word2Vec(WordVectors):
    """Word vectors that `fit` learns from the captions. A saved one loads as plain `WordVectors`."""

    def __init__(self, settings: Word2VecSettings | None = None, *, pooling: Pooling = "mean") -> None:
        self.settings = settings or Word2VecSettings()
        super().__init__("word2vec", [], np.zeros((0, self.settings.dim), np.float32), pooling=pooling)

    def fit(self, texts: Iterable[str], progress: Progress = SILENT) -> Self:
        """Learn the vectors, then how telling each word is; what was learnt before is forgotten."""
        require("gensim", "learning word vectors", "pip install 'cartolina[text]'")
        from gensim.models import Word2Vec as Gensim

        texts = list(texts)
        sentences = [words for text in texts if (words := tokens(text))]
        min_count = self.settings.min_count or _min_count(sum(map(len, sentences)))
        if not sentences:
            raise InputError(f"word2vec learns from captions, and the {len(texts)} given hold no words")
        model = Gensim(
            vector_size=self.settings.dim,
            window=self.settings.window,
            min_count=min_count,
            sg=int(self.settings.skip_gram),
            seed=self.settings.seed,
            workers=self.settings.workers,
        )
        model.build_vocab(sentences)
        if not model.wv.index_to_key:
            raise InputError(
                f"no word of the {len(texts)} captions is seen {min_count} times: set a lower min_count"
            )
        with progress.task("word2vec", self.settings.epochs, "epochs") as step:
            model.train(
                sentences,
                total_examples=model.corpus_count,
                epochs=self.settings.epochs,
                callbacks=[_epoch_counter(step)],
            )
        self.words = list(model.wv.index_to_key)
        self.vectors = np.ascontiguousarray(model.wv.vectors, dtype=np.float32)
        self.__dict__.pop("rows", None)  # computed once per vocabulary, and this is a new one
        return super().fit(texts, progress)


def _min_count(words: int) -> int:
    """The papers' 5, or less for fewer than 50,000 `words`."""
    return min(5, max(1, words // WORDS_PER_COUNT))


def _epoch_counter(step: Step) -> Any:  # noqa: ANN401  (gensim's own type, not imported at the top)
    from gensim.models.callbacks import CallbackAny2Vec

    class EpochCounter(CallbackAny2Vec):  # type: ignore[misc]
        def on_epoch_end(self, model: object) -> None:
            step.advance()

    return EpochCounter()
