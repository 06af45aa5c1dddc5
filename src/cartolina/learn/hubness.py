"""Against hubs: what is near to everything is an answer to nothing.

In a space of many dimensions a few vectors, the hubs, are the nearest of very many queries (Radovanović et
al. 2010). How near a vector is to *any* query can be told beforehand from a bank of queries q_1 … q_B of the
training posts, and taken away from its scores (the querybank normalisation of Bogolin et al. 2022, CVPR,
which follows the inverted softmax of Smith et al. 2017; here one number a vector, so that search stays a dot
product):

    h(v) = 1/β · log 1/B Σ_b exp(β ⟨q_b, v⟩),     score(t, v) = ⟨t, v⟩ − α h(v)

As unit vectors with two more coordinates, which an album can store and a query can sum:

    photo [v, −α (h(v) − h̄) / c, c]     text [t, c, −α (h(t) − h̄′) / c]     each then of length 1

Texts have their own h, from a bank of photos, for the way from photos to captions. The difference of two
texts has 0 where each had c, so there no photo is favoured; nor is any when a photo is the query.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Unhubbed"]

ALPHA, BETA, WEIGHT = 0.6, 25.0, 0.35  # α, β, c


class Unhubbed(nn.Module):
    """A tower whose unit rows (N, D) are given the two coordinates: unit rows (N, D + 2).

    `bank` (B, D): vectors of the *other* kind; `own` (A, D): some of this kind, whose mean h is h̄.
    `first`: whether this kind's own h comes first, as for photos.
    """

    def __init__(self, tower: nn.Module, bank: Tensor, own: Tensor, *, first: bool) -> None:
        super().__init__()
        self.tower, self.first = tower, first
        self.register_buffer("bank", bank.detach().clone())
        self.bank: Tensor
        self.register_buffer("mean", self._nearness(own).mean())
        self.mean: Tensor

    def forward(self, *given: Tensor) -> Tensor:
        """What the tower makes of them, with the two coordinates."""
        rows: Tensor = self.tower(*given)  # (N, D)
        hubness = -ALPHA / WEIGHT * (self._nearness(rows) - self.mean)  # (N, 1)
        constant = torch.full_like(hubness, WEIGHT)
        pair = (hubness, constant) if self.first else (constant, hubness)
        return functional.normalize(torch.cat([rows, *pair], dim=1), dim=1)

    def _nearness(self, rows: Tensor) -> Tensor:
        """h, (N, 1)."""
        summed = torch.logsumexp(BETA * rows @ self.bank.T, dim=1, keepdim=True)
        return (summed - math.log(len(self.bank))) / BETA
