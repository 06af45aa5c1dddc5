"""How weights move: optimisers, learning-rate schedules and averages of weights, as plain values.

They are frozen dataclasses so that a run can be told from another by its settings (see `learn.fit`).

>>> Cosine(warmup=10)(5, 100)  # the sixth of ten steps up
0.6
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

__all__ = ["AdamW", "Constant", "Cosine", "Ema", "Sgd", "Steps", "Swa"]


@dataclass(frozen=True, slots=True)
class AdamW:
    """Adam with decoupled weight decay; biases, norms and scalars (ndim < 2) do not decay.

    `lr_factors` are (prefix, factor): parameters whose name begins with the prefix learn at factor × lr
    (the trained tail of a backbone slower than the head on top of it); the first prefix that fits counts.
    """

    lr: float = 1e-3
    weight_decay: float = 0.02
    betas: tuple[float, float] = (0.9, 0.98)
    lr_factors: tuple[tuple[str, float], ...] = ()

    def build(self, model: nn.Module) -> torch.optim.Optimizer:
        """The optimiser over the trainable parameters of `model`."""
        groups = _groups(model, self.lr, self.weight_decay, self.lr_factors)
        return torch.optim.AdamW(groups, lr=self.lr, betas=self.betas)


@dataclass(frozen=True, slots=True)
class Sgd:
    """Stochastic gradient descent; the defaults are those of seed 003, section 3 (GoogLeNet)."""

    lr: float = 1e-3
    momentum: float = 0.9
    weight_decay: float = 0.0
    lr_factors: tuple[tuple[str, float], ...] = ()

    def build(self, model: nn.Module) -> torch.optim.Optimizer:
        """The optimiser over the trainable parameters of `model`."""
        groups = _groups(model, self.lr, self.weight_decay, self.lr_factors)
        return torch.optim.SGD(groups, lr=self.lr, momentum=self.momentum)


def _groups(
    model: nn.Module, lr: float, weight_decay: float, lr_factors: tuple[tuple[str, float], ...]
) -> list[dict[str, Any]]:
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            factor = next((f for prefix, f in lr_factors if name.startswith(prefix)), 1.0)
            decay = weight_decay if parameter.ndim >= 2 else 0.0
            groups.setdefault((lr * factor, decay), []).append(parameter)
    return [{"params": p, "lr": lr, "weight_decay": decay} for (lr, decay), p in groups.items()]


@dataclass(frozen=True, slots=True)
class Constant:
    """The learning rate stays."""

    def __call__(self, step: int, total: int) -> float:
        """The factor on the learning rate at `step` (from 0) of `total`."""
        return 1.0


@dataclass(frozen=True, slots=True)
class Cosine:
    """Linear warm-up over `warmup` steps under a cosine that reaches `floor` (of the rate) at the end."""

    warmup: int = 20
    floor: float = 0.0

    def __call__(self, step: int, total: int) -> float:
        """The factor on the learning rate at `step` (from 0) of `total`."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, total - self.warmup)
        return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


@dataclass(frozen=True, slots=True)
class Steps:
    """The rate is multiplied by `factor` every `every` steps (seed 003: 0.1 every 100,000)."""

    every: int = 100_000
    factor: float = 0.1

    def __call__(self, step: int, total: int) -> float:
        """The factor on the learning rate at `step` (from 0) of `total`."""
        return float(self.factor ** (step // self.every))


@dataclass(frozen=True, slots=True)
class Ema:
    """The exponential moving average of the weights, taken after every step."""

    decay: float = 0.999

    def build(self, model: nn.Module) -> AveragedModel:
        """A copy of `model` that follows it."""
        follow = get_ema_multi_avg_fn(self.decay)  # type: ignore[no-untyped-call]
        return AveragedModel(model, multi_avg_fn=follow)

    def due(self, done: float, *, ends_epoch: bool) -> bool:
        """Whether the average takes the weights in after this step, at the fraction `done` of the run."""
        return True


@dataclass(frozen=True, slots=True)
class Swa:
    """The mean of the weights at the end of each epoch after the fraction `start` of all (Izmailov 2018)."""

    start: float = 0.75

    def build(self, model: nn.Module) -> AveragedModel:
        """A copy of `model` that averages it."""
        return AveragedModel(model)

    def due(self, done: float, *, ends_epoch: bool) -> bool:
        """Whether the average takes the weights in after this step, at the fraction `done` of the run."""
        return ends_epoch and done > self.start
