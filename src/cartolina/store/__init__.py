"""Where vectors are searched. One contract, several stores; `exact` is the reference for all.

>>> import numpy as np
>>> from cartolina.store import open_exact
>>> store = open_exact(getfixture("tmp_path"), dim=2)
>>> store.upsert(np.array([7, 8]), np.array([[1, 0], [0, 1]], np.float32))
>>> store.search(np.array([[0.6, 0.8]], np.float32), k=1)[0].keys
array([8])
"""

from __future__ import annotations

from cartolina.store.contract import Hits, Store
from cartolina.store.exact import ExactStore, open_exact
from cartolina.store.segments import Segments

__all__ = ["ExactStore", "Hits", "Segments", "Store", "open_exact"]
