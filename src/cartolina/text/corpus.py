"""Texts as numbers: each word the row of a vocabulary, the texts one after the other in one array.

>>> corpus = numbered(["sea and sand", "the sea, the sea"])
>>> corpus.words, corpus.numbers.tolist()
(['sea', 'sand'], [0, 1, -1, 0, 0, -1])
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cartolina.progress import SILENT, Progress
from cartolina.text.tokens import tokens

__all__ = ["Corpus", "numbered"]


@dataclass(frozen=True, slots=True)
class Corpus:
    """`words`, the most frequent first (of equals the first seen); `numbers` (N,) int32, −1 after each text.

    `length` is how many words were there, `texts` how many texts, those without words included.
    """

    words: list[str]
    numbers: NDArray[np.int32]
    length: int
    texts: int

    def documents(self) -> list[NDArray[np.int64]]:
        """The words of each text."""
        ends = np.flatnonzero(self.numbers < 0)
        parts = np.split(self.numbers, ends)[: self.texts]
        return [part[part >= 0].astype(np.int64) for part in parts]

    def without_rare(self, min_count: int) -> Corpus:
        """Only the words seen `min_count` times or more; their neighbours close up."""
        seen = np.bincount(self.numbers[self.numbers >= 0], minlength=len(self.words))
        kept = int((seen >= min_count).sum())  # the most frequent come first
        return Corpus(self.words[:kept], self.numbers[self.numbers < kept], self.length, self.texts)


def numbered(texts: Iterable[str], progress: Progress = SILENT) -> Corpus:
    """Read `texts` once, word by word as `tokens` cuts them; memory holds four bytes a word."""
    rows: dict[str, int] = {}
    numbers = array("i")
    count = length = 0
    with progress.task("reading words", None, "words") as step:
        for text in texts:
            words = tokens(text)
            for word in words:
                numbers.append(rows.setdefault(word, len(rows)))
            numbers.append(-1)
            count += 1
            length += len(words)
            step.advance(len(words))
    found = np.frombuffer(numbers, np.int32) if numbers else np.zeros(0, np.int32)
    seen = np.bincount(found[found >= 0], minlength=len(rows))
    order = np.argsort(-seen, kind="stable")
    new = np.full(len(rows) + 1, -1, np.int32)  # the last place is that of −1
    new[order] = np.arange(len(rows), dtype=np.int32)
    spellings = list(rows)
    return Corpus([spellings[old] for old in order], new[found], length, count)
