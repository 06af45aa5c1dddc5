"""Upright RGB → the square, normalised pixels a backbone wants.

Two ways to a square: "squash" resizes the whole photo, whatever its proportions; "crop" takes the central
square, whose side is `crop_fraction` of the photo's shorter side, as ImageNet classifiers were evaluated
(EfficientNet-Lite: .875 at 224 px, bicubic). Retrieval wants what stands at the edges too, so our default
backbones squash. "squash" with a `crop_fraction` keeps the middle of both sides: what a network that learnt
from crops of squashed photos (`augment`) is shown afterwards.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cartolina.errors import InputError

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["IMAGENET_MEAN", "IMAGENET_STD", "Preprocessing"]

IMAGENET_MEAN = (123.675, 116.28, 103.53)
"""Mean of R, G, B over ImageNet, on the scale 0 to 255 (torchvision's .485, .456, .406)."""
IMAGENET_STD = (58.395, 57.12, 57.375)
"""Standard deviation of R, G, B over ImageNet, on the scale 0 to 255."""

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a photo becomes `(3, size, size)` float32: resized, then (value − mean) / std per channel.

    `size` in pixels; `mean` and `std` of R, G, B on the scale 0 to 255; `crop_fraction` in (0, 1]. Raises
    `InputError` for values out of range.
    """

    size: int
    resize: Literal["squash", "crop"] = "squash"
    mean: Triple = IMAGENET_MEAN
    std: Triple = IMAGENET_STD
    interpolation: Literal["bilinear", "bicubic", "lanczos"] = "bicubic"
    crop_fraction: float = 1.0

    def __post_init__(self) -> None:
        if not 16 <= self.size <= 4096:
            raise InputError(f"an input size of {self.size} pixels; expected 16 to 4096")
        if self.resize not in ("squash", "crop"):
            raise InputError(f"resize {self.resize!r}; expected 'squash' or 'crop'")
        if self.interpolation not in ("bilinear", "bicubic", "lanczos"):
            raise InputError(f"interpolation {self.interpolation!r}; expected bilinear, bicubic or lanczos")
        if not 0 < self.crop_fraction <= 1:
            raise InputError(f"crop_fraction {self.crop_fraction}; expected more than 0 and at most 1")

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that differ where any value differs."""
        return hashlib.blake2b(json.dumps(self.to_dict()).encode(), digest_size=8).hexdigest()

    @property
    def source_size(self) -> int:
        """The shorter side in pixels a photo should have before `resized`, to lose nothing by it."""
        return round(self.size / self.crop_fraction)

    def to_dict(self) -> dict[str, Any]:
        """A dict that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Preprocessing:
        """The inverse of `to_dict`."""
        return cls(**{**values, "mean": tuple(values["mean"]), "std": tuple(values["std"])})

    def resized(self, image: Image.Image) -> np.ndarray:
        """An RGB `PIL.Image` -> (size, size, 3) uint8."""
        from PIL import Image

        box = None
        if self.resize == "crop":
            side = self.crop_fraction * min(image.size)
            left, top = (image.width - side) / 2, (image.height - side) / 2
            box = (left, top, left + side, top + side)
        elif self.crop_fraction < 1:
            left, top = ((1 - self.crop_fraction) / 2 * length for length in image.size)
            box = (left, top, image.width - left, image.height - top)
        elif image.size == (self.size, self.size):
            return np.asarray(image)
        resample = Image.Resampling[self.interpolation.upper()]
        # A gap of 2 first shrinks by whole factors: 5 × as fast on large photos, and hardly visible.
        return np.asarray(image.resize((self.size, self.size), resample, box=box, reducing_gap=2.0))

    def normalised(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """B pictures (size, size, 3) uint8 -> (B, 3, size, size) float32, what a backbone is called with."""
        pixels = np.empty((len(pictures), 3, self.size, self.size), np.float32)
        for picture, target in zip(pictures, pixels, strict=True):
            for channel in range(3):  # channel by channel stays in the processor's cache
                scale = np.float32(1 / self.std[channel])
                np.multiply(picture[:, :, channel], scale, out=target[channel], dtype=np.float32)
                target[channel] -= np.float32(self.mean[channel]) * scale
        return pixels
