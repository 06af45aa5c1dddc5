"""What a table is read against: chance and the ceiling. (The third control, photos exchanged among the
captions, is `datasets.noise` at 100 %.)

>>> relevant = np.array([[True, False, False, False]])
>>> chance_precision(relevant), ceiling(relevant, 5)
(array([0.25]), array([0.2]))
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ceiling",
    "chance_precision",
    "chance_recall",
]

Floats = NDArray[np.float64]


def chance_precision(relevant: NDArray[np.bool_]) -> Floats:
    """What a random order finds: the expected P@k, whatever k, of each query; `relevant` (Q, N) → (Q,)."""
    return np.asarray(relevant.mean(1), np.float64)


def ceiling(relevant: NDArray[np.bool_], k: int) -> Floats:
    """The highest P@k there can be with so few relevant photos: (Q, N) → (Q,)."""
    return np.asarray(np.minimum(relevant.sum(1), k) / k, np.float64)


def chance_recall(photos: int, k: int) -> float:
    """The expected R@k, in percent, of finding one photo among `photos` in a random order."""
    return 100.0 * min(k, photos) / photos
