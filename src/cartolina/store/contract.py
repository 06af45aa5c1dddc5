"""What every store promises, and the checks at its edge.

Scores are dot products of unit vectors, that is cosines. A hit's score depends on its vector and the query
only, never on its neighbours, the batch or the filter, so that equal pictures tie and ties go by key.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from cartolina.errors import InputError

__all__ = ["Hits", "Keys", "Store", "Vectors", "checked_keys", "checked_queries", "checked_vectors"]

Keys = NDArray[np.int64]
Vectors = NDArray[np.float32]

UNIT_TOLERANCE = 1e-3
"""How far a row's length may be from 1: float16 features and half-precision heads stay well inside."""


class Hits(NamedTuple):
    """One query's answer: `keys` (≤ k,) int64 and `scores` (≤ k,) float32, descending, ties by key."""

    keys: Keys
    scores: Vectors


class Store(Protocol):
    """Unit vectors under integer keys ≥ 0, searched by cosine."""

    @property
    def dim(self) -> int:
        """The length of the vectors."""

    def __len__(self) -> int:
        """How many keys have a vector."""

    def upsert(self, keys: Keys, vectors: Vectors) -> None:
        """Insert or replace `vectors` (N, dim), unit rows, under distinct `keys` (N,); durable on return.

        Raises `InputError`, with nothing changed, for wrong shapes, repeated or negative keys, numbers that
        are not finite and rows that are not of length 1.
        """

    def delete(self, keys: Keys) -> None:
        """Forget `keys` (N,); those not there are ignored."""

    def search(self, vectors: Vectors, k: int, allowed: Keys | None = None) -> list[Hits]:
        """The best `k` keys for each row of `vectors` (Q, dim), among the `allowed` ones (None: all).

        Fewer than `k` when fewer are there; `allowed` may name keys the store does not have.
        """

    def positions_of(self, keys: Keys) -> Keys:
        """Where the vectors of `keys` (N,) lie, −1 for those not there."""

    def vectors(self, keys: Keys) -> Vectors:
        """The vectors of `keys` (N,), all of which must be there (`KeyError`): (N, dim) float32, a copy."""


def checked_keys(keys: Keys) -> Keys:
    """`keys` as (N,) int64, or `InputError`."""
    array = np.asarray(keys)
    if array.ndim != 1 or (array.size and not np.issubdtype(array.dtype, np.integer)):
        raise InputError(f"keys are a row of integers, not {array.dtype} of shape {array.shape}")
    array = array.astype(np.int64, copy=False)
    if array.size and array.min() < 0:
        raise InputError(f"keys are 0 or more; got {array.min()}")
    return array


def checked_queries(vectors: Vectors, dim: int) -> Vectors:
    """`vectors` as (Q, dim) finite float32, contiguous, or `InputError`."""
    array = np.ascontiguousarray(vectors, dtype=np.float32)
    if array.ndim != 2 or array.shape[1] != dim:
        raise InputError(f"expected vectors of shape (N, {dim}), got {array.shape}")
    if not np.isfinite(array).all():
        raise InputError("a vector holds numbers that are not finite (NaN or infinity)")
    return array


def checked_vectors(keys: Keys, vectors: Vectors, dim: int) -> tuple[Keys, Vectors]:
    """What `upsert` takes: distinct keys and as many unit rows, or `InputError`."""
    keys, vectors = checked_keys(keys), checked_queries(vectors, dim)
    if len(keys) != len(vectors):
        raise InputError(f"{len(keys)} keys for {len(vectors)} vectors")
    if len(np.unique(keys)) != len(keys):
        raise InputError("a key is repeated: each may come once in an upsert")
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))
    if vectors.size and np.abs(lengths - 1).max() > UNIT_TOLERANCE:
        worst = int(np.abs(lengths - 1).argmax())
        raise InputError(f"vectors are unit rows; that of key {keys[worst]} has length {lengths[worst]:.4g}")
    return keys, vectors
