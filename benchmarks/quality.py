"""How much is found: `python -m benchmarks.quality FLICKR8K [--quality fast best] [--seeds 0 1 2] [--json]`.

For each quality and seed an album is built from the training part, through the same calls as `cartolina
build`, and the development part is looked for in it, as `cartolina evaluate retrieval` does: every caption
a query, pictures only. The first seed of a quality starts from nothing, and its seconds are those of a
user; the others take over its features, and their seconds are those of learning again.

The last row of a quality is the mean of its seeds, each recall with its range over seeds and with a
bootstrap interval over photos (95 %, the seeds' answers to a photo drawn together). The peer is chance.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from cartolina.album.album import Album
from cartolina.album.build import Quality, build
from cartolina.datasets import Dataset, open_dataset
from cartolina.evaluate.retrieval import RetrievalRanks, retrieval_ranks
from cartolina.metrics import DEPTHS, recall_at_k, recall_interval, recalls

QUALITIES: tuple[Quality, ...] = ("fast", "best")


def main() -> None:
    """Print a table a quality, or with --json one object."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("source", type=Path, help="a Flickr8k folder")
    parser.add_argument("--quality", nargs="+", default=QUALITIES, choices=QUALITIES)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--split", default="dev", help="what is looked for (test only when all is settled)")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    dataset = open_dataset(given.source)
    rows = []
    for quality in given.quality:
        found = []
        with tempfile.TemporaryDirectory(prefix="cartolina-quality-") as folder:
            for number, seed in enumerate(given.seeds):
                first = Path(folder) / f"seed-{given.seeds[0]}" if number else None
                ranks, row = one_run(given.source, dataset, Path(folder), quality, seed, given.split, first)
                found.append(ranks)
                rows.append(row)
                if not given.json:
                    print(as_line(row), flush=True)
        rows.append(together(quality, found))
        if not given.json:
            print(as_line(rows[-1]), flush=True)
    if given.json:
        print(json.dumps(rows))


def one_run(
    source: Path,
    dataset: Dataset,
    folder: Path,
    quality: Quality,
    seed: int,
    split: str,
    first: Path | None,
) -> tuple[RetrievalRanks, dict[str, Any]]:
    """Build an album in `folder`, with the features of the album `first` if any; look for `split` in it."""
    path = folder / f"seed-{seed}"
    if first is not None:
        Album.create(path).close()
        shutil.copytree(first / "features", path / "features", dirs_exist_ok=True)
    started = time.perf_counter()
    album = build(source, path, split="train", quality=quality, seed=seed)
    built = time.perf_counter() - started
    ranks = retrieval_ranks(album, dataset, split)
    whole = time.perf_counter() - started
    album.close()
    numbers = {name: round(value, 2) for name, value in recalls(ranks.text_to_image).items()}
    back = {name: round(value, 2) for name, value in recalls(ranks.image_to_text).items()}
    row = {
        "quality": quality,
        "seed": seed,
        "text_to_image": numbers,
        "image_to_text": back,
        "build_seconds": round(built),
        "seconds": round(whole),
        "from_nothing": first is None,
    }
    return ranks, row


def together(quality: Quality, found: list[RetrievalRanks]) -> dict[str, Any]:
    """The mean over seeds, the range over seeds, and the interval over photos of each recall."""
    rng = np.random.default_rng(0)
    row: dict[str, Any] = {"quality": quality, "seed": "mean"}
    for way in ("text_to_image", "image_to_text"):
        ranks = [getattr(one, way) for one in found]
        photo = [one.owner if way == "text_to_image" else np.arange(len(one.image_to_text)) for one in found]
        row[way] = {}
        for k in DEPTHS:
            recalls = [recall_at_k(one, k) for one in ranks]
            low, high = recall_interval(np.concatenate(ranks), np.concatenate(photo), k, rng)
            row[way][f"R@{k}"] = {
                "mean": round(float(np.mean(recalls)), 2),
                "range": [round(min(recalls), 2), round(max(recalls), 2)],
                "interval": [round(low, 2), round(high, 2)],
            }
    row["chance R@10"] = round(100 * 10 / len(found[0].image_to_text), 2)
    return row


def as_line(row: dict[str, Any]) -> str:
    """A row for people."""
    if row["seed"] != "mean":
        recalls = " ".join("/".join(f"{value:.1f}" for value in row[way].values()) for way in WAYS)
        start = "from nothing" if row["from_nothing"] else "features there"
        return f"{row['quality']:>5} seed {row['seed']:<2} {recalls}  {row['seconds']} s, {start}"
    chance = row["chance R@10"]
    lines = [f"{row['quality']:>5} mean of seeds [their range] (95 % over photos); chance R@10 {chance}"]
    for way in WAYS:
        for name, one in row[way].items():
            lines.append(
                f"      {way} {name:>4} {one['mean']:5.1f} [{one['range'][0]:.1f}, {one['range'][1]:.1f}] "
                f"({one['interval'][0]:.1f}, {one['interval'][1]:.1f})"
            )
    return "\n".join(lines)


WAYS = ("text_to_image", "image_to_text")


if __name__ == "__main__":
    main()
