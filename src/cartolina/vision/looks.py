"""How a picture looks, in 128 bits that stay when it is resized or compressed again: a perceptual hash.

The bits are the signs of the lowest frequencies of the grey picture: its discrete cosine transform (Zauner
2010, "Implementation and benchmarking of perceptual image hash functions", who compares 64 of them with their
median). Of two pictures that have nothing to do with each other about 64 bits differ.

Half of the frequencies are even across the picture and half odd: mirroring it left to right keeps the even
half of the bits and turns every one of the odd half, so that a mirrored copy needs no hash of its own.

>>> from PIL import Image
>>> ramp = Image.linear_gradient("L").rotate(30)
>>> bits_of(ramp) == bits_of(ramp.resize((100, 100)))
True
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cartolina.vision.decode import dimensions, open_rgb, read_bytes

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["BITS", "HALF", "Look", "bits_of", "look", "signs"]

BITS, HALF = 128, 64
"""Bits of a hash; the first half is even from left to right, the second odd."""

SIDE = 64
"""The picture's side when it is transformed."""

FLAT = 2.0
"""Grey levels (of 255, root mean square) below which there is nothing to compare: fog, a lens cap."""


class Look(NamedTuple):
    """A picture's `bits` (16 bytes; None: it is flat) and its size in pixels, upright."""

    bits: bytes | None
    width: int
    height: int


def look(image: Path | bytes) -> Look:
    """What a photo looks like; raises `UnreadableImage`."""
    data = read_bytes(image)
    bits = bits_of(open_rgb(data, at_least=SIDE))
    return Look(bits, *dimensions(data))


def bits_of(picture: Image.Image) -> bytes | None:
    """The 16 bytes of a decoded picture, or None where it is flat."""
    from PIL import Image

    small = picture.convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0)
    grey = np.asarray(small, np.float32)
    waves, rows, columns = _basis()
    strengths = (waves @ grey @ waves.T)[rows, columns]  # (128,)
    if np.sqrt(np.square(strengths).sum()) < FLAT * SIDE:
        return None
    return np.packbits(strengths > 0).tobytes()


def signs(hashes: list[bytes]) -> NDArray[np.float32]:
    """Hashes as ±1, (N, 128) float32: of two rows (128 − dot product) / 2 bits differ."""
    packed = np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, BITS // 8)
    return np.unpackbits(packed, axis=1).astype(np.float32) * 2 - 1


@cache
def _basis() -> tuple[NDArray[np.float32], NDArray[np.intp], NDArray[np.intp]]:
    """The first 16 waves of the orthonormal transform (16, SIDE); down and across which each bit goes."""
    k, x = np.arange(16)[:, None], np.arange(SIDE)
    waves = np.cos(np.pi * (2 * x + 1) * k / (2 * SIDE)) * np.sqrt(np.where(k, 2, 1) / SIDE)
    # All that change 14 times or less, the mean left out: 63 even ones and 56 odd; of those that change 15
    # times one even and all eight odd ones make it 64 of each.
    low = [(i, total - i) for total in range(1, 15) for i in range(total + 1)]
    low += [(7, 8), *((i, 15 - i) for i in range(0, 16, 2))]
    low.sort(key=lambda pair: pair[1] % 2)
    rows, columns = np.array(low).T
    return waves.astype(np.float32), rows, columns
