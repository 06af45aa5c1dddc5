"""Chance and ceilings by hand; those of AP are tests/metrics/test_expected.py's."""

import numpy as np
import pytest

from cartolina.evaluate.experiments.controls import (
    ceiling,
    chance_precision,
    chance_recall,
)


def test_by_hand():
    relevant = np.array([[True, True, False, False], [False] * 4])
    assert chance_precision(relevant).tolist() == [0.5, 0.0]
    assert ceiling(relevant, 5).tolist() == [0.4, 0.0]
    assert ceiling(relevant, 1).tolist() == [1.0, 0.0]
    assert chance_recall(1000, 10) == pytest.approx(1.0)
    assert chance_recall(5, 10) == 100.0
