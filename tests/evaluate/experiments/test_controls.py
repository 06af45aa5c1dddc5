"""Chance against enumeration, ceilings by hand."""

from itertools import permutations

import numpy as np
import pytest

from cartolina.evaluate.experiments.controls import (
    ceiling,
    chance_average_precision,
    chance_precision,
    chance_recall,
)


def average_precision(order, relevant):
    hits, total = 0, 0.0
    for rank, photo in enumerate(order, 1):
        if photo < relevant:
            hits += 1
            total += hits / rank
    return total / relevant


@pytest.mark.parametrize(("relevant", "photos"), [(1, 1), (1, 5), (2, 5), (4, 5), (5, 5), (3, 6)])
def test_chance_average_precision_is_the_mean_over_all_orders(relevant, photos):
    mean = np.mean([average_precision(order, relevant) for order in permutations(range(photos))])
    assert chance_average_precision(relevant, photos) == pytest.approx(mean)


def test_by_hand():
    relevant = np.array([[True, True, False, False], [False] * 4])
    assert chance_precision(relevant).tolist() == [0.5, 0.0]
    assert ceiling(relevant, 5).tolist() == [0.4, 0.0]
    assert ceiling(relevant, 1).tolist() == [1.0, 0.0]
    assert chance_recall(1000, 10) == pytest.approx(1.0)
    assert chance_recall(5, 10) == 100.0
    assert np.isnan(chance_average_precision(0, 5))
