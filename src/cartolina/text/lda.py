"""Topics learnt on the captions: latent Dirichlet allocation (Blei et al. 2003; seed 002; seed 003, §4), by
gensim.

The papers' numbers: 200 topics (or 400), one pass over the captions, 5,000 of them at a time, words seen 20
times or fewer left out, English words stemmed (Porter). A text's vector is how much of it each topic has:
the rows sum to 1, and a topic is a list of words that a person can read. As in seed 002 a query of several
words is the mean of its words' topics (`embed_queries`), while a caption is read as one text (`embed`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from cartolina.errors import InputError
from cartolina.progress import SILENT, Progress, Step
from cartolina.text.contract import FORMAT, read_card, write_card
from cartolina.text.dirichlet import topics_of
from cartolina.text.files import read_array, read_lines, readable, write_array, write_lines
from cartolina.text.learning import Captions, gensim_for
from cartolina.text.porter import stem
from cartolina.text.settings import LearntSettings, rare
from cartolina.text.word_vectors import nearest_word, words_of

__all__ = ["Lda", "LdaSettings", "Share", "Topic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LdaSettings(LearntSettings):
    """How to learn; the defaults are the papers' (see `settings.LearntSettings`)."""

    published_min_count: ClassVar[int] = 21  # words seen 20 times or fewer go

    topics: int = 200
    passes: int = 1
    chunk: int = 5_000

    def scaled(self, words: int, texts: int) -> Self:
        """A topic for 300 texts, 10 to 200 of them, and passes enough for 300 updates.

        The papers' one pass over 800,000 captions makes 160; over 30,000 it would make six.
        """
        chunk = min(self.chunk, max(100, texts // 30))
        passes = min(50, max(1, -(-300 * chunk // max(texts, 1))))
        return replace(
            self, topics=min(200, max(10, texts // 300)), chunk=chunk, passes=passes, min_count=rare(5, words)
        )


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic: its likeliest words, each with its probability, and its share of all words."""

    number: int
    words: tuple[tuple[str, float], ...]
    share: float


@dataclass(frozen=True, slots=True)
class Share:
    """How much of a text a topic has."""

    topic: int
    share: float


class Lda:
    """A text model whose dimensions are topics (see `contract.TextModel`).

    With `scale=True` in its settings, `dim` is known once `fit` has seen the captions.
    """

    kind = "topics"

    def __init__(self, settings: LdaSettings | None = None, *, name: str = "lda") -> None:
        self.settings = settings or LdaSettings()
        self.name = name
        self.dim = self.settings.topics
        self.language = "the captions' own, stemmed as English"
        self.stems: list[str] = []
        self.forms: list[str] = []  # of each stem the form that the captions have most
        self.weights: NDArray[np.float32] = np.zeros((0, self.dim), np.float32)
        self.totals: NDArray[np.float32] = np.zeros(self.dim, np.float32)
        self.alpha: NDArray[np.float32] = np.zeros(self.dim, np.float32)

    def fit(self, texts: Iterable[str], progress: Progress = SILENT) -> Self:
        """Learn the topics; what was learnt before is forgotten."""
        models = gensim_for("learning topics")
        captions = Captions.read(texts, "lda")
        settings = self.settings.for_corpus(captions.words, len(captions.texts))
        forms = Counter(word for sentence in captions.sentences for word in sentence)
        counts: Counter[str] = Counter()
        shown: dict[str, str] = {}
        for word, count in forms.most_common():
            counts[stem(word)] += count
            shown.setdefault(stem(word), word)
        kept = [one for one, count in counts.most_common() if count >= (settings.min_count or 1)]
        if not kept:
            raise InputError(
                f"no word of the {len(captions.texts)} captions is seen {settings.min_count} times: "
                "set a lower min_count"
            )
        self.stems, self.forms = kept, [shown[one] for one in kept]
        self.__dict__.pop("rows", None)
        documents = [
            sorted(Counter(self._rows(words)).items()) for words in captions.sentences if self._rows(words)
        ]
        shared = {
            "id2word": dict(enumerate(kept)), "num_topics": settings.topics, "chunksize": settings.chunk,
            "passes": settings.passes, "random_state": settings.seed, "eval_every": None, "dtype": np.float32,
        }  # fmt: skip
        with progress.task(self.name, settings.passes * len(documents), "texts") as step:
            corpus = _Counted(documents, step)
            if settings.workers > 1:
                model = models.LdaMulticore(corpus, workers=settings.workers, **shared)
            else:
                model = models.LdaModel(corpus, **shared)
        self.dim = settings.topics
        self.weights = np.ascontiguousarray(model.state.get_lambda().T, np.float32)  # (V, K)
        self.totals = self.weights.sum(axis=0)
        self.alpha = np.array(model.alpha, np.float32)
        return self

    @property
    def vocabulary(self) -> list[str]:
        """The words it knows, most frequent first; of several with one stem the most frequent."""
        return self.forms

    @cached_property
    def rows(self) -> dict[str, int]:
        """Each stem's row."""
        return {word: row for row, word in enumerate(self.stems)}

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """How much of each text each topic has: (N, dim) float32; zeros where no word is known."""
        self._check_learnt()
        known = [np.array(self._rows(words_of(text)), np.int64) for text in texts]
        return topics_of(known, self.weights, self.totals, self.alpha)

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The mean of the topics of a query's words: (N, dim) float32; zeros where no word is known."""
        self._check_learnt()
        queries = [self._rows(words_of(text)) for text in texts]
        distinct = sorted({row for rows in queries for row in rows})
        places = {row: place for place, row in enumerate(distinct)}
        alone = topics_of(
            [np.array([row], np.int64) for row in distinct], self.weights, self.totals, self.alpha
        )
        means = np.zeros((len(texts), self.dim), np.float32)
        for place, rows in enumerate(queries):
            if rows:
                means[place] = alone[[places[row] for row in rows]].mean(axis=0)
        return means

    def topics(self, words: int = 10) -> list[Topic]:
        """Every topic with its likeliest `words`, the one that has most of the captions first.

        Words never seen in a topic are not its own, however few it has: all have the prior's weight.
        """
        self._check_learnt()
        words = min(words, len(self.stems))
        shares = self.totals / self.totals.sum()
        found = []
        for number in np.argsort(-shares, kind="stable"):
            column = self.weights[:, number]
            best = np.argsort(-column, kind="stable")[:words]
            best = best[column[best] > 2 * column.min()]
            of_topic = tuple((self.forms[row], float(column[row] / self.totals[number])) for row in best)
            found.append(Topic(int(number), of_topic, float(shares[number])))
        return found

    def topics_of(self, text: str, most: int = 5) -> list[Share]:
        """The topics that have most of a text or of a word, falling; empty where no word is known."""
        shares = self.embed([text])[0]
        best = np.argsort(-shares, kind="stable")[:most]
        return [Share(int(number), float(shares[number])) for number in best if shares[number] > 0]

    def unknown(self, text: str) -> list[str]:
        """The words of `text` whose stem it has not learnt, once each, in order; stop words do not count."""
        return [word for word in dict.fromkeys(words_of(text)) if stem(word) not in self.rows]

    def nearest(self, word: str) -> str | None:
        """The known word spelt most like `word`, or None."""
        return nearest_word(word, self.forms)

    def save(self, folder: Path) -> None:
        """Write words.txt (stems), forms.txt, lambda.npy (V, K), alpha.npy and text.json into `folder`."""
        self._check_learnt()
        folder.mkdir(parents=True, exist_ok=True)
        write_lines(folder / "words.txt", self.stems)
        write_lines(folder / "forms.txt", self.forms)
        write_array(folder / "lambda.npy", self.weights)
        write_array(folder / "totals.npy", self.totals)
        write_array(folder / "alpha.npy", self.alpha)
        write_card(
            folder,
            {
                "format": FORMAT,
                "kind": self.kind,
                "name": self.name,
                "dim": self.dim,
                "language": self.language,
                "words": len(self.stems),
            },
        )

    @classmethod
    def load(cls, folder: Path) -> Lda:
        """Open a folder that `save` wrote; λ stays on disk until it is asked for."""
        card = read_card(folder)
        with readable(folder, "the topics"):
            model = cls(replace(LdaSettings(), topics=card["dim"]), name=card["name"])
            model.language = card["language"]
            model.stems, model.forms = read_lines(folder / "words.txt"), read_lines(folder / "forms.txt")
            model.weights = read_array(folder / "lambda.npy")
            model.totals = np.array(read_array(folder / "totals.npy"))
            model.alpha = np.array(read_array(folder / "alpha.npy"))
        words = len(model.stems)
        if (
            model.weights.shape != (words, model.dim)
            or len(model.forms) != words
            or not model.totals.shape == model.alpha.shape == (model.dim,)
        ):
            raise InputError(
                f"the topics in {folder} do not fit together: {words} words, λ of shape {model.weights.shape}"
            )
        return model

    def _rows(self, words: Sequence[str]) -> list[int]:
        """The rows of the words whose stems are known, in order."""
        return [row for word in words if (row := self.rows.get(stem(word))) is not None]

    def _check_learnt(self) -> None:
        if not self.stems:
            raise InputError(f"{self.name!r} has learnt no words yet: call fit(captions) first")


class _Counted:
    """Documents that tell how far gensim has come through them, pass after pass."""

    def __init__(self, documents: list[Any], step: Step) -> None:
        self.documents = documents
        self.step = step

    def __len__(self) -> int:
        return len(self.documents)

    def __iter__(self) -> Iterator[Any]:
        for document in self.documents:
            yield document
            self.step.advance()
