"""Symmetric InfoNCE in which every caption of a photo is a positive.

With unit rows u (photos) and v (captions), scale t, and P(i) the captions of the same photo as row i, P'(j)
the rows that show caption j's photo:

    s_ij = t · <u_i, v_j>
    L_image = − 1/N Σ_i 1/|P(i)|  Σ_{j ∈ P(i)}  log softmax_j(s_i·)
    L_text  = − 1/M Σ_j 1/|P'(j)| Σ_{i ∈ P'(j)} log softmax_i(s_·j)
    L = (L_image + L_text) / 2

Label smoothing ε puts ε of the target evenly on all. With one caption a photo and none twice it is the loss
of CLIP (Radford et al. 2021); the mean of logs over positives is that of SupCon (Khosla et al. 2020), and
it keeps a photo that comes twice in a batch, or its mirror, from being its own negative.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.nn import functional

__all__ = ["Contrastive", "Pairs", "Temperature", "gather", "gathered", "info_nce"]


class Pairs(NamedTuple):
    """What a model of photos and captions returns for a batch.

    `image` (N, D) and `text` (M, D): unit rows. `image_key` (N,) and `text_key` (M,) int64: equal where
    photo and caption belong together. `scale`: the scalar t, the inverse temperature.
    """

    image: Tensor
    text: Tensor
    image_key: Tensor
    text_key: Tensor
    scale: Tensor


class Temperature(nn.Module):
    """The learnable scale t = exp(log_scale), held within [least, most].

    The parameter itself is clamped, as CLIP does: clamping its exponential would leave a scale that once
    went over the bound without gradient, stuck there.
    """

    def __init__(self, start: float = 20.0, least: float = 1.0, most: float = 100.0) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(math.log(start)))
        self.bounds = (math.log(least), math.log(most))

    def forward(self) -> Tensor:
        """The scale, a scalar."""
        if self.training:  # in eval nothing changes: only process 0 validates
            with torch.no_grad():
                self.log_scale.clamp_(*self.bounds)
        return self.log_scale.clamp(*self.bounds).exp()


class Contrastive:
    """The objective: `model(batch)` gives `Pairs`, or a list of them (several heads), whose losses add up.

    With several processes the rows of all are gathered first: each photo meets the captions of the whole
    batch, and the loss and gradients are those of one process.
    """

    def __init__(self, smoothing: float = 0.05) -> None:
        self.smoothing = smoothing

    def __call__(self, model: nn.Module, batch: object) -> Tensor:
        """The loss, a scalar."""
        output = model(batch)
        heads = [output] if isinstance(output, Pairs) else list(output)
        return torch.stack([info_nce(gathered(head), self.smoothing) for head in heads]).sum()


def info_nce(pairs: Pairs, smoothing: float = 0.0) -> Tensor:
    """The loss of the module's formula, a scalar.

    Every photo must have a caption in the batch and every caption its photo.
    """
    logits = pairs.scale * pairs.image @ pairs.text.T  # (N, M)
    together = (pairs.image_key[:, None] == pairs.text_key[None, :]).to(logits.dtype)  # (N, M)
    by_image = together / together.sum(1, keepdim=True)
    by_text = (together / together.sum(0, keepdim=True)).T
    return 0.5 * (
        functional.cross_entropy(logits, by_image, label_smoothing=smoothing)
        + functional.cross_entropy(logits.T, by_text, label_smoothing=smoothing)
    )


def gathered(pairs: Pairs) -> Pairs:
    """The pairs of all processes together."""
    image, text, image_key, text_key = (gather(rows) for rows in pairs[:4])
    return Pairs(image, text, image_key, text_key, pairs.scale)


def gather(rows: Tensor) -> Tensor:
    """The `rows` of all processes under one another, in the order of the processes; alone, as they are.

    Gradients flow back to the process that computed a row, summed over the processes' losses; as each
    computes the loss of the whole batch and their gradients are then averaged, that is the gradient of it.
    """
    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
        return rows
    everybody: Tensor = _Gather.apply(rows)  # type: ignore[no-untyped-call]
    return everybody


class _Gather(torch.autograd.Function):
    """All processes' rows; backward: the sum of what all processes' losses ask of mine."""

    @staticmethod
    def forward(ctx: FunctionCtx, rows: Tensor) -> Tensor:
        counts = [torch.zeros(1, dtype=torch.int64, device=rows.device) for _ in range(dist.get_world_size())]
        dist.all_gather(counts, torch.tensor([len(rows)], device=rows.device))
        sizes = [int(count) for count in counts]
        before = sum(sizes[: dist.get_rank()])
        ctx.mine = slice(before, before + len(rows))  # type: ignore[attr-defined]
        # Processes may hold different numbers of captions; the collective wants equal shapes.
        padded = functional.pad(rows, [0, 0] * (rows.ndim - 1) + [0, max(sizes) - len(rows)])
        everybody = [torch.empty_like(padded) for _ in sizes]
        dist.all_gather(everybody, padded)
        return torch.cat([part[:size] for part, size in zip(everybody, sizes, strict=True)])

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> Tensor:
        gradient = gradient.contiguous()
        dist.all_reduce(gradient)
        return gradient[ctx.mine]  # type: ignore[attr-defined]
