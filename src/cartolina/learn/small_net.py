"""A small network that learns from nothing but one's own photos: no ImageNet behind it.

Residual blocks (He et al. 2016) of two 3 × 3 convolutions at four widths, each width at half the side of the
one before. Group norms instead of batch norms: what a picture gives depends on that picture alone, so that
several processes learn what one learns, and the trained network is the one that is exported.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

__all__ = ["SmallNet"]

WIDTHS = (32, 64, 128, 256)
GROUPS = 8


class SmallNet(nn.Module):
    """(N, 3, S, S) -> (N, 256), the averages of the last map; 1.2 million weights."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        first = widths[0]
        self.stem = nn.Sequential(nn.Conv2d(3, first, 3, 2, 1, bias=False), nn.GroupNorm(GROUPS, first))
        before = (first, *widths)
        self.blocks = nn.Sequential(
            *(
                _Block(given, width, 1 if number == 0 else 2)
                for number, (given, width) in enumerate(zip(before, widths, strict=False))
            )
        )

    def forward(self, pixels: Tensor) -> Tensor:
        """What it sees of the pictures."""
        maps: Tensor = self.blocks(functional.relu(self.stem(pixels)))  # (N, C, S / 16, S / 16)
        return maps.mean((2, 3))


class _Block(nn.Module):
    """relu(x + f(x)), or its like at half the side and another width."""

    def __init__(self, given: int, width: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(given, width, 3, stride, 1, bias=False)
        self.first_norm = nn.GroupNorm(GROUPS, width)
        self.second = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.second_norm = nn.GroupNorm(GROUPS, width)
        self.past: nn.Module = nn.Identity()
        if stride != 1 or given != width:
            self.past = nn.Sequential(
                nn.Conv2d(given, width, 1, stride, bias=False), nn.GroupNorm(GROUPS, width)
            )

    def forward(self, x: Tensor) -> Tensor:
        inner = functional.relu(self.first_norm(self.first(x)))
        inner = self.second_norm(self.second(inner))
        return functional.relu(self.past(x) + inner)
