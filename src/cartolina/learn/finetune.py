"""Fine-tuning the last blocks of a torch backbone: an option; frozen features are the default.

    trunk, tail = split(module, ["layer4"])             # everything from layer4 on may learn
    model = Tuned(tail, head)                           # batches of cached trunk activations, or
    model = Tuned(tail, head, trunk=trunk)              # batches of pixels (augmented, never the same twice)
    fit(model, …)                                       # the same loop as for everything else
    backbone = tuned_backbone(trunk, tail, old.name, old.preprocessing)

The papers freeze GoogLeNet below inception_4e (seed 003) and train what is above it with the head.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, fx, nn
from torch.fx.passes.split_module import split_module

from cartolina.errors import InputError, UnknownName
from cartolina.vision.preprocessing import Preprocessing
from cartolina.vision.torch_backbone import TorchBackbone

__all__ = ["Split", "Tuned", "activations", "split", "tuned_backbone"]

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


class Split(NamedTuple):
    """A backbone in two: `tail(trunk(pixels))` is what it gave. The trunk is frozen."""

    trunk: nn.Module
    tail: nn.Module


def split(module: nn.Module, tail: Sequence[str]) -> Split:
    """Cut `module` (pixels -> features) before the first of the parts named in `tail`.

    `tail`: names of submodules as `named_modules` gives them ("layer4", "_blocks.15"); all that has weights
    from there on must be named, or lie inside what is named. The cut must be where a single tensor passes.
    The weights are shared with `module`, which is put in eval mode.
    Raises `UnknownName` for a name it has not, `InputError` where it cannot be cut.
    """
    names = dict(module.named_modules())
    for name in tail:
        if name not in names:
            raise UnknownName("part of the backbone", name, (n for n in names if n))
    graph = _traced(module)
    nodes = [node for node in graph.graph.nodes if node.op not in ("placeholder", "output")]
    inside = [any(_within(str(node.target), name) for name in tail) for node in nodes]
    if not any(inside):
        raise InputError(f"the backbone never calls {', '.join(tail)}: name parts that it runs")
    start = inside.index(True)
    if start == 0:
        raise InputError(f"{tail[0]!r} is the first part of the backbone: nothing would be left frozen")
    first = nodes[start].target
    for node, named in zip(nodes[start:], inside[start:], strict=True):
        if not named and node.op == "call_module" and list(graph.get_submodule(node.target).parameters()):
            raise InputError(f"{node.target!r} comes after {first!r}: name it in the tail as well")
    order = {node: int(position >= start) for position, node in enumerate(nodes)}
    halves = split_module(graph, module, lambda node: order[node])
    trunk, last = halves.submod_0, halves.submod_1
    assert isinstance(trunk, nn.Module)
    assert isinstance(last, fx.GraphModule)
    crossing = [node.name for node in last.graph.nodes if node.op == "placeholder"]
    if len(crossing) != 1:
        raise InputError(
            f"{len(crossing)} tensors pass before {first!r} ({', '.join(crossing)}): cut where a block begins"
        )
    return Split(trunk.requires_grad_(False).eval(), last)


def _traced(module: nn.Module) -> fx.GraphModule:
    try:
        return fx.symbolic_trace(module.eval())
    except Exception as error:
        raise InputError(
            f"{type(module).__name__} cannot be cut in two: torch.fx does not follow its forward ({error})"
        ) from error


def _within(target: str, name: str) -> bool:
    return target == name or target.startswith(name + ".")


class Tuned(nn.Module):
    """The trained part of a fine-tuned model: `head(tail(x), *rest)`.

    x: the trunk's activations, or pixels where `trunk` is given. Batch norms of the tail keep their running
    statistics, which were taken over far more pictures than our batches hold; their scale and shift learn.
    """

    def __init__(self, tail: nn.Module, head: nn.Module, *, trunk: nn.Module | None = None) -> None:
        super().__init__()
        self.tail, self.head, self.trunk = tail, head, trunk

    def forward(self, images: Tensor, *rest: Tensor) -> Tensor:
        """What the head makes of the features and of the rest of the batch."""
        if self.trunk is not None:
            with torch.no_grad():
                images = self.trunk(images)
        result: Tensor = self.head(self.tail(images), *rest)
        return result

    def train(self, mode: bool = True) -> Tuned:
        """As `nn.Module.train`, but the trunk and the batch norms stay in eval mode."""
        super().train(mode)
        if self.trunk is not None:
            self.trunk.eval()
        for part in self.tail.modules():
            if isinstance(part, NORMS):
                part.eval()
        return self


def activations(trunk: nn.Module, pixels: Iterable[NDArray[np.float32]], out: NDArray[np.float16]) -> None:
    """Run the trunk once over batches of `pixels`, (B, 3, H, W) float32 each, into the rows of `out`.

    `out` (N, …) may be a memory map: a trunk's activations are large.
    """
    done = 0
    for batch in pixels:
        with torch.inference_mode():
            out[done : done + len(batch)] = trunk(torch.from_numpy(batch)).numpy()
        done += len(batch)
    if done != len(out):
        raise InputError(f"{done} pictures were given for {len(out)} rows of activations")


def tuned_backbone(
    trunk: nn.Module, tail: nn.Module, name: str, preprocessing: Preprocessing, device: str = "auto"
) -> TorchBackbone:
    """The whole backbone again, called `name` + ":tuned"; its fingerprint follows from its weights."""
    whole = nn.Sequential(trunk, tail)
    return TorchBackbone(whole, name=f"{name}:tuned", preprocessing=preprocessing, device=device)
