"""Precision and AP against naive loops, by hand, what ties and gaps must do."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartolina.errors import InputError
from cartolina.metrics import (
    average_precision,
    mean_over_queries,
    precision_at,
    precision_ceiling,
    recall_at,
)


def naive_rank(scores, relevant, i):
    """Everything that scores more stands before i, and so do wrong ones that score the same."""
    rank = 1
    for j in range(len(scores)):
        if j == i:
            continue
        # Among right ones that tie, the order makes no difference to any metric: by place.
        tie_before = scores[j] == scores[i] and (not relevant[j] or j < i)
        rank += bool(scores[j] > scores[i] or tie_before)
    return rank


def naive_average_precision(scores, relevant):
    ranks = [naive_rank(scores, relevant, i) for i in range(len(scores)) if relevant[i]]
    if not ranks:
        return math.nan
    return sum(sum(other <= rank for other in ranks) / rank for rank in ranks) / len(ranks)


def naive_hits(scores, relevant, k):
    return sum(naive_rank(scores, relevant, i) <= k for i in range(len(scores)) if relevant[i])


@st.composite
def rankings(draw):
    """Few different scores, so that ties are many."""
    queries, items = draw(st.integers(0, 4)), draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng.integers(-2, 3, (queries, items)) / 2, rng.random((queries, items)) < rng.random()


@settings(max_examples=200, deadline=None)
@given(rankings(), st.integers(1, 15))
def test_each_number_is_that_of_a_naive_loop(world, k):
    scores, relevant = world
    found = (
        average_precision(scores, relevant),
        precision_at(scores, relevant, k),
        recall_at(scores, relevant, k),
    )
    for q, (row, right) in enumerate(zip(scores, relevant, strict=True)):
        hits = naive_hits(row, right, k)
        expected = naive_average_precision(row, right), hits / k, hits / max(right.sum(), 1)
        for values, value in zip(found, expected, strict=True):
            assert values[q] == pytest.approx(value) if right.any() else math.isnan(values[q])


@settings(max_examples=100, deadline=None)
@given(rankings())
def test_no_way_of_breaking_ties_does_worse(world):
    scores, relevant = world
    ours = average_precision(scores, relevant)
    rng = np.random.default_rng(0)
    for _ in range(5):
        broken = average_precision(scores + rng.random(scores.shape) / 10, relevant)
        assert np.all((broken >= ours - 1e-12) | np.isnan(ours))


@settings(max_examples=100, deadline=None)
@given(rankings(), st.integers(1, 15))
def test_the_ceiling_is_reached_by_the_truth_and_by_nothing_passed(world, k):
    scores, relevant = world
    ceiling = precision_ceiling(relevant, k)
    assert np.array_equal(precision_at(relevant.astype(float), relevant, k), ceiling, equal_nan=True)
    assert np.all((precision_at(scores, relevant, k) <= ceiling) | np.isnan(ceiling))
    perfect = average_precision(relevant.astype(float), relevant)
    assert np.all((perfect == 1) | np.isnan(perfect))


def test_relevant_items_that_were_not_found_count_against_the_query():
    """Mistake 8 of the released code: one hit at rank 1 and three at the end is no AP of 1."""
    scores = np.arange(100, 0, -1.0)[None]
    relevant = np.zeros((1, 100), bool)
    relevant[0, [0, 97, 98, 99]] = True
    expected = (1 + 2 / 98 + 3 / 99 + 4 / 100) / 4
    assert average_precision(scores, relevant)[0] == pytest.approx(expected)
    assert expected < 0.28


def test_a_constant_model_gets_the_worst_order():
    relevant = np.array([[True, True, False, False, False]])
    same = np.zeros((1, 5))
    assert precision_at(same, relevant, 3)[0] == 0
    assert average_precision(same, relevant)[0] == pytest.approx((1 / 4 + 2 / 5) / 2)


def test_scores_that_are_no_numbers_never_help():
    relevant = np.array([[True, False, True]])
    nothing = np.full((1, 3), np.nan)
    assert precision_at(nothing, relevant, 1)[0] == 0
    # A wrong item without a score stands first, a right one without a score last.
    mixed = np.array([[5.0, np.nan, np.nan]])
    assert average_precision(mixed, relevant)[0] == pytest.approx((1 / 2 + 2 / 3) / 2)
    infinite = np.array([[np.inf, np.inf, -np.inf]])
    assert average_precision(infinite, relevant)[0] == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_a_gallery_smaller_than_k_is_no_excuse():
    relevant = np.array([[True, True]])
    assert precision_at(np.array([[1.0, 0.0]]), relevant, 5)[0] == 0.4
    assert precision_ceiling(relevant, 5)[0] == 0.4


def test_queries_without_an_answer_take_no_part_in_the_mean():
    scores = np.array([[2.0, 1.0], [2.0, 1.0], [2.0, 1.0]])
    relevant = np.array([[True, False], [False, False], [False, True]])
    values = average_precision(scores, relevant)
    assert math.isnan(values[1])
    assert mean_over_queries(values) == 0.75
    assert math.isnan(mean_over_queries(values[1:2]))
    assert math.isnan(precision_ceiling(relevant, 1)[1])


def test_shapes_and_depths_are_checked():
    with pytest.raises(InputError, match=r"\(1, 3\).*\(1, 2\)"):
        average_precision(np.zeros((1, 3)), np.zeros((1, 2), bool))
    with pytest.raises(InputError, match="at least 1"):
        precision_at(np.zeros((1, 3)), np.zeros((1, 3), bool), 0)
