"""Doc2Vec learnt on the captions (Le & Mikolov 2014; Learning from web data, §4), by gensim.

The papers' numbers: 400 dimensions, window 8, 50 epochs, words seen fewer than 10 times left out. The
paper's text says the variant that is like CBOW (distributed memory, DM); its code used the bag of words
(DBOW), which `dbow=True` is. A text's vector is inferred from the words alone, by `inference`, as for a
text nobody has seen: what was learnt for the captions themselves is thrown away, or a caption and a query
would be read differently.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from cartolina.errors import InputError
from cartolina.progress import SILENT, Progress
from cartolina.text.contract import FORMAT, read_card, write_card
from cartolina.text.files import read_array, read_lines, readable, write_array, write_lines
from cartolina.text.inference import Paragraphs
from cartolina.text.learning import Captions, epoch_counter, gensim_for, known_words
from cartolina.text.settings import LearntSettings, rare
from cartolina.text.word_vectors import nearest_word, words_of

__all__ = ["Doc2Vec", "Doc2VecSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doc2VecSettings(LearntSettings):
    """How to learn, and how long to infer; the defaults are the papers' (see `settings.LearntSettings`)."""

    published_min_count: ClassVar[int] = 10

    dim: int = 400
    window: int = 8
    epochs: int = 50
    dbow: bool = False

    def scaled(self, words: int, texts: int) -> Self:
        """100 dimensions below a million words, and 100 epochs."""
        small = words < 1_000_000
        return replace(self, dim=100, epochs=100, min_count=rare(2, words)) if small else self


class Doc2Vec:
    """A model of texts rather than of words (see `contract.TextModel`)."""

    kind = "paragraphs"

    def __init__(self, settings: Doc2VecSettings | None = None, *, name: str = "doc2vec") -> None:
        self.settings = settings or Doc2VecSettings()
        self.name = name
        self.dim = self.settings.dim
        self.language = "the captions' own"
        self.words: list[str] = []
        self.paragraphs: Paragraphs | None = None

    def fit(self, texts: Iterable[str], progress: Progress = SILENT) -> Self:
        """Learn from the captions; what was learnt before is forgotten."""
        models = gensim_for("learning Doc2Vec", "gensim.models.doc2vec")
        captions = Captions.read(texts, "doc2vec")
        settings = self.settings.for_corpus(captions.words, len(captions.texts))
        model = models.Doc2Vec(
            vector_size=settings.dim,
            window=settings.window,
            min_count=settings.min_count,
            dm=int(not settings.dbow),
            seed=settings.seed,
            workers=settings.workers,
        )
        documents = [models.TaggedDocument(words, [row]) for row, words in enumerate(captions.sentences)]
        model.build_vocab(documents)
        self.words = known_words(model, captions, settings.min_count)
        with progress.task(self.name, settings.epochs, "epochs") as step:
            model.train(
                documents,
                total_examples=model.corpus_count,
                epochs=settings.epochs,
                callbacks=[epoch_counter(step)],
            )
        self.__dict__.pop("rows", None)
        self.dim = settings.dim
        self.paragraphs = Paragraphs(
            hidden=np.array(model.syn1neg, np.float32),
            vectors=None if settings.dbow else np.array(model.wv.vectors, np.float32),
            counts=np.array([model.wv.get_vecattr(word, "count") for word in self.words], np.int64),
            window=settings.window,
            epochs=settings.epochs,
        )
        return self

    @property
    def vocabulary(self) -> list[str]:
        """The words it knows, most frequent first."""
        return self.words

    @cached_property
    def rows(self) -> dict[str, int]:
        """Each word's row."""
        return {word: row for row, word in enumerate(self.words)}

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """What is inferred of each text: (N, dim) float32, zeros where no word is known."""
        known = [[self.rows[word] for word in words_of(text) if word in self.rows] for text in texts]
        return self._learnt().infer([np.array(rows, np.int64) for rows in known])

    def unknown(self, text: str) -> list[str]:
        """The words of `text` it has not learnt, once each, in order; stop words do not count."""
        return [word for word in dict.fromkeys(words_of(text)) if word not in self.rows]

    def nearest(self, word: str) -> str | None:
        """The known word spelt most like `word`, or None."""
        return nearest_word(word, self.words)

    def save(self, folder: Path) -> None:
        """Write words.txt, counts.npy, hidden.npy, vectors.npy (DM only) and text.json into `folder`."""
        learnt = self._learnt()
        folder.mkdir(parents=True, exist_ok=True)
        write_lines(folder / "words.txt", self.words)
        write_array(folder / "counts.npy", learnt.counts)
        write_array(folder / "hidden.npy", learnt.hidden)
        if learnt.vectors is not None:
            write_array(folder / "vectors.npy", learnt.vectors)
        write_card(
            folder,
            {
                "format": FORMAT,
                "kind": self.kind,
                "name": self.name,
                "dim": self.dim,
                "language": self.language,
                "words": len(self.words),
                "dbow": learnt.vectors is None,
                "window": learnt.window,
                "epochs": learnt.epochs,
            },
        )

    @classmethod
    def load(cls, folder: Path) -> Doc2Vec:
        """Open a folder that `save` wrote; the matrices stay on disk until they are asked for."""
        card = read_card(folder)
        with readable(folder, "the Doc2Vec model"):
            model = cls(
                Doc2VecSettings(
                    dim=card["dim"], window=card["window"], epochs=card["epochs"], dbow=card["dbow"]
                ),
                name=card["name"],
            )
            model.language = card["language"]
            model.words = read_lines(folder / "words.txt")
            model.paragraphs = Paragraphs(
                hidden=read_array(folder / "hidden.npy"),
                vectors=None if card["dbow"] else read_array(folder / "vectors.npy"),
                counts=np.array(read_array(folder / "counts.npy")),
                window=card["window"],
                epochs=card["epochs"],
            )
        matrices = [model.paragraphs.hidden, model.paragraphs.vectors]
        shapes = {matrix.shape for matrix in matrices if matrix is not None}
        if shapes != {(len(model.words), model.dim)} or len(model.paragraphs.counts) != len(model.words):
            raise InputError(
                f"the Doc2Vec model in {folder} does not fit together: {len(model.words)} words, "
                f"matrices of shape {', '.join(map(str, sorted(shapes)))}"
            )
        return model

    def _learnt(self) -> Paragraphs:
        if self.paragraphs is None:
            raise InputError(f"{self.name!r} has learnt no words yet: call fit(captions) first")
        return self.paragraphs
