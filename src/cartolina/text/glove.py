"""GloVe learnt on the texts themselves (Pennington, Socher & Manning 2014; Learning from web data, §3.1).

    J = Σ_ij f(X_ij) (w_i · w̃_j + b_i + b̃_j − log X_ij)²,    f(x) = min(1, (x / x_max)^α)

over all i, j with X_ij > 0 (`cooccurrence`), by AdaGrad on pairs in random order. A word's vector is w + w̃.
Vectors start evenly between ±1 / 2D, as word2vec's do (the paper says "random"), biases at 0, and AdaGrad's
sums at 1, so that the learning rate is what the first steps have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cartolina.errors import InputError, require
from cartolina.progress import SILENT, Progress
from cartolina.text.cooccurrence import MEMORY, CoOccurrences, count_cooccurrences, nonzeros
from cartolina.text.corpus import numbered
from cartolina.text.learning import TEXT
from cartolina.text.pooling import Pooling, inverse_document_frequency
from cartolina.text.settings import LearntSettings, rare
from cartolina.text.word_vectors import WordVectors

__all__ = ["GloVe", "GloVeSettings", "learn_glove", "rounds"]

LARGE = 1_000_000
"""Words from which on a corpus can bear the paper's numbers."""

BLOCK = 1 << 18
"""Pairs that are shuffled together and learnt from before progress is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GloVeSettings(LearntSettings):
    """How to learn; the defaults are the papers' (see `settings.LearntSettings`).

    The same texts, `seed` and number of `workers` give the same vectors on one machine, bit for bit: threads
    never have a word in common (`rounds`). `memory` is what counting may take, in bytes: beyond, it goes to
    disk, and the vectors stay the same.
    """

    dim: int = 400
    window: int = 10
    epochs: int = 30
    x_max: float = 100.0
    alpha: float = 0.75
    learning_rate: float = 0.05
    memory: int = MEMORY

    def scaled(self, words: int, texts: int) -> Self:
        """x_max 1 below a million words, where hardly a pair is seen 100 times and all would weigh little.

        By the paper's numbers a pair that is seen three times has f = .07.
        """
        return self if words >= LARGE else replace(self, x_max=1.0, min_count=rare(2, words))


class GloVe(WordVectors):
    """Word vectors that `fit` learns from the captions. A saved one loads as plain `WordVectors`.

    `losses` are the means of J's terms in each epoch, each taken when its pair was learnt from.
    """

    def __init__(
        self, settings: GloVeSettings | None = None, *, pooling: Pooling = "mean", name: str = "glove"
    ) -> None:
        self.settings = settings or GloVeSettings()
        self.losses: list[float] = []
        super().__init__(name, [], np.zeros((0, self.settings.dim), np.float32), pooling=pooling)

    def fit(self, texts: Iterable[str], progress: Progress = SILENT) -> Self:
        """Learn the vectors and how telling each word is, reading `texts` once; what was learnt is forgotten.

        Raises `InputError` where there is nothing to learn from, and where learning diverges.
        """
        require("numba", "learning GloVe vectors", TEXT)
        corpus = numbered(texts, progress)
        if not corpus.words:
            raise InputError(f"glove learns from captions, and the {corpus.texts} given hold no words")
        settings = self.settings.for_corpus(corpus.length, corpus.texts)
        min_count = settings.min_count or 1
        corpus = corpus.without_rare(min_count)
        if not corpus.words:
            raise InputError(
                f"no word of the {corpus.texts} captions is seen {min_count} times: set a lower min_count"
            )
        cooccurrences = count_cooccurrences(
            corpus.numbers,
            len(corpus.words),
            settings.window,
            workers=settings.workers,
            memory=settings.memory,
            progress=progress,
        )
        if not len(cooccurrences.records):
            raise InputError(
                f"glove learns from words that stand together, and none of the {corpus.texts} captions has "
                f"two of the {len(corpus.words)} words that are seen {min_count} times or more"
            )
        vectors, self.losses = learn_glove(cooccurrences, settings, progress)
        self.learnt(corpus.words, vectors)
        self.idf = inverse_document_frequency(corpus.documents(), len(corpus.words))
        return self


def learn_glove(
    cooccurrences: CoOccurrences, settings: GloVeSettings, progress: Progress = SILENT
) -> tuple[NDArray[np.float32], list[float]]:
    """The vectors w + w̃ (size, dim) float32, and the mean of J's terms in each epoch."""
    rng = np.random.default_rng(settings.seed)
    rows, biases = _start(cooccurrences.size, settings.dim, rng)
    turns = _Turns.of(cooccurrences.size, settings.workers, rng)
    losses: list[float] = []
    total = cooccurrences.nonzeros
    with (
        progress.task(f"glove, {settings.epochs} epochs", settings.epochs * total, "non-zeros") as step,
        ThreadPoolExecutor(settings.workers) as threads,
    ):
        for epoch in range(1, settings.epochs + 1):
            loss = 0.0
            for block in _blocks(cooccurrences.records, rng, settings.workers):
                loss += _learn(block, turns, rows, biases, settings, threads)
                if not np.isfinite(loss):
                    raise InputError(
                        f"glove diverged in epoch {epoch}, its numbers are no longer finite: set a "
                        f"learning_rate below {settings.learning_rate:g}"
                    )
                step.advance(nonzeros(block))
            losses.append(loss / total)
            step.note(f"epoch {epoch}, loss {losses[-1]:.4f}")
    return rows[:, 0] + rows[:, 2], losses


