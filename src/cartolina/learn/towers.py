"""Two towers that meet: ψ from a photo's features, and a head on the φ of a text, as unit rows.

A tower is several heads side by side, each a linear map and a small perceptron with its own random start; of
several backbones, some heads see all and some one. Each learns alone; their unit vectors are laid end to end,
so that the cosine of two whole vectors is the mean of the heads' cosines: an ensemble searched as one vector.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from cartolina.learn.canonical import Directions
from cartolina.learn.contrastive import Pairs, Temperature

__all__ = [
    "Batch",
    "Features",
    "Head",
    "ImageTower",
    "Joint",
    "Shortened",
    "Tower",
    "perceptron",
    "principal_axes",
]


def perceptron(width_in: int, hidden: int, width_out: int, dropout: tuple[float, float]) -> nn.Sequential:
    """(N, width_in) -> (N, width_out): one hidden layer; `dropout` of its inputs and of the hidden layer."""
    return nn.Sequential(
        nn.LayerNorm(width_in),
        nn.Dropout(dropout[0]),
        nn.Linear(width_in, hidden),
        nn.GELU(),
        nn.Dropout(dropout[1]),
        nn.Linear(hidden, width_out),
    )


class Features(nn.Module):
    """The features of all backbones, (N, *shape) each, made one row (N, `width`).

    The square root of the averages (with its sign, for backbones that have one) keeps a few strong channels
    from outweighing the many weak ones; equal lengths keep one backbone from outweighing another.
    """

    def __init__(self, shapes: Sequence[tuple[int, ...]]) -> None:
        super().__init__()
        ends = np.cumsum([0, *(math.prod(shape) for shape in shapes)]).tolist()
        self.width: int = ends[-1]
        self.parts = [slice(start, stop) for start, stop in pairwise(ends)]  # each backbone's columns

    def forward(self, *features: Tensor) -> Tensor:
        """(N, width) float32; each backbone's part of a row has length √(its number of features)."""
        parts = []
        for given in features:
            flat = given.flatten(1)  # (N, *shape) -> (N, F)
            # sign · √|x|, written so that neither torch nor ONNX meets the root's infinite slope at 0
            rooted = flat.sign() * (flat.abs() + 1e-12).sqrt()
            parts.append(functional.normalize(rooted, dim=1) * math.sqrt(flat.shape[1]))
        return torch.cat(parts, dim=1)


class Head(nn.Module):
    """(N, F) -> (N, dim), of no particular length: the canonical map, and what a perceptron adds to it.

    Both are trained; the map starts where `canonical_directions` put it, the perceptron near nothing.
    Directions beyond those the closed form has start at zero.
    """

    def __init__(self, start: Directions, hidden: int, dim: int, dropout: tuple[float, float]) -> None:
        super().__init__()
        width, known = start.weight.shape
        self.register_buffer("mean", torch.from_numpy(start.mean))
        self.mean: Tensor
        self.spread = start.spread
        self.dropout = nn.Dropout(dropout[0])
        self.straight = nn.Linear(width, dim, bias=False)
        last = nn.Linear(hidden, dim)
        self.bent = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Dropout(dropout[1]), last)
        with torch.no_grad():
            self.straight.weight.zero_()
            self.straight.weight[:known] = torch.from_numpy(start.weight.T) * start.spread
            last.weight.mul_(0.02)  # not 0, or directions beyond the known ones would never move
            last.bias.zero_()

    def forward(self, rows: Tensor) -> Tensor:
        """What the head makes of `rows`."""
        rows = self.dropout((rows - self.mean) / self.spread)
        result: Tensor = self.straight(rows) + self.bent(rows)
        return result


class Tower(nn.Module):
    """(N, width) -> unit rows (N, heads · dim); head i sees the columns `parts[i]`."""

    def __init__(self, heads: Sequence[nn.Module], parts: Sequence[slice]) -> None:
        super().__init__()
        self.heads = nn.ModuleList(heads)
        self.parts = tuple(parts)

    def each(self, rows: Tensor) -> list[Tensor]:
        """What each head makes of `rows` (N, width): unit rows (N, dim)."""
        return [
            functional.normalize(head(rows[:, part]), dim=1)
            for head, part in zip(self.heads, self.parts, strict=True)
        ]

    def forward(self, rows: Tensor) -> Tensor:
        """The heads' vectors end to end."""
        return torch.cat(self.each(rows), dim=1) / math.sqrt(len(self.heads))


class ImageTower(nn.Module):
    """`tower` on the features of several backbones: (N, *shape_i) each -> unit rows (N, D)."""

    def __init__(self, features: Features, tower: Tower) -> None:
        super().__init__()
        self.features, self.tower = features, tower

    def each(self, *features: Tensor) -> list[Tensor]:
        """What each head makes of the photos: unit rows (N, dim)."""
        return self.tower.each(self.features(*features))

    def forward(self, *features: Tensor) -> Tensor:
        """The photos' vectors."""
        result: Tensor = self.tower(self.features(*features))
        return result


class Shortened(nn.Module):
    """A tower's unit rows on their principal `axes` (D, short), again of length 1: (N, short).

    What the heads agree on they say several times; a third of the numbers says it as well (docs/quality.md).
    """

    def __init__(self, tower: nn.Module, axes: Tensor) -> None:
        super().__init__()
        self.tower = tower
        self.register_buffer("axes", axes.detach().clone())
        self.axes: Tensor

    def forward(self, *given: Tensor) -> Tensor:
        """The shorter rows."""
        return functional.normalize(self.tower(*given) @ self.axes, dim=1)


def principal_axes(rows: Tensor, dim: int) -> Tensor:
    """The `dim` directions in which `rows` (N, D) are longest, (D, min(dim, D)), orthonormal.

    Not centred: cosines are to be kept, not variances.
    """
    axes: Tensor = torch.linalg.eigh((rows.T @ rows).double())[1]  # columns, the shortest first
    return axes.flip(1)[:, :dim].float()


class Batch(NamedTuple):
    """Photos and their captions: features of each backbone (N, *shape), φ (M, D), and whose each is."""

    features: list[Tensor]
    phi: Tensor
    image_key: Tensor
    text_key: Tensor


class Joint(nn.Module):
    """Both towers while they learn: a batch -> the `Pairs` of each head."""

    def __init__(self, image: ImageTower, text: Tower, temperature: Temperature) -> None:
        super().__init__()
        self.image, self.text, self.temperature = image, text, temperature

    def forward(self, batch: Batch) -> list[Pairs]:
        """One `Pairs` a head; each has its own loss, so that none leans on another."""
        scale = self.temperature()
        return [
            Pairs(image, text, batch.image_key, batch.text_key, scale)
            for image, text in zip(self.image.each(*batch.features), self.text.each(batch.phi), strict=True)
        ]
