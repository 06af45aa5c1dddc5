"""torchvision and transformers as they are found installed, which beside a CPU build of torch takes care.

PyPI has torchvision for CUDA only. Beside a CPU torch its compiled operators, which serve detectors, cannot
load, and its import fails where shapes are registered for two of them; transformers then fails with it, since
it looks at torchvision if that is there at all. Nothing here calls the two: declaring them is enough.
"""

from __future__ import annotations

from contextlib import suppress
from importlib.util import find_spec
from types import ModuleType

from cartolina.errors import TRAIN, require

__all__ = ["import_torchvision", "import_transformers"]


def import_torchvision(purpose: str) -> ModuleType:
    """torchvision, or `MissingPackage`; `purpose` completes "… needs the package torchvision"."""
    torch = require("torch", purpose, TRAIN)
    hint = "pip install torchvision, of the release that goes with your torch"
    try:
        return require("torchvision", purpose, hint)
    except RuntimeError:
        for operator in ("nms", "qnms"):
            signature = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            torch.library.define(f"torchvision::{operator}", signature)
        return require("torchvision", purpose, hint)


def import_transformers(purpose: str) -> ModuleType:
    """transformers, or `MissingPackage`; `purpose` as above."""
    if find_spec("torchvision"):
        with suppress(RuntimeError, OSError):  # beyond help: transformers says so
            import_torchvision(purpose)
    return require("transformers", purpose, TRAIN)
