"""Doc2Vec's vector of a text that was never seen, by numpy alone, the same one each time.

The training step with all but the text's own vector d frozen (Le & Mikolov 2014, §2.2): for each word w of
the text, `epochs` times, with the learning rate α falling from .025 to .0001,

    h = d  (DBOW), or the mean of d and the vectors of the words around w  (DM)
    d ← d + α Σ_t (label_t − σ(u_t · h)) u_t     over w (label 1) and 5 words drawn by frequency^¾ (label 0)

and, as gensim does when it trains, frequent words are left out at random (Mikolov et al. 2013b, §2.3) and
the window of DM is shortened at random. gensim's own `infer_vector` draws from a generator that goes on
from call to call, and begins at Python's hash of the text, which differs from process to process. Here
every draw is a hash of the text and of the draw's place in it: no text's vector depends on what was asked
before, or beside it. Texts are worked on side by side, since their vectors have nothing to do with each
other.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from cartolina.onnx_session import available_cores

__all__ = ["LONGEST", "Paragraphs"]

LONGEST = 1_000
"""Words of a text that are read; the rest is cut off, as transformers cut at some hundred."""

BATCH = 128
"""Texts worked on at a time: the rows gathered for them stay in the processor's cache."""

FIRST_RATE, LAST_RATE = 0.025, 0.0001
NEGATIVE = 5
POWER = 0.75
SAMPLE = 1e-3

INITIAL, KEPT, WINDOW, DRAWN = range(4)
"""What is drawn; each has its own numbers."""


