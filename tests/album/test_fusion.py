"""Reciprocal ranks by hand, and what they make of lists."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartolina.album.fusion import FIRST, add, in_order, neutral, reciprocal
from cartolina.store import Hits


def hits(**scores):
    """Hits of keys k1, k2 … as they are written."""
    keys = np.array([int(name[1:]) for name in scores], np.int64)
    return Hits(keys, np.array(list(scores.values()), np.float32))


def test_equals_share_a_rank():
    found = reciprocal(hits(k5=0.9, k1=0.5, k2=0.5, k3=0.1))
    assert found == pytest.approx([1 / 61, 1 / 62, 1 / 62, 1 / 64])
    assert reciprocal(Hits(np.empty(0, np.int64), np.empty(0, np.float32))).tolist() == []


@given(st.lists(st.integers(0, 5), max_size=20))
def test_a_rank_is_one_and_how_many_score_higher(scores):
    scores = sorted(scores, reverse=True)
    found = reciprocal(Hits(np.arange(len(scores)), np.array(scores, np.float32)))
    assert found == pytest.approx([1 / (61 + sum(other > one for other in scores)) for one in scores])


def test_parts_add_up_and_ties_go_by_key():
    parts = {}
    for one in (hits(k7=0.9, k8=0.8), hits(k8=3.0, k7=2.0), hits(k1=1.0)):
        add(parts, one, reciprocal(one))
    assert parts == pytest.approx({7: 1 / 61 + 1 / 62, 8: 1 / 61 + 1 / 62, 1: 1 / 61})
    ordered = in_order(parts, 2 * FIRST)
    assert ordered.keys.tolist() == [7, 8, 1]
    assert ordered.scores.tolist() == pytest.approx([(1 + 61 / 62) / 2] * 2 + [0.5])


def test_posts_without_words_get_what_a_tenth_of_the_nearest_have():
    nearest = Hits(np.arange(100), np.linspace(1, 0, 100, dtype=np.float32))
    told = set(range(0, 100, 2))  # every other one has words, the 30 nearest are 0 to 58
    parts = {key: key / 1000 for key in range(100)}
    assert neutral(nearest, told, parts) == pytest.approx(np.quantile(np.arange(0, 60, 2) / 1000, 0.9))
    assert neutral(nearest, told, {}) == 0
    assert neutral(nearest, set(), parts) == 0
    assert neutral(nearest, {99}, parts) == parts[99]
