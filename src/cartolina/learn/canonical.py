"""Canonical correlation: the linear maps of two kinds of rows that agree most, in closed form.

    W_x = (C_xx + ρ_x v_x I)^(−1/2),  W_y likewise,  U diag(s) Vᵀ = W_x C_xy W_y
    x ↦ (x − x̄) W_x U diag(s),  y ↦ (y − ȳ) W_y V diag(s)

Regularised CCA (Vinod 1976), its directions weighted by their correlations s as in Gong et al. 2014 (IJCV,
section 3.3). v is the mean variance of a column, so ρ has no unit. In seconds it is nearly as good as a
perceptron trained for minutes (docs/quality.md), which is why learning starts from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Directions", "canonical_directions"]

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Directions:
    """The map of one kind of rows: x ↦ (x − `mean`) @ `weight`.

    `mean` (F,), `weight` (F, D) float32, scaled so that mapped rows have length 1 on average (root mean
    square); `spread`: the root mean variance of a column of the rows themselves.
    """

    mean: Floats
    weight: Floats
    spread: float


def canonical_directions(
    x: Floats, y: Floats, owner: NDArray[np.int64], dim: int, *, ridge: tuple[float, float] = (1.0, 0.1)
) -> tuple[Directions, Directions]:
    """The maps of photos `x` (N, F) and captions `y` (M, G) to at most `dim` shared numbers.

    `owner` (M,): the photo, 0 to N − 1, each caption is of; every photo has one at least, and counts the
    same however many it has. `ridge`: ρ of photos and of captions. D = min(dim, F, G).
    """
    weights = (1.0 / np.bincount(owner, minlength=len(x)))[owner] / len(x)  # (M,), of sum 1
    mean_x, mean_y = x.mean(axis=0, dtype=np.float64), weights @ y
    centred_x, centred_y = x - mean_x, y - mean_y
    of_photo = np.zeros((len(x), y.shape[1]))  # (N, G): the mean caption of each photo, over N
    np.add.at(of_photo, owner, centred_y * weights[:, None])
    cov_x = centred_x.T @ centred_x / len(x)
    cov_y = centred_y.T @ (centred_y * weights[:, None])
    white_x, white_y = _inverse_root(cov_x, ridge[0]), _inverse_root(cov_y, ridge[1])
    left, strength, right = np.linalg.svd(white_x @ (centred_x.T @ of_photo) @ white_y, full_matrices=False)
    map_x = (white_x @ left * strength)[:, :dim]  # (F, D)
    map_y = (white_y @ right.T * strength)[:, :dim]  # (G, D)
    return _directions(mean_x, map_x, cov_x), _directions(mean_y, map_y, cov_y)


def _inverse_root(covariance: NDArray[np.float64], ridge: float) -> NDArray[np.float64]:
    """(C + ridge · v · I)^(−1/2), symmetric."""
    variances, axes = np.linalg.eigh(covariance)
    # Rounding may leave a variance slightly below 0; a column that never varies must not divide by it.
    variances = np.maximum(variances, 0) + max(ridge * np.trace(covariance) / len(covariance), 1e-12)
    return np.asarray((axes / np.sqrt(variances)) @ axes.T)


def _directions(
    mean: NDArray[np.float64], weight: NDArray[np.float64], covariance: NDArray[np.float64]
) -> Directions:
    length = np.sqrt(np.trace(weight.T @ covariance @ weight))
    spread = np.sqrt(np.trace(covariance) / len(covariance))
    scaled = weight / max(length, 1e-12)
    return Directions(mean.astype(np.float32), scaled.astype(np.float32), max(float(spread), 1e-12))
