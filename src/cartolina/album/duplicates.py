"""Near duplicates: pictures that show the same shot, resized, compressed, cropped, mirrored or coloured anew.

Two things are compared: the signs of the picture's lowest frequencies (`vision.looks`, 128 bits; mirrored or
not, whichever is nearer) and, where the album has learnt a space, the cosine of the vectors. A pair is near

    bits ≤ SAME        or        cosine − SLOPE · bits / 64 > LEAST  (of pairs with bits ≤ FAR)

docs/quality.md has what that finds and what it takes for near by mistake. Groups are made around the best
picture (the largest, then the heaviest, then the oldest): each other is near to that one itself, so that a
chain of small differences never joins two different shots.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cartolina.album.catalogue import Catalogue
from cartolina.album.copies import files
from cartolina.album.looks import Unseen, looks
from cartolina.album.searchable import Searchable
from cartolina.progress import SILENT, Progress
from cartolina.vision.looks import BITS, HALF, Look, signs

__all__ = ["Duplicates", "Group", "Shot", "duplicates"]

SAME = 12
FAR = 44
SLOPE, LEAST = 0.3, 0.72
"""Chosen on 1,000 photos of Flickr8k changed in 17 ways, against all pairs of 7,000 (docs/quality.md)."""

ROWS = 512
"""Posts compared with all later ones at a time: 160 MB for 80,000."""

Signs = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture of a group: its post, its files (more than one: exact copies), its size.

    `bits` (of 128) differ from the best picture's; `cosine` is that with it, None without a space.
    """

    id: str
    files: tuple[Path, ...]
    width: int
    height: int
    size: int
    bits: int
    cosine: float | None


@dataclass(frozen=True, slots=True)
class Group:
    """Near duplicates, the best picture first, then the nearest to it."""

    shots: tuple[Shot, ...]


@dataclass(slots=True)
class Duplicates:
    """The groups, those with the most pictures first; of `looked_at` posts, less those `unseen`."""

    groups: list[Group] = field(default_factory=list)
    looked_at: int = 0
    unseen: list[Unseen] = field(default_factory=list)


def duplicates(
    catalogue: Catalogue, searched: Searchable | None, *, exact: bool = False, progress: Progress = SILENT
) -> Duplicates:
    """Find near duplicates among all posts; with `exact` also posts that have nothing but exact copies."""
    found, unseen = looks(catalogue, progress)
    rows = [
        (key, found[content], size)
        for key, content, size in catalogue.rows(
            "SELECT key, content_hash, size FROM posts WHERE offline IS NULL ORDER BY key"
        )
        if content in found
    ]
    rows.sort(key=lambda row: (-row[1].width * row[1].height, -row[2], row[0]))  # the best first
    told = Duplicates(looked_at=len(rows), unseen=unseen)
    seen = [row for row in rows if row[1].bits is not None]  # flat pictures are all alike
    keys = np.array([key for key, _, _ in seen], np.int64)
    taken = np.zeros(len(seen), bool)
    members: dict[int, list[tuple[int, int, float | None]]] = {}
    for best, other, bits, cosine in _near(
        keys, [one.bits for _, one, _ in seen if one.bits], searched, progress
    ):
        # Pairs come in the order of their better picture: one that is in a group already begins none.
        if not taken[other] and (best in members or not taken[best]):
            taken[other] = True
            members.setdefault(best, []).append((other, bits, cosine))
    for best, others in members.items():
        others.sort(key=lambda one: (one[1], one[0]))
        about = [(best, 0, None if others[0][2] is None else 1.0), *others]
        told.groups.append(
            Group(tuple(_shot(catalogue, seen[at], bits, cosine) for at, bits, cosine in about))
        )
    if exact:
        grouped = {shot.id for group in told.groups for shot in group.shots}
        with_copies = {key for (key,) in catalogue.rows("SELECT DISTINCT key FROM copies")}
        for row in rows:
            if row[0] in with_copies and (shot := _shot(catalogue, row, 0, None)).id not in grouped:
                told.groups.append(Group((shot,)))
    told.groups.sort(key=lambda group: (-len(group.shots), group.shots[0].id))
    return told


def _near(
    keys: NDArray[np.int64], hashes: list[bytes], searched: Searchable | None, progress: Progress
) -> Iterator[tuple[int, int, int, float | None]]:
    """Near pairs (i, j, bits, cosine) of rows with i < j, by i."""
    if len(keys) < 2:
        return
    even, odd = np.split(signs(hashes), [HALF], axis=1)
    positions = searched.store.positions_of(keys) if searched else np.full(len(keys), -1)
    with progress.task("comparing", len(keys), "posts") as step:
        for start in range(0, len(keys), ROWS):
            some = slice(start, start + ROWS)
            # Mirroring keeps the even half and turns the odd one: of the two readings the nearer counts.
            agree = even[some] @ even[start:].T + np.abs(odd[some] @ odd[start:].T)  # (b, n − start)
            i, j = np.nonzero(agree >= BITS - 2 * FAR)
            ahead = j > i
            i, j = i[ahead], j[ahead]
            bits = ((BITS - agree[i, j]) / 2).astype(np.int64)
            i, j = i + start, j + start
            near = bits <= SAME
            cosines = np.full(len(i), np.nan)
            compared = (positions[i] >= 0) & (positions[j] >= 0)
            if searched and compared.any():
                cosines[compared] = _cosines(searched, keys, i[compared], j[compared])
                near |= cosines - SLOPE * bits / 64 > LEAST
            for a, b, differ, cosine in zip(i[near], j[near], bits[near], cosines[near], strict=True):
                yield int(a), int(b), int(differ), None if np.isnan(cosine) else round(float(cosine), 4)
            step.advance(len(agree))


def _cosines(
    searched: Searchable, keys: NDArray[np.int64], i: NDArray[np.int64], j: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(N,) cosines of pairs of rows, some thousands of vectors at a time."""
    parts = []
    for start in range(0, len(i), 8192):
        one = searched.store.vectors(keys[i[start : start + 8192]])
        other = searched.store.vectors(keys[j[start : start + 8192]])
        parts.append(np.einsum("nd,nd->n", one, other))
    return np.concatenate(parts).astype(np.float64)


def _shot(catalogue: Catalogue, row: tuple[int, Look, int], bits: int, cosine: float | None) -> Shot:
    key, look, size = row
    (name,) = catalogue.rows("SELECT id FROM posts WHERE key = ?", key)[0]
    return Shot(name, tuple(files(catalogue, key)), look.width, look.height, size, bits, cosine)
