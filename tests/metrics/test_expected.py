"""Chance and ceilings against the mean over every order that the ties allow."""

import itertools
import math

import numpy as np
import pytest

from cartolina.metrics import (
    average_precision,
    chance_average_precision,
    expected_average_precision,
    expected_precision_at,
    precision_at,
)


def every_order(row):
    """The ranking scores of each way of breaking the ties of `row`."""
    ties = [np.flatnonzero(row == value) for value in sorted(set(row), reverse=True)]
    orders = itertools.product(*(itertools.permutations(tie) for tie in ties))
    ranked = np.array([np.concatenate(order) for order in orders]).astype(int)
    return -np.argsort(ranked, axis=1).astype(float)


@pytest.mark.parametrize("items", [1, 2, 5, 6])
def test_chance_is_the_mean_over_every_order(items):
    for there in range(1, items + 1):
        relevant = np.arange(items) < there
        orders = every_order(np.zeros(items))
        every = average_precision(orders, np.broadcast_to(relevant, orders.shape))
        assert chance_average_precision(relevant[None])[0] == pytest.approx(every.mean())


def test_ties_are_broken_in_every_way():
    rng = np.random.default_rng(0)
    for _ in range(40):
        items = rng.integers(1, 7)
        row, relevant = rng.integers(0, 3, items) / 2, rng.random(items) < 0.5
        orders = every_order(row)
        right = np.broadcast_to(relevant, orders.shape)
        if not relevant.any():
            assert math.isnan(expected_average_precision(row[None], relevant[None])[0])
            continue
        mean = average_precision(orders, right).mean()
        assert expected_average_precision(row[None], relevant[None])[0] == pytest.approx(mean)
        for k in (1, 2, 8):
            mean = precision_at(orders, right, k).mean()
            assert expected_precision_at(row[None], relevant[None], k)[0] == pytest.approx(mean)


def test_chance_tends_to_the_share_of_relevant_items_and_lies_above_it():
    relevant = np.zeros((2, 20_000), bool)
    relevant[0, :10_000] = True
    relevant[1, 0] = True
    often, seldom = chance_average_precision(relevant)
    assert often == pytest.approx(0.5, abs=0.001)
    assert seldom == pytest.approx((math.log(20_000) + 0.5772) / 20_000, rel=0.001)


def test_nothing_relevant_and_nothing_there():
    assert math.isnan(chance_average_precision(np.zeros((1, 4), bool))[0])
    assert math.isnan(expected_precision_at(np.zeros((1, 4)), np.zeros((1, 4), bool), 2)[0])
    assert chance_average_precision(np.zeros((2, 0), bool)).shape == (2,)