@dataclass(frozen=True, slots=True)
class Paragraphs:
    """What was learnt of V words: `hidden` u and, of DM, `vectors`, (V, D) float32; `counts` (V,) int64."""

    hidden: NDArray[np.float32]
    vectors: NDArray[np.float32] | None
    counts: NDArray[np.int64]
    window: int
    epochs: int

    def infer(self, texts: Sequence[NDArray[np.int64]]) -> NDArray[np.float32]:
        """The vector of each text, given as its words' rows, repeats included: (N, D) float32.

        Zeros for a text without words.
        """
        found = np.zeros((len(texts), self.hidden.shape[1]), np.float32)
        order = [row for row in np.argsort([-len(text) for text in texts], kind="stable") if len(texts[row])]
        batches = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
        chances = _Chances.of(self.counts)

        def work(rows: list[int]) -> None:
            found[rows] = self._infer([texts[row][:LONGEST] for row in rows], chances)

        if len(batches) == 1:  # a query: no threads to start
            work(batches[0])
        elif batches:
            with ThreadPoolExecutor(available_cores()) as cores:
                list(cores.map(work, batches))
        return found

    def _infer(self, texts: Sequence[NDArray[np.int64]], chances: _Chances) -> NDArray[np.float32]:
        """B texts of at most L words, each with one at least: (B, D) float32."""
        dim = self.hidden.shape[1]
        seeds = np.array([_seed(text) for text in texts], np.uint64)  # (B,)
        d = (uniform(seeds, INITIAL, 0, 0, np.arange(dim)) - np.float32(0.5)) / np.float32(dim)  # (B, D)
        length = max(map(len, texts))
        words = np.zeros((len(texts), length), np.int64)  # (B, L)
        there = np.arange(length) < np.array([len(text) for text in texts])[:, None]  # (B, L)
        for row, text in enumerate(texts):
            words[row, : len(text)] = text
        places = np.arange(length)
        for epoch, rate in enumerate(np.linspace(FIRST_RATE, LAST_RATE, self.epochs, dtype=np.float32)):
            kept = there & (uniform(seeds, KEPT, epoch, 0, places) <= chances.keep[words])
            # What is left out leaves no gap: the words around it come together.
            moved = np.argsort(~kept, axis=1, kind="stable")
            left = np.take_along_axis(words, moved, axis=1)  # (B, L)
            lengths = kept.sum(axis=1)  # (B,)
            for place in range(int(lengths.max())):
                rows = np.flatnonzero(lengths > place)  # (n,)
                self._step(d, rows, left[rows], lengths[rows], place, epoch, rate, seeds[rows], chances)
        return d

    def _step(
        self,
        d: NDArray[np.float32],
        rows: NDArray[np.int64],
        words: NDArray[np.int64],
        lengths: NDArray[np.int64],
        place: int,
        epoch: int,
        rate: np.float32,
        seeds: NDArray[np.uint64],
        chances: _Chances,
    ) -> None:
        """Move `d[rows]` towards predicting the word at `place` of each of those n texts."""
        h = d[rows]  # (n, D)
        if self.vectors is not None:
            shortened = uniform(seeds, WINDOW, epoch, place, np.zeros(1))  # (n, 1)
            h = self._with_context(h, words, lengths, place, shortened)
        drawn = chances.draw(uniform(seeds, DRAWN, epoch, place, np.arange(NEGATIVE)))  # (n, 5)
        target = words[:, place : place + 1]  # (n, 1)
        asked = np.concatenate([target, drawn], axis=1)  # (n, 6)
        u = self.hidden[asked]  # (n, 6, D)
        score = np.matmul(u, h[:, :, None])[:, :, 0]  # (n, 6)
        error = -1 / (1 + np.exp(-np.clip(score, -30, 30)))  # beyond, it is 0 or 1 in float32
        error[:, 0] += 1
        error[:, 1:][drawn == target] = 0  # the word itself, drawn by chance, is no counterexample
        d[rows] += rate * np.matmul(error[:, None, :], u)[:, 0]

    def _with_context(
        self,
        h: NDArray[np.float32],
        words: NDArray[np.int64],
        lengths: NDArray[np.int64],
        place: int,
        shortened: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """The mean of `h` and of the vectors of the words around `place`, in a window shortened at random."""
        assert self.vectors is not None
        reach = self.window - (shortened[:, 0] * self.window).astype(np.int64)  # (n,) from 1 to the window
        first = max(place - self.window, 0)
        around = np.arange(first, min(place + self.window + 1, words.shape[1]))  # (W,)
        near = (np.abs(around - place) <= reach[:, None]) & (around < lengths[:, None]) & (around != place)
        vectors = self.vectors[words[:, around]]  # (n, W, D)
        total = np.matmul(near[:, None, :].astype(np.float32), vectors)[:, 0] + h
        mean: NDArray[np.float32] = total / (near.sum(axis=1)[:, None] + np.float32(1))
        return mean


@dataclass(frozen=True, slots=True)
class _Chances:
    """How likely each word is kept, and drawn as a counterexample."""

    keep: NDArray[np.float32]
    cumulative: NDArray[np.float64]

    @classmethod
    def of(cls, counts: NDArray[np.int64]) -> _Chances:
        threshold = SAMPLE * counts.sum()
        keep = (np.sqrt(counts / threshold) + 1) * (threshold / counts)
        cumulative = np.cumsum(counts.astype(np.float64) ** POWER)
        return cls(keep.astype(np.float32), cumulative / cumulative[-1])

    def draw(self, numbers: NDArray[np.float32]) -> NDArray[np.int64]:
        """The word that each number in [0, 1) stands for."""
        drawn = np.searchsorted(self.cumulative, numbers, side="right")
        return np.minimum(drawn, len(self.cumulative) - 1)


def _seed(text: NDArray[np.int64]) -> int:
    """64 bits of a text's words."""
    return int.from_bytes(blake2b(text.astype("<i8").tobytes(), digest_size=8).digest(), "little")


def uniform(
    seeds: NDArray[np.uint64], what: int, epoch: int, place: int, numbers: NDArray[np.generic]
) -> NDArray[np.float32]:
    """A number in [0, 1) for each text and each of `numbers`: (B, len(numbers)) float32, of 24 bits.

    A hash (SplitMix64, Steele et al. 2014) of the text's seed and of where the number is needed.
    """
    key = (((epoch << 10) | place) << 20) | (what << 18)
    offsets = numbers.astype(np.uint64) + np.uint64(key + 1)
    z = seeds[:, None] + offsets * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    numbers_in: NDArray[np.float32] = (z >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)
    return numbers_in
