from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartolina.text.spelling import edit_distances, nearest_spelling


def naive(a: str, b: str) -> int:
    """The textbook recursion of the optimal string alignment distance."""
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) + 1):
        for j in range(len(b) + 1):
            if not i or not j:
                table[i][j] = i + j
                continue
            table[i][j] = min(
                table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + (a[i - 1] != b[j - 1])
            )
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[-1][-1]


WORD = st.text("abcé猫", min_size=1, max_size=7)


@given(WORD, st.lists(WORD, min_size=1, max_size=8))
def test_distances_are_the_textbooks(word, others):
    assert edit_distances(word, others).tolist() == [naive(word, other) for other in others]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("beahc", "beach"),  # two letters swapped
        ("mountian", "mountain"),
        ("bycicle", "bicycle"),
        ("obat", "boat"),  # the first letters swapped
        ("bech", "beach"),  # and not "bench", which is as near and rarer
        ("zzzzzz", None),
        ("ab", None),
        ("boat", "boats"),  # itself is no suggestion
    ],
)
def test_suggestions(word, expected):
    vocabulary = ["beach", "mountain", "mounting", "bicycle", "boat", "boats", "bench"]
    assert nearest_spelling(word, vocabulary) == expected


def test_no_vocabulary_no_suggestion():
    assert nearest_spelling("beach", []) is None


def test_fast_on_400_000_words():
    letters = np.random.default_rng(0).integers(97, 123, (400_000, 9)).astype(np.uint32)
    words = [word[: 4 + row % 6] for row, word in enumerate(letters.view("U9")[:, 0].tolist())]
    words[300_000] = "skyscraper"
    times = []
    for _ in range(3):
        start = time.process_time()
        assert nearest_spelling("skyscarper", words) == "skyscraper"
        times.append(time.process_time() - start)
    assert min(times) < 0.3  # about .05 s on a quiet core; the margin is for busy machines
