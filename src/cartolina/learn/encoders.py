"""What may learn from pixels: a torch network by name, and which of its parts stay as they are.

    encoder = open_encoder("efficientnet-lite0")                    # all below the last block is frozen
    encoder = open_encoder("torchvision:googlenet", free=["inception4e", "inception5a", "inception5b"])
    encoder = open_encoder("small@64", from_scratch=True)

Learning from web data, section 3: GoogLeNet with its ImageNet weights, the layers below inception_4e frozen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import nn

from cartolina.errors import TRAIN, InputError, UnknownName, require
from cartolina.learn.finetune import split
from cartolina.learn.fit import seeded
from cartolina.learn.small_net import SmallNet
from cartolina.vision.backbones import FAMILIES, backbone
from cartolina.vision.efficientnet import SIZES, lite_module
from cartolina.vision.preprocessing import Preprocessing
from cartolina.vision.torch_backbone import TorchBackbone

__all__ = ["FREE", "SMALL", "Encoder", "open_encoder"]

SMALL, SMALL_SIZE = "small", 96
ALL, SCRATCH = ("all",), ("scratch",)

_LITE = ("_blocks.15", "_conv_head", "_bn1")
FREE: dict[str, tuple[str, ...]] = {
    "efficientnet-lite0": _LITE,
    "efficientnet-lite2": ("_blocks.20", "_conv_head", "_bn1"),
    "torchvision:googlenet": ("inception4e", "inception5a", "inception5b"),  # the papers'
}
"""Which parts learn where nobody says which."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """Pixels -> features (*shape), in two: `trunk` stays as it is (None: nothing does), `tail` learns.

    `module` is both, with the very same weights: what the tail learns, it has. `free` names the parts that
    learn; ("scratch",) says that nothing was known, so that batch norms learn their statistics as well.
    `preprocessing` is the network's own.
    """

    name: str
    free: tuple[str, ...]
    module: nn.Module
    trunk: nn.Module | None
    tail: nn.Module
    preprocessing: Preprocessing
    shape: tuple[int, ...]

    @property
    def from_scratch(self) -> bool:
        """Whether it begins with random weights."""
        return self.free == SCRATCH

    def stored(self, side: int) -> Preprocessing:
        """How a photo becomes the square of `side` pixels that crops are cut from."""
        return replace(self.preprocessing, size=side, crop_fraction=1.0)

    def shown(self, side: int) -> Preprocessing:
        """How a photo is shown to the network afterwards: the middle of that square, at the same scale."""
        return replace(self.preprocessing, crop_fraction=self.preprocessing.size / side)


def open_encoder(
    name: str, *, free: Sequence[str] | None = None, from_scratch: bool = False, seed: int = 0
) -> Encoder:
    """The network called `name`, as `cartolina.vision.backbone` names them, or "small" (from scratch only).

    `free`: the parts that learn, to the last (`finetune.split` says which can be named); ("all",) for
    everything, () for nothing but a head on top, None for `FREE`'s. `from_scratch`: with random weights,
    drawn with `seed`, and everything learns.
    Raises `UnknownName`, `InputError` for an ONNX file or parts that will not do, `MissingPackage`.
    """
    if from_scratch and free is not None:
        raise InputError("from scratch everything learns: leave out which parts are free")
    body, _, size = name.partition("@")
    if body == SMALL and not from_scratch:
        raise InputError("the small network has no weights of its own: it can only learn from scratch")
    with seeded(seed):
        module, preprocessing = _network(name, body, int(size) if size.isdigit() else None, from_scratch)
    side = preprocessing.size
    with torch.no_grad():
        shape = tuple(module.eval()(torch.zeros(1, 3, side, side)).shape[1:])
    if from_scratch or (free is not None and tuple(free) == ALL):
        module.requires_grad_(True)
        return Encoder(name, SCRATCH if from_scratch else ALL, module, None, module, preprocessing, shape)
    if free is None:
        free = FREE.get(":".join(body.split(":")[:2]))
        if free is None:
            parts = ", ".join(part for part, _ in module.named_children())
            raise InputError(f"say which parts of {name!r} learn: some of {parts} to the last, or 'all'")
    if not free:
        return Encoder(name, (), module, module.requires_grad_(False), nn.Identity(), preprocessing, shape)
    trunk, tail = split(module, free)
    return Encoder(name, tuple(free), module, trunk, tail, preprocessing, shape)


def _network(name: str, body: str, size: int | None, from_scratch: bool) -> tuple[nn.Module, Preprocessing]:
    if body == SMALL:
        return SmallNet(), Preprocessing(size or SMALL_SIZE)
    if body in SIZES:
        preprocessing = Preprocessing(size or SIZES[body], mean=(127.0,) * 3, std=(128.0,) * 3)
        if not from_scratch:
            return lite_module(body, size), preprocessing
        package = require("efficientnet_lite_pytorch", f"the network {name}", TRAIN)
        module = package.EfficientNet.from_name(body, image_size=[preprocessing.size] * 2)
        module._fc = nn.Identity()
        return module, preprocessing
    family = body.partition(":")[0]
    if family == "onnx":
        raise InputError(f"{name!r} is an ONNX file, which cannot learn: name the torch network it came from")
    if family not in FAMILIES:
        known = [SMALL, *SIZES, *(f"{one}:…" for one in FAMILIES if one != "onnx")]
        raise UnknownName("network", name, known)
    if from_scratch and not body.endswith(":random"):
        raise InputError(f"from scratch {name!r} has random weights: write {body}:random")
    found = backbone(name, "cpu")
    assert isinstance(found, TorchBackbone)
    return found.module, found.preprocessing
