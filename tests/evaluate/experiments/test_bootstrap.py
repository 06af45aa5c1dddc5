"""Intervals against hand-made cases and a naive enumeration."""

from itertools import product

import numpy as np
import pytest

from cartolina.evaluate.experiments.bootstrap import difference, interval, shares_first


def rng():
    return np.random.default_rng(0)


def test_an_interval_is_the_quantiles_of_all_resamples():
    values = np.array([0.0, 0.2, 0.6, 1.0])
    every = [values[list(drawn)].mean() for drawn in product(range(4), repeat=4)]  # all 256
    found = interval(values, rng(), resamples=40_000)
    assert found.mean == pytest.approx(0.45)
    assert found.low == pytest.approx(np.quantile(every, 0.025), abs=0.051)  # a step between two means
    assert found.high == pytest.approx(np.quantile(every, 0.975), abs=0.051)


def test_pairing_sees_what_two_intervals_hide():
    """Two models 0.1 apart on every query, of very different queries: always the same one is ahead."""
    hard = np.linspace(0, 0.9, 30)
    lead = difference(hard + 0.1, hard, rng())
    assert (lead.mean, lead.low, lead.high) == pytest.approx((0.1, 0.1, 0.1))
    one, other = interval(hard + 0.1, rng()), interval(hard, rng())
    assert one.low < other.high  # apart they would not be told from each other
    assert shares_first(np.stack([hard, hard + 0.1]), rng()).tolist() == [0.0, 1.0]


def test_equals_share_the_first_place():
    same = np.array([0.2, 0.4, 0.9])
    assert shares_first(np.stack([same, same]), rng()).tolist() == [0.5, 0.5]


def test_strata_keep_their_sizes():
    """All of one stratum 1, all of the other 0: within strata the mean cannot move."""
    values, strata = np.array([1.0, 1.0, 1.0, 0.0]), np.array([0, 0, 0, 1])
    kept = interval(values, rng(), strata=strata)
    assert (kept.low, kept.high) == (0.75, 0.75)
    assert interval(values, rng()).low < 0.75


def test_nothing_to_resample():
    assert np.isnan(interval(np.array([]), rng()).mean)
