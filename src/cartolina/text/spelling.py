"""The nearest spelling in a large vocabulary: "beahc" → "beach", fast enough to answer while somebody waits.

`difflib` prefers rare look-alikes ("mountian" → "mounting"); the number of edits, ties going to the more
frequent word, gives what a person meant. All candidates are compared at once, one column of the edit table
at a time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["edit_distances", "nearest_spelling"]


def nearest_spelling(word: str, vocabulary: Sequence[str]) -> str | None:
    """The word of `vocabulary` (most frequent first) with the fewest edits to `word`, or None.

    One edit is allowed for words of up to five letters and two for longer ones, and the first or the last
    letter must be the same. Words of fewer than three letters are near everything, so they have no answer.
    """
    if len(word) < 3:
        return None
    limit = 1 if len(word) <= 5 else 2
    shortest, longest = max(len(word) - limit, 2), len(word) + limit
    first, last = word[0], word[-1]
    candidates = [
        other
        for other in vocabulary
        if shortest <= len(other) <= longest and (other[0] == first or other[-1] == last) and other != word
    ]
    if not candidates:
        return None
    distances = edit_distances(word, candidates)
    best = int(distances.argmin())  # the first of equals is the most frequent
    return candidates[best] if distances[best] <= limit else None


def edit_distances(word: str, others: Sequence[str]) -> NDArray[np.uint8]:
    """Insertions, deletions, replacements and swaps from `word` to each of `others`: (N,) uint8.

    Swaps are of neighbours, and no piece is edited twice (the optimal string alignment distance). For words
    of fewer than 256 letters.
    """
    lengths = np.fromiter(map(len, others), np.int64, len(others))
    width = int(lengths.max(initial=1))
    codes = np.array(others, dtype=f"U{width}").view(np.uint32).reshape(len(others), width)
    columns = np.ascontiguousarray(codes.T)  # (width, N): one letter of every word lies together
    # table[j] is the distance from the letters of `word` seen so far to the first j letters of each other.
    before_last = last = np.repeat(np.arange(width + 1, dtype=np.uint8)[:, None], len(others), axis=1)
    for i, letter in enumerate(word):
        same = columns == ord(letter)
        table = np.empty_like(last)
        table[0] = i + 1
        for j in range(width):
            replaced = last[j] + ~same[j]
            table[j + 1] = np.minimum(np.minimum(table[j], last[j + 1]) + 1, replaced)
            if i and j:
                swapped = same[j - 1] & (columns[j] == ord(word[i - 1]))
                np.minimum(table[j + 1], before_last[j - 1] + 1, out=table[j + 1], where=swapped)
        before_last, last = last, table
    distances: NDArray[np.uint8] = last[lengths, np.arange(len(others))]
    return distances
