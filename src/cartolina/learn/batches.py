"""Which rows make a batch: index arrays, drawn anew each epoch from one seed.

Features lie in memory, so a batch is an index array and a function that looks the rows up; there is no
worker process and nothing to pickle. The batches of an epoch depend on the seed and the epoch alone, which
is what lets an interrupted run go on exactly as it would have.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cartolina.errors import InputError

__all__ = ["Sampler", "Shuffled", "share"]


class Sampler(Protocol):
    """The batches of an epoch."""

    def __len__(self) -> int:
        """How many batches an epoch has."""

    def __call__(self, epoch: int) -> Iterator[NDArray[np.int64]]:
        """The index arrays of epoch `epoch` (from 0); the same each time it is asked."""


@dataclass(frozen=True, slots=True)
class Shuffled:
    """Each of `rows` once an epoch, in random order, `batch_size` at a time.

    `rows`: (N,) int64. The last, smaller batch is kept unless `drop_last` (batch statistics, or a
    contrastive loss that would have few negatives) and there is more than one.
    """

    rows: NDArray[np.int64] = field(repr=False)
    batch_size: int
    seed: int = 0
    drop_last: bool = False

    def __post_init__(self) -> None:
        if len(self.rows) == 0:
            raise InputError("there is nothing to learn from: 0 rows were given to the sampler")
        if self.batch_size < 1:
            raise InputError(f"a batch size of {self.batch_size} was given; it must be at least 1")

    def __len__(self) -> int:
        whole, rest = divmod(len(self.rows), self.batch_size)
        return whole if whole and (self.drop_last or not rest) else whole + 1

    def __call__(self, epoch: int) -> Iterator[NDArray[np.int64]]:
        """The batches of epoch `epoch`."""
        order = np.random.default_rng([self.seed, epoch]).permutation(self.rows)
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            yield order[start : start + self.batch_size]


def share(batch: NDArray[np.int64], rank: int, world: int) -> NDArray[np.int64]:
    """The rows of `batch` that process `rank` of `world` takes: every world-th one.

    All processes take equally many (the mean of their losses is then the loss of the batch), so up to
    world − 1 rows of a batch that does not divide are left out; a batch smaller than `world` is an error.
    """
    even = len(batch) - len(batch) % world
    if not even:
        raise InputError(f"a batch of {len(batch)} rows cannot be split among {world} processes")
    return batch[rank:even:world]
