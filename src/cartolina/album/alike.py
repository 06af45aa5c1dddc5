"""Which pictures are nearly the same: by their perceptual hashes, and by what a backbone saw in them.

Two pictures are alike when at most `SURE` of their 128 bits differ, or when

    cos − WEIGHT · bits / 64 ≥ ENOUGH

of the cosine of their features and the bits that differ: a crop moves many bits and few features, other
compression moves features and no bits (docs/quality.md has what was measured). Bits are counted as they are
or mirrored, whichever is nearer.

All are compared with all, as matrix products over blocks. Features are first compared by 64 principal axes
and the length of what those leave out, of which the product is never below the cosine (Cauchy-Schwarz): no
pair is lost, and few are left to be compared whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cartolina.progress import Progress
from cartolina.vision.looks import BITS, HALF

__all__ = ["ENOUGH", "SURE", "WEIGHT", "Likeness", "stars"]

SURE, WEIGHT, ENOUGH = 12, 0.3, 0.7

ROWS, COLUMNS = 256, 8192
"""Pictures compared at a time: 8 MB of scores."""

AXES = 64
SAMPLE = 4096
"""Pictures from which the principal axes are taken."""

AT_ONCE = 2048
"""Features fetched together."""

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


class Likeness(NamedTuple):
    """How alike two pictures are: of 128 `bits` so many differ; `cosine` of their features, if known."""

    bits: int
    mirrored: bool
    cosine: float | None


def stars(
    signs: Floats,
    seen: NDArray[np.bool_],
    features: Callable[[Rows], Floats],
    progress: Progress,
    *,
    strict: bool = False,
) -> list[tuple[int, list[tuple[int, Likeness]]]]:
    """Groups of pictures, the best ones given first: each a row and the later rows that are like it.

    `signs` (N, 128) are hashes as ±1; `features(rows)` gives unit rows (n, F) of those that are `seen` (N,).
    A picture joins the best one that it is like itself, so that groups never drift from picture to picture;
    a row is in one group at most. `strict`: by bits alone, and not mirrored.
    """
    bounds = None if strict or not seen.any() else _bounds(seen, features)
    free = np.ones(len(signs), bool)
    groups: list[tuple[int, list[tuple[int, Likeness]]]] = []
    with progress.task("comparing", len(signs), "photos") as step:
        for start in range(0, len(signs), ROWS):
            stop = min(start + ROWS, len(signs))
            may = _candidates(signs, bounds, free, start, stop, strict=strict)
            for row in (np.flatnonzero(may.any(axis=1)) + start).tolist():
                if not free[row]:
                    continue
                others = np.flatnonzero(may[row - start]) + start
                others = others[(others > row) & free[others]]
                found = _like(row, others, signs, seen, features, strict=strict)
                if found:
                    groups.append((row, found))
                    free[[other for other, _ in found]] = False
            step.advance(stop - start)
    return groups


def _bounds(seen: NDArray[np.bool_], features: Callable[[Rows], Floats]) -> Floats:
    """(N, AXES + 1), whose products are never below the cosines; rows of zeros where nothing was seen."""
    rows = np.flatnonzero(seen)
    some = features(rows[:: max(1, len(rows) // SAMPLE)])
    _, vectors = np.linalg.eigh(some.T @ some)
    axes = vectors[:, -AXES:]  # (F, axes), those of the largest values
    bounds = np.zeros((len(seen), axes.shape[1] + 1), np.float32)
    for start in range(0, len(rows), AT_ONCE):
        part = rows[start : start + AT_ONCE]
        along = features(part) @ axes
        left = np.sqrt(np.maximum(0, 1 - np.square(along).sum(axis=1, keepdims=True)))
        bounds[part] = np.concatenate([along, left], axis=1)
    return bounds


def _candidates(
    signs: Floats, bounds: Floats | None, free: NDArray[np.bool_], start: int, stop: int, *, strict: bool
) -> NDArray[np.bool_]:
    """Which of the rows from `start` on may be like those of the block: (stop − start, N − start)."""
    may = np.zeros((stop - start, len(signs) - start), bool)
    for left in range(start, len(signs), COLUMNS):
        right = min(left + COLUMNS, len(signs))
        if not free[left:right].any():
            continue
        even = signs[start:stop, :HALF] @ signs[left:right, :HALF].T
        odd = signs[start:stop, HALF:] @ signs[left:right, HALF:].T
        agree = even + (odd if strict else np.abs(odd))  # 128 − 2 × the bits that differ
        near = agree >= BITS - 2 * SURE
        if bounds is not None:
            agree *= WEIGHT / 128
            agree += bounds[start:stop] @ bounds[left:right].T
            near |= agree >= ENOUGH + WEIGHT - 1e-3  # a little less: sums in single precision
        may[:, left - start : right - start] = near
    diagonal = np.arange(stop - start)
    may[diagonal, diagonal] = False
    may[~free[start:stop]] = False
    return may


def _like(
    row: int,
    others: Rows,
    signs: Floats,
    seen: NDArray[np.bool_],
    features: Callable[[Rows], Floats],
    *,
    strict: bool,
) -> list[tuple[int, Likeness]]:
    """Those of `others` that are like `row`, by what is so and not only may be."""
    found: list[tuple[int, Likeness]] = []
    for start in range(0, len(others), AT_ONCE):
        some = others[start : start + AT_ONCE]
        even, odd = signs[some, :HALF] @ signs[row, :HALF], signs[some, HALF:] @ signs[row, HALF:]
        mirrored = odd < 0
        bits = (BITS - even - (odd if strict else np.abs(odd))) / 2
        cosines = np.full(len(some), np.nan)
        both = seen[some] & seen[row]
        if both.any():
            own = features(np.array([row]))[0]
            cosines[both] = features(some[both]) @ own
        alike = bits <= SURE
        if not strict:
            alike |= cosines - WEIGHT * bits / 64 >= ENOUGH
        for at in np.flatnonzero(alike).tolist():
            cosine = None if np.isnan(cosines[at]) else float(cosines[at])
            found.append((int(some[at]), Likeness(int(bits[at]), bool(mirrored[at]), cosine)))
    return found
