"""Noise as in the web-data paper's Table 4: some photos get what another photo's people said.

The photos are put into one random order, whatever the level: at 10 % the first tenth of it is noised, so
those noised at 10 % are among those noised at 20 %. The noised ones pass their captions round in a circle, so
that none keeps its own and every caption is still there once (the words' frequencies stay as they were).
Exactly round(share · N) photos are noised. Two photos may have been given the same words by their people;
that one of them gets the other's changes nothing.

With five captions a photo, one wrong one is averaged away: `only_one` replaces a single caption instead.

>>> noisy_sources(5, 0.4, seed=1).tolist()
[4, 1, 2, 3, 0]
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cartolina.datasets.dataset import Dataset, Skipped
from cartolina.errors import InputError
from cartolina.post import Post

__all__ = ["noisy", "noisy_captions", "noisy_sources"]


def noisy_sources(count: int, share: float, seed: int = 0) -> NDArray[np.intp]:
    """For each of `count` photos, (count,), the photo whose captions it gets: another one, or itself.

    `share` is 0 to 1. Raises `InputError` for another share, or for one photo that no other can noise.
    """
    return _noise(count, share, seed)[0]


def noisy_captions(
    captions: Sequence[Sequence[str]], share: float, *, only_one: bool = False, seed: int = 0
) -> list[tuple[str, ...]]:
    """The captions of each photo after noise; every photo should have some.

    With `only_one` a noised photo keeps its captions but one, at random, which is replaced by one of the
    other photo's.
    """
    sources, own, others = _noise(len(captions), share, seed)
    noised = []
    for row, source in enumerate(sources.tolist()):
        given = tuple(captions[source])
        if only_one and source != row:
            kept = list(captions[row])
            if kept and given:
                kept[int(own[row] * len(kept))] = given[int(others[row] * len(given))]
            given = tuple(kept)
        noised.append(given)
    return noised


def noisy(
    dataset: Dataset, share: float, *, split: str | None = None, only_one: bool = False, seed: int = 0
) -> Dataset:
    """`dataset` with noise among the posts of `split` (None: all) that have captions; the others stay.

    Tags go with the captions they may have been found in; with `only_one` they stay. Places, dates and labels
    stay. The captions are held in memory, read when posts are first asked for.
    """
    dataset.check_split(split)
    _check(share)

    @cache
    def said() -> Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]:
        posts = [(post.id, post.captions, post.tags) for post in dataset.posts(split) if post.captions]
        captions = [of for _, of, _ in posts]
        words = noisy_captions(captions, share, only_one=only_one, seed=seed)
        sources = range(len(posts)) if only_one else noisy_sources(len(posts), share, seed).tolist()
        return {
            post_id: (given, posts[source][2])
            for (post_id, _, _), given, source in zip(posts, words, sources, strict=True)
        }

    def stream(asked: str | None) -> Iterator[Post | Skipped]:
        words = said()
        for item in dataset.stream(asked):
            if isinstance(item, Post) and item.id in words:
                captions, tags = words[item.id]
                yield dataclasses.replace(item, captions=captions, tags=tags)
            else:
                yield item

    kind = "one caption" if only_one else "all captions"
    of = f"the posts of {split}" if split else "the posts"
    why = f"{dataset.why} Of {share:.0%} of {of} {kind} replaced by another post's (seed {seed})."
    return dataclasses.replace(dataset, why=why, stream=stream, listing=None, path=None)


def _noise(
    count: int, share: float, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """The sources, and for each photo where in its own and in the other's captions, in [0, 1)."""
    _check(share)
    rng = np.random.default_rng(seed)
    order = rng.permutation(count)
    own, others = rng.random(count), rng.random(count)
    noised = round(share * count)
    if noised and count == 1:
        raise InputError("noise replaces a photo's captions by another photo's, and there is only one photo")
    sources = np.arange(count)
    circle = order[:noised]
    # One photo alone has nobody to pass its captions to: it gets those of the next in order.
    sources[circle] = np.roll(circle, -1) if noised != 1 else order[1]
    return sources, own, others


def _check(share: float) -> None:
    if not 0 <= share <= 1:
        raise InputError(f"the share of noise is {share}: expected 0 to 1, for instance 0.1 for 10 %")