def _start(size: int, dim: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Rows (size, 4, dim) of w, the sum of its squared gradients, w̃, and the sum of its; biases (size, 4)."""
    rows = np.ones((size, 4, dim), np.float32)
    for word in range(
        0, size, 1024
    ):  # in parts: drawing (size, dim) at once would take three times the memory
        part = rows[word : word + 1024]
        part[:, 0::2] = (rng.random((len(part), 2, dim), np.float32) - np.float32(0.5)) / np.float32(dim)
    biases = np.ones((size, 4), np.float32)
    biases[:, 0::2] = 0
    return rows, biases


def _blocks(
    records: NDArray[np.void], rng: np.random.Generator, workers: int = 1
) -> Iterator[NDArray[np.void]]:
    """All records once, in blocks whose order and insides are shuffled; one at a time is in memory."""
    size = BLOCK * workers
    for block in rng.permutation(-(-len(records) // size)):
        part = np.array(records[block * size : (block + 1) * size])  # read in one go: it may lie on disk
        yield part[rng.permutation(len(part))]


@dataclass(frozen=True)
class _Turns:
    """Whose turn a pair is: words are dealt to two parts a thread, and pairs of parts to rounds (`rounds`).

    `part` (size,) of each word; `turn` (parts, parts): round · workers + thread of a pair of words by part.
    """

    part: NDArray[np.uint8]
    turn: NDArray[np.uint16]

    @classmethod
    def of(cls, size: int, workers: int, rng: np.random.Generator) -> _Turns | None:
        """Deal `size` words; None for a single thread, which takes all pairs as they come."""
        if workers == 1:
            return None
        turn = np.zeros((2 * workers, 2 * workers), np.uint16)
        for number, pairs in enumerate(rounds(workers)):
            for thread, (a, b) in enumerate(pairs):
                turn[a, b] = turn[b, a] = number * workers + thread
                if number == 0:  # every part has its turn in it: those of its pairs that stay within it, too
                    turn[a, a] = turn[b, b] = thread
        return cls((rng.permutation(size) % (2 * workers)).astype(np.uint8), turn)

    def sorted(self, block: NDArray[np.void]) -> tuple[NDArray[np.void], NDArray[np.int64]]:
        """`block` by turns, in each as it was, and where each of the turns begins (and the last one ends)."""
        turns = self.turn[self.part[block["first"]], self.part[block["second"]]]
        order = np.argsort(turns, kind="stable")
        return block[order], np.searchsorted(turns[order], np.arange(int(self.turn.max()) + 2))


def rounds(workers: int) -> list[list[tuple[int, int]]]:
    """Pairs of 2 · `workers` parts, all once, in rounds in which no part is in two pairs: a tournament.

    Threads that learn from one round's pairs never write to the same word, so they need no locks, take no
    memory from each other's caches, and leave nothing to chance.

    >>> rounds(2)
    [[(0, 3), (1, 2)], [(0, 2), (3, 1)], [(0, 1), (2, 3)]]
    """
    others = list(range(1, 2 * workers))
    found = []
    for _ in others:
        ring = [0, *others]
        found.append([(ring[i], ring[-1 - i]) for i in range(workers)])
        others = [others[-1], *others[:-1]]
    return found


def _learn(
    block: NDArray[np.void],
    turns: _Turns | None,
    rows: NDArray[np.float32],
    biases: NDArray[np.float32],
    settings: GloVeSettings,
    threads: ThreadPoolExecutor,
) -> float:
    """Learn from `block`, round by round, a turn in each thread; the sum of its terms of J."""
    from cartolina.text.glove_kernels import adagrad

    bounds = np.array([0, len(block)])
    if turns is not None:
        block, bounds = turns.sorted(block)
    first, second, count = (np.ascontiguousarray(block[name]) for name in ("first", "second", "count"))
    rate = np.float32(settings.learning_rate)

    def turn(start: int, stop: int) -> float:
        of = slice(start, stop)
        return adagrad(first[of], second[of], count[of], rows, biases, rate, settings.x_max, settings.alpha)

    loss = 0.0
    for number in range(0, len(bounds) - 1, settings.workers):
        ends = bounds[number : number + settings.workers + 1]
        loss += sum(threads.map(turn, ends[:-1], ends[1:]))
    return loss
