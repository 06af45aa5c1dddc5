"""The relevance cut-off against captions: `python -m benchmarks.cutoff FLICKR8K ALBUM [--split dev]`.

The album gives the space (learnt from other photos); the photos of the split are the gallery. A query of
`benchmarks.cutoff_queries` is *present* when two photos at least show it by the captions' words, *absent*
when none does, and a *hole* is a present one whose photos are taken out of the gallery. Queries with an odd
number are reported; `relevance.ENOUGH` was chosen on the others. Beside it stands a flat threshold on the
cosine, chosen on the same queries, and showing the first ten whatever they are. In brackets 95 % of 1,000
bootstrap resamples of the queries. Captions do not say all that a photo shows: precision is a lower bound.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.cutoff_queries import GIBBERISH, QUERIES
from cartolina.album.album import Album
from cartolina.album.relevance import TEXTS, Background, spread
from cartolina.cli.console import progress
from cartolina.datasets import open_dataset
from cartolina.query import Term, Text
from cartolina.vision.features import extract

TOP = 100
WORDS = (Term(1.0, Text("words")),)

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cutoff", description=__doc__)
    parser.add_argument("photos", type=Path, help="a Flickr8k folder")
    parser.add_argument("album", type=Path, help="an album learnt from other photos")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with Album.open(given.album) as album:
        cosines, shown, background, vectors = gallery(album, given.photos, given.split)
    excess = np.stack(
        [background.excess(q, row, WORDS) for q, row in zip(vectors, cosines, strict=True)]
    )  # (Q + gibberish, N)
    counts = shown.sum(axis=1)
    asked = np.arange(len(QUERIES))
    chosen, reported = asked % 2 == 0, asked % 2 == 1
    trial = Trial(cosines, shown, counts)
    flat = best_flat(trial, chosen)
    rows = {
        f"excess ≥ {background.bar:.2f}": report(excess, trial, reported, lambda row: row >= background.bar),
        f"cosine ≥ {flat:.2f}": report(cosines, trial, reported, lambda row: row >= flat),
        "first ten": report(cosines, trial, reported, first_ten),
    }
    if given.json:
        print(json.dumps(rows, ensure_ascii=False))
        return
    print(f"{(counts >= 2).sum()} queries present, {(counts == 0).sum()} absent, {len(GIBBERISH)} gibberish")
    names = list(next(iter(rows.values())))
    print(f"| | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
    for name, numbers in rows.items():
        print(f"| {name} | {' | '.join(numbers.values())} |")


def gallery(album: Album, photos: Path, split: str) -> tuple[Numbers, Mask, Background, NDArray[np.float32]]:
    """Cosines (Q, N) of queries with the split's photos, who shows what, the background, queries (Q, D)."""
    space = album.space
    assert space is not None
    posts = list(open_dataset(photos).posts(split))
    with album.feature_caches(space.backbones) as caches:
        images = ((post, post.image) for post in posts if isinstance(post.image, Path))
        ready = list(
            extract(
                images,
                space.backbones,
                caches,
                views=space.views,
                total=len(posts),
                progress=progress(quiet=False),
            )
        )
        seen = space.encode_cached(caches, [content for _, content in ready])
    words = [[frozenset(re.findall("[a-z]+", c.lower())) for c in post.captions] for post, _ in ready]
    shown: Mask = np.array(
        [
            [any(all(caption & one for one in asked.concepts) for caption in said) for said in words]
            for asked in QUERIES
        ]
    )
    captions = [post.text for post, _ in zip(album.posts(), range(TEXTS), strict=False)]
    background = Background(
        seen[:2000],
        of_texts=spread(space.encode_texts(captions), seen),
        of_pictures=spread(seen[:TEXTS], seen),
        among=len(seen),
    )
    queries = space.encode_texts([asked.text for asked in QUERIES] + GIBBERISH)
    return (queries @ seen.T).astype(np.float64), shown, background, queries


def first_ten(row: Numbers) -> Mask:
    """The ten highest."""
    taken = np.zeros(len(row), bool)
    taken[np.argsort(-row, kind="stable")[:10]] = True
    return taken


def best_flat(trial: Trial, chosen: Mask) -> float:
    """The flat threshold that is best on the queries by which the cut-off was chosen."""

    def worth(threshold: float) -> float:
        numbers = judged(trial.cosines, trial, chosen, lambda row: row >= threshold)
        return float(numbers["F1"].mean() + (numbers["present"].mean() + numbers["absent"].mean()) / 2)

    highest = np.sort(trial.cosines.max(axis=1))
    return float(max(np.quantile(highest, np.linspace(0.02, 0.98, 80)), key=worth))


@dataclass(frozen=True)
class Trial:
    """Cosines (Q + gibberish, N) with the gallery, who shows what (Q, N), and how many do (Q,)."""

    cosines: Numbers
    shown: Mask
    counts: NDArray[np.int64]


def judged(
    values: Numbers, trial: Trial, asked: Mask, relevant: Callable[[Numbers], Mask]
) -> dict[str, Numbers]:
    """Of each query it concerns: 1 where it was judged rightly, or precision, recall, F1 of its hits."""
    found: dict[str, list[float]] = {
        name: [] for name in ("present", "absent", "hole", "gibberish", "precision", "recall", "F1")
    }
    shown, counts = trial.shown, trial.counts
    for number in np.flatnonzero(asked):
        taken = relevant(values[number])
        if counts[number] == 0:
            found["absent"].append(float(not taken.any()))
        if counts[number] < 2:
            continue
        found["present"].append(float(taken.any()))
        found["hole"].append(float(not relevant(values[number][~shown[number]]).any()))
        first = np.argsort(-trial.cosines[number], kind="stable")[:TOP]
        hits = (taken & shown[number])[first].sum()
        precision = hits / max(taken[first].sum(), 1)
        recall = hits / min(counts[number], TOP)
        found["precision"].append(precision)
        found["recall"].append(recall)
        found["F1"].append(2 * precision * recall / max(precision + recall, 1e-9))
    found["gibberish"] = [float(not relevant(row).any()) for row in values[len(shown) :]]
    return {name: np.array(some) for name, some in found.items()}


def report(values: Numbers, trial: Trial, asked: Mask, relevant: Callable[[Numbers], Mask]) -> dict[str, str]:
    """The means of `judged` in percent with their intervals, and the AUROC of the highest value."""
    chance = np.random.default_rng(0)
    cells = {}
    for name, some in judged(values, trial, asked, relevant).items():
        means = [chance.choice(some, len(some)).mean() for _ in range(1000)]
        low, high = np.quantile(means, [0.025, 0.975])
        cells[name] = f"{100 * some.mean():.0f} ({100 * low:.0f}–{100 * high:.0f})"
    highest = values[: len(trial.shown)].max(axis=1)
    present, absent = highest[asked & (trial.counts >= 2)], highest[asked & (trial.counts == 0)]
    ahead = (present[:, None] > absent).mean() + (present[:, None] == absent).mean() / 2
    return cells | {"AUROC": f".{round(1000 * ahead):03}"}


if __name__ == "__main__":
    main()
