from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartolina.errors import InputError
from cartolina.text import cooccurrence
from cartolina.text.cooccurrence import CoOccurrences, count_cooccurrences

pytest.importorskip("numba")


def naive(texts: list[list[int]], size: int, window: int) -> np.ndarray:
    """The definition: each word, each of its neighbours on both sides, 1 / distance."""
    x = np.zeros((size, size))
    for text in texts:
        for at, word in enumerate(text):
            for other in range(max(0, at - window), min(len(text), at + window + 1)):
                if other != at:
                    x[word, text[other]] += 1 / abs(at - other)
    return x


def flat(texts: list[list[int]]) -> np.ndarray:
    return np.array([number for text in texts for number in (*text, -1)], np.int32)


def zipf(words: int, size: int, seed: int = 0, text: int = 12) -> np.ndarray:
    """Many texts of about `text` words, common and rare ones."""
    rng = np.random.default_rng(seed)
    chances = 1 / np.arange(1, size + 1)
    numbers = rng.choice(size, words, p=chances / chances.sum()).astype(np.int32)
    numbers[rng.random(words) < 1 / text] = -1
    return numbers


def by_pair(counted: CoOccurrences) -> dict[tuple[int, int], float]:
    return {(int(a), int(b)): float(x) for a, b, x in counted.records}


def test_by_hand():
    # "a b a" with a window of 2: a-b twice at distance 1; a-a at distance 2, from both ends.
    counted = count_cooccurrences(flat([[0, 1, 0]]), 2, 2)
    np.testing.assert_array_equal(counted.dense(), np.array([[1, 2], [2, 0]], np.float32))
    assert counted.nonzeros == 3


def test_texts_do_not_touch():
    assert by_pair(count_cooccurrences(flat([[0, 1], [2], [], [3, 4]]), 5, 10)) == {(0, 1): 1.0, (3, 4): 1.0}


@pytest.mark.parametrize("window", [1, 2, 10, 25, 5000])
def test_as_the_definition(window):
    rng = np.random.default_rng(window)
    texts = [rng.integers(0, 9, rng.integers(0, 40)).tolist() for _ in range(50)]
    counted = count_cooccurrences(flat(texts), 9, window)
    np.testing.assert_allclose(counted.dense(), naive(texts, 9, window), rtol=1e-7)
    assert (counted.records["first"] <= counted.records["second"]).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 6), max_size=9), max_size=9), st.integers(1, 12))
def test_any_texts(texts, window):
    counted = count_cooccurrences(flat(texts), 7, window)
    np.testing.assert_allclose(counted.dense(), naive(texts, 7, window), rtol=1e-7)
    pairs = {frozenset((a, b)) for a, b in zip(*np.nonzero(naive(texts, 7, window)), strict=True)}
    assert len(counted.records) == len(pairs)  # each pair once


def test_sums_are_exact():
    """A million thirds are what a million times 1/3 rounds to, where a running float32 sum is off by much."""
    words = np.tile(np.array([0, 2, 2, 1, -1], np.int32), 1_000_000)
    counted = by_pair(count_cooccurrences(words, 3, 10))
    assert counted[0, 1] == np.float32(1_000_000 / 3)


def test_a_wide_window_is_as_good_as_exact():
    weights, unit = cooccurrence._weights(30)
    for distance in range(1, 31):
        assert math.isclose(weights[distance] / unit, 1 / distance, rel_tol=1e-8)


def test_out_of_core_is_the_same_to_the_last_bit(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    words = zipf(60_000, 3000)
    whole = count_cooccurrences(words, 3000, 10)
    assert not whole.spilled
    assert len(whole.records) > 8 * 4096  # several times what the small tables hold
    for workers in (1, 2):
        small = count_cooccurrences(words, 3000, 10, workers=workers, memory=1)
        assert small.spilled
        np.testing.assert_array_equal(small.records, whole.records)
    assert list(tmp_path.iterdir()) == []  # nameless files only


def test_threads_count_the_same(monkeypatch):
    monkeypatch.setattr(cooccurrence, "CHUNK", 500)
    words = zipf(20_000, 400)
    one, three = (count_cooccurrences(words, 400, 5, workers=workers) for workers in (1, 3))
    np.testing.assert_array_equal(one.records, three.records)
    whole = defaultdict(float)
    last: list[int] = []
    for word in words.tolist():  # a plain second way, over the borders of chunks
        last = [] if word < 0 else last
        for distance, other in enumerate(reversed(last[-5:]), 1):
            whole[min(word, other), max(word, other)] += (1 + (word == other)) / distance
        last = last if word < 0 else [*last[-5:], word]
    assert by_pair(one) == pytest.approx(dict(whole), rel=1e-6)


def test_the_order_is_as_good_as_random():
    """Training may take the records in order: no word, first or second, gathers at an end."""
    records = count_cooccurrences(zipf(60_000, 500), 500, 10).records
    place = np.linspace(0, 1, len(records))
    for column in ("first", "second"):
        assert abs(np.corrcoef(place, records[column])[0, 1]) < 0.02
        words, seen = np.unique(records[column], return_counts=True)
        for word in words[seen >= 100]:
            where = place[records[column] == word]
            assert abs(where.mean() - 0.5) < 5 * np.sqrt(1 / 12 / len(where))


def test_every_key_can_be_undone():
    from cartolina.text.glove_kernels import scrambled, unscramble

    rng = np.random.default_rng(0)
    pairs = np.r_[rng.integers(0, 2**31, (1000, 2)), [[0, 0], [0, 1], [2**31 - 1, 2**31 - 1]]]
    keys = np.array([scrambled(np.uint64(a << 32 | b)) for a, b in pairs.tolist()], np.uint64)
    first, second = np.empty(len(pairs), np.int32), np.empty(len(pairs), np.int32)
    unscramble(np.stack([keys, keys], 1), first, second)
    np.testing.assert_array_equal(np.stack([first, second], 1), pairs)


def test_nothing_to_count():
    for words in (flat([]), flat([[], []]), flat([[3]])):
        counted = count_cooccurrences(words, 4, 10)
        assert len(counted.records) == counted.nonzeros == 0


def test_bad_window():
    with pytest.raises(InputError, match="window of 0"):
        count_cooccurrences(flat([[0, 1]]), 2, 0)


def test_a_full_disk_is_said(monkeypatch):
    def full():
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with pytest.raises(InputError, match=r"No space left.*TMPDIR"):
        count_cooccurrences(zipf(60_000, 3000), 3000, 10, memory=1)
