"""The topics of a text, by numpy alone (Blei et al. 2003, §5.2; Hoffman et al. 2010, algorithm 1).

For a text with the counts n of its words, γ ~ how much of it each topic K has:

    γ ← α + exp E[log θ] · Σ_w n_w exp E[log β_w] / (exp E[log θ] · exp E[log β_w]),   E[log x] = ψ(x) − ψ(Σ
    x)

until it moves by less than .001 on average, 50 times at most: gensim's numbers. gensim begins each time at
other random γ; here they are all 1, their mean, so that a text has the same topics each time. Texts of as
many different words are worked on side by side, in shapes that do not depend on how many they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["digamma", "topics_of"]

ITERATIONS, THRESHOLD = 50, 1e-3
BATCH = 256


def topics_of(
    texts: Sequence[NDArray[np.int64]],
    weights: NDArray[np.float32],
    totals: NDArray[np.float32],
    alpha: NDArray[np.float32],
) -> NDArray[np.float32]:
    """How much of each text each topic has: (N, K) float32, rows that sum to 1; zeros without words.

    A text is its words' rows, repeats included; `weights` (V, K) is λ, the topics' pseudo-counts of words, a
    word a row; `totals` (K,) their sums; `alpha` (K,) the prior.
    """
    shares = np.zeros((len(texts), len(alpha)), np.float32)
    alike: dict[int, list[int]] = defaultdict(list)
    counted = [np.unique(text, return_counts=True) for text in texts]
    for row, (words, _) in enumerate(counted):
        alike[len(words)].append(row)
    alike.pop(0, None)
    of_totals = digamma(totals)
    for size, rows in alike.items():
        for start in range(0, len(rows), BATCH if size < 100 else 1):
            some = rows[start : start + (BATCH if size < 100 else 1)]
            words = np.stack([counted[row][0] for row in some])  # (B, L)
            counts = np.stack([counted[row][1] for row in some]).astype(np.float32)  # (B, L)
            beta = np.exp(digamma(weights[words]) - of_totals)  # (B, L, K)
            gamma = _gamma(counts, beta, alpha)
            shares[some] = gamma / gamma.sum(axis=1, keepdims=True)
    return shares


def _gamma(
    counts: NDArray[np.float32], beta: NDArray[np.float32], alpha: NDArray[np.float32]
) -> NDArray[np.float32]:
    """γ of B texts, (B, K): each until it no longer moves, whatever the others do."""
    tiny = np.finfo(np.float32).eps
    gamma = np.ones((len(counts), len(alpha)), np.float32)
    moving = np.arange(len(counts))
    for _ in range(ITERATIONS):
        some = beta[moving]  # (b, L, K)
        before = gamma[moving]
        theta = np.exp(digamma(before) - digamma(before.sum(axis=1, keepdims=True)))  # (b, K)
        likely = np.matmul(some, theta[:, :, None])[:, :, 0] + tiny  # (b, L)
        after = alpha + theta * np.matmul((counts[moving] / likely)[:, None, :], some)[:, 0]
        gamma[moving] = after
        moving = moving[np.abs(after - before).mean(axis=1) >= THRESHOLD]
        if not moving.size:
            break
    return gamma


def digamma(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """ψ, the derivative of log Γ, of positive numbers: float32, within 1e-6 of the number or of its size.

    Above 6 by the asymptotic series (Abramowitz & Stegun 6.3.18), below by ψ(x) = ψ(x + 6) − Σ 1 / (x + i).
    """
    x = np.asarray(x, np.float32)
    shift = np.zeros_like(x)
    for step in range(6):
        shift += 1 / (x + np.float32(step))
    high = x + np.float32(6)
    square = 1 / (high * high)
    series = square * (np.float32(1 / 12) - square * (np.float32(1 / 120) - square * np.float32(1 / 252)))
    result: NDArray[np.float32] = np.log(high) - np.float32(0.5) / high - series - shift
    return result
