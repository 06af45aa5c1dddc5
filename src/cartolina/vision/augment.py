"""Crops and mirrors: what a network that learns from pixels is shown of a picture.

Learning from web data, section 3: pictures are kept at 300 × 300 and seen as crops of 224, mirrored every
other time. To validate, the middle is cut out of each, the same every time.

>>> windows = random_windows(len(rows), 300, 224, generator)  # doctest: +SKIP
>>> pixels = preprocessing.normalised([windows.cut(n, picture) for n, picture in enumerate(pictures)])
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cartolina.errors import InputError

__all__ = ["Windows", "central_windows", "random_windows"]


@dataclass(frozen=True, slots=True)
class Windows:
    """Where N pictures are cut: `top`, `left` (N,) in pixels, whether `mirrored` (N,), and the `size`."""

    size: int
    top: NDArray[np.int64]
    left: NDArray[np.int64]
    mirrored: NDArray[np.bool_]

    def cut(self, number: int, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Picture `number`, (S, S, 3) uint8 -> (size, size, 3) uint8, a view of it."""
        top, left = self.top[number], self.left[number]
        piece = picture[top : top + self.size, left : left + self.size]
        return piece[:, ::-1] if self.mirrored[number] else piece


def random_windows(count: int, side: int, size: int, rng: np.random.Generator) -> Windows:
    """`count` windows of `size` anywhere in pictures of `side`, each mirrored with probability one half.

    Raises `InputError` where the picture is smaller than the window.
    """
    room = _room(side, size)
    top, left = rng.integers(room + 1, size=(2, count))
    return Windows(size, top, left, rng.random(count) < 0.5)


def central_windows(count: int, side: int, size: int, *, mirrored: bool = False) -> Windows:
    """`count` times the middle, as it is or mirrored."""
    at = np.full(count, _room(side, size) // 2, np.int64)
    return Windows(size, at, at, np.full(count, mirrored))


def _room(side: int, size: int) -> int:
    if size > side:
        raise InputError(f"crops of {size} pixels were asked for out of pictures of {side}: keep larger ones")
    return side - size
