"""Cartolina: find your pictures by words, by example, by sums of both, near a place.

>>> import cartolina
>>> cartolina.__version__
'0.1.0'
"""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
