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
    traced = _traced(module, tail)
    nodes = list(traced.graph.nodes)
    inside = [node.op == "call_module" and any(_within(node.target, name) for name in tail) for node in nodes]
    if not any(inside):
        raise InputError(f"the backbone never calls {', '.join(tail)}: name parts that it runs")
    start = inside.index(True)
    first = nodes[start].target
    if not any(node.op == "call_module" for node in nodes[:start]):
        raise InputError(f"{first!r} is the first part of the backbone: nothing would be left frozen")
    for node, named in zip(nodes[start:], inside[start:], strict=True):
        if not named and node.op == "call_module" and list(traced.get_submodule(node.target).parameters()):
            raise InputError(f"{node.target!r} comes after {first!r}: name it in the tail as well")
    early = set(nodes[:start])
    sizes = [
        node for node in nodes if node.op == "call_method" and node.target == "size" and node.args[1:] == (0,)
    ]
    late = [node for node in nodes[start:] if node not in sizes]
    passing = {one for node in late for one in node.all_input_nodes if one in early} - set(sizes)
    if len(passing) != 1:
        listed = ", ".join(sorted(node.name for node in passing))
        raise InputError(f"{len(passing)} tensors pass before {first!r} ({listed}): cut where a block begins")
    (cut,) = passing
    with traced.graph.inserting_before(nodes[start]):
        rows = traced.graph.call_method("size", (cut, 0))
    for node in sizes:  # what passes has as many rows as the pixels had
        node.replace_all_uses_with(rows, delete_user_cb=lambda user: user in late)
    traced.graph.eliminate_dead_code()
    halves = split_module(traced, module, lambda node: int(node not in early))
    trunk, rest = halves.submod_0, halves.submod_1
    assert isinstance(trunk, nn.Module)
    assert isinstance(rest, nn.Module)
    return Split(trunk.requires_grad_(False).eval(), rest.eval())


def _traced(module: nn.Module, tail: Sequence[str]) -> fx.GraphModule:
    """The steps of `module`'s forward, whole submodules wherever none of `tail` lies inside them."""

    class Tracer(fx.Tracer):
        def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
            return not any(name.startswith(module_qualified_name + ".") for name in tail)

    try:
        return fx.GraphModule(module, Tracer().trace(module.eval()))
    except Exception as error:
        raise InputError(
            f"{type(module).__name__} cannot be cut in two: torch.fx does not follow its forward ({error})"
        ) from error


def _within(target: object, name: str) -> bool:
    return str(target) == name or str(target).startswith(name + ".")


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
