"""Does learning from pixels pay? `python -m benchmarks.pixels FLICKR8K [--minutes 10] [--seeds 0] [--json]`.

At the same cost, the processor's minutes of all threads together (wall-clock would measure who else uses the
machine): a head on frozen features, as `build --objective regression` learns it, against the same network
with its last block free, learnt from crops and mirrors (`learn pixels --recipe scaled`), against a small
network from scratch at 64 pixels. All give φ of the same text model by Eq. 2, learn from the training part,
are stopped by 500 photos of it, and are asked for the 1,000 photos of the development part, every caption a
query, the vectors of a photo and its mirror image averaged. φ is computed beforehand and not counted; all
else is: decoding, features, exports. The peer is chance.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cartolina import text as texts
from cartolina.album.space import Space
from cartolina.cli.console import Lines
from cartolina.datasets import Dataset, open_dataset
from cartolina.learn import pixels
from cartolina.learn.crops import Crops
from cartolina.learn.encoders import open_encoder
from cartolina.learn.fit import fabric_here
from cartolina.learn.joint import both_ways, hold_out, learn_space
from cartolina.learn.phi import phi_of
from cartolina.learn.pixel_recipes import PUBLISHED, SCALED, PixelRecipe
from cartolina.learn.pixels import learn_pixels
from cartolina.learn.space_files import About, finish_space
from cartolina.onnx_session import available_cores
from cartolina.post import Post
from cartolina.progress import SILENT
from cartolina.vision import FeatureCache, backbone, extract, feature_key, open_rgb
from cartolina.vision.features import VIEWS
from cartolina.vision.pictures import BUDGET

BOTH = ("plain", "mirror")


def main() -> None:
    """Print a row an arm, seed and budget."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pixels", description=__doc__)
    parser.add_argument("source", type=Path, help="a Flickr8k folder")
    parser.add_argument("--minutes", nargs="+", type=float, default=[10.0, 20.0], help="of the processor")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--text", default="minilm")
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS))
    parser.add_argument("--photos", type=int, help="learn from so many photos of the training part only")
    parser.add_argument("--cache", type=Path, help="keep φ in this folder for the next time")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="cartolina-pixels-") as folder:
        for seed in given.seeds:
            words = given.cache or Path(folder) / "words"
            task = prepare(open_dataset(given.source), given.text, seed, words, given.photos)
            for minutes in given.minutes:
                for arm in given.arms:
                    work = Path(folder) / f"{arm}-{seed}-{minutes}"
                    rows.append(measured(arm, task, minutes, work))
                    shutil.rmtree(work, ignore_errors=True)
                    if not given.json:
                        print(as_line(rows[-1]), flush=True)
    if given.json:
        print(json.dumps(rows))


@dataclass(frozen=True)
class Task:
    """The posts to learn from and to find, φ of their captions, and the folder where it lies."""

    train: list[Post]
    dev: list[Post]
    known: Known
    words: Path
    text: str
    seed: int


class Known:
    """A text model that has embedded all there is already."""

    def __init__(self, model: texts.TextModel, captions: Sequence[str], rows: NDArray[np.float32]) -> None:
        self.model, self.name, self.dim, self.language = model, model.name, model.dim, model.language
        self.rows = dict(zip(captions, rows, strict=True))

    def fit(self, captions: object, progress: object = None) -> Self:
        return self

    def embed(self, captions: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([self.rows[caption] for caption in captions])

    def save(self, folder: Path) -> None:
        self.model.save(folder)

    def unknown(self, text: str) -> list[str]:
        return self.model.unknown(text)

    def nearest(self, word: str) -> str | None:
        return self.model.nearest(word)

    @classmethod
    def load(cls, folder: Path) -> texts.TextModel:
        return texts.load(folder)


def prepare(dataset: Dataset, text: str, seed: int, words: Path, photos: int | None) -> Task:
    """Read the two parts and embed their captions."""
    train, dev = (list(dataset.posts(split)) for split in ("train", "dev"))
    train = train[:photos]
    rest, _ = hold_out(len(train), seed)
    words = words / f"{text}-{seed}-{len(train)}"
    phi = phi_of([post.words for post in train], rest, text, words, seed=seed)
    of_train = [caption for post in train for caption in post.words]
    of_dev = [caption for post in dev for caption in post.words]
    rows = np.concatenate([phi.rows, phi.text.embed(of_dev)])
    known = Known(phi.text, [*of_train, *of_dev], rows)
    return Task(train, dev, known, words, text, seed)


def measured(arm: str, task: Task, minutes: float, work: Path) -> dict[str, Any]:
    """Learn for `minutes` of the processor and look for the development part."""
    began, used = time.monotonic(), time.process_time()
    space, said = ARMS[arm](task, minutes * 60, work)
    wall, used = time.monotonic() - began, time.process_time() - used
    return {
        "arm": arm,
        "text": task.text,
        "seed": task.seed,
        "photos": len(task.train),
        "allowed_cpu_minutes": minutes,
        "cpu_minutes": round(used / 60, 2),
        "wall_minutes": round(wall / 60, 2),
        "torch_threads": torch.get_num_threads(),
        "cores": available_cores(),
        "load": round(os.getloadavg()[1], 1),
        **said,
        **found(Space.open(space), task),
    }


def found(space: Space, task: Task) -> dict[str, Any]:
    """The recalls among the development photos, each the mean of its two views."""
    (network,) = space.backbones
    views: list[NDArray[np.float32]] = []
    for start in range(0, len(task.dev), 50):
        images = [open_rgb(post.image) for post in task.dev[start : start + 50] if post.image is not None]
        pixels = network.preprocessing.normalised([network.preprocessing.resized(one) for one in images])
        views.append(space.encode_views([network(VIEWS[view](pixels))] for view in BOTH))
    captions = [caption for post in task.dev for caption in post.words]
    owner = np.repeat(np.arange(len(task.dev)), [len(post.words) for post in task.dev])
    phi = task.known.embed(captions)
    rows = phi / np.linalg.norm(phi, axis=1, keepdims=True).clip(1e-12)
    return both_ways(np.concatenate(views), rows, owner)


def frozen(task: Task, seconds: float, work: Path) -> tuple[Path, dict[str, Any]]:
    """Features once, then a head, which has learnt all it can long before the time is over."""
    lite = backbone("efficientnet-lite0", "cpu")
    work.mkdir()
    with closing(FeatureCache(work / "features", lite.shape)) as cache:
        photos = [(number, post.image) for number, post in enumerate(task.train) if post.image is not None]
        hashes = [content for _, content in extract(photos, [lite], [cache], views=BOTH)]
        views = [cache.get([feature_key(one, view) for one in hashes]) for view in BOTH]
    learned = learn_space(
        work / "space",
        [np.stack(views, axis=1)],
        [post.words for post in task.train],
        task.known,
        run=work / "run",
        objective="regression",
        seed=task.seed,
        device="cpu",
    )
    about = About(how="regression", why="benchmark", posts=learned.posts, captions=learned.captions)
    finish_space(work / "space", about, text_model=task.known, backbones=[lite], views=BOTH)
    return work / "space", {"epochs": learned.fitted.epochs, "best_epoch": learned.fitted.best_epoch}


Arm: TypeAlias = Callable[[Task, float, Path], tuple[Path, dict[str, Any]]]
"""(task, seconds of the processor, folder) -> the space that was learnt, what to say of it."""

EXPORTS = 25.0
"""Seconds of the processor that are left for the last validation and the exports."""


def from_pixels(
    name: str, recipe: PixelRecipe, *, from_scratch: bool = False, free: Sequence[str] | None = None
) -> Arm:
    """An arm that learns from pixels, as many epochs as the time allows."""

    def arm(task: Task, seconds: float, work: Path) -> tuple[Path, dict[str, Any]]:
        used = time.process_time()
        shutil.copytree(task.words, work / "work")
        parts, fabric = [lambda: task.train], fabric_here("cpu")
        encoder = open_encoder(name, from_scratch=from_scratch, free=free, seed=task.seed)
        ready = pixels.prepare(work, parts, encoder, task.text, recipe, task.seed, BUDGET, fabric, SILENT)
        assert isinstance(ready, pixels.Prepared)
        (work / "work" / "asked").unlink()  # the number of epochs is asked for in a moment
        _, model = pixels.begun(ready, encoder, recipe, task.seed, work, fabric)
        each = seconds_a_photo(model, ready.crops, ready.rest, recipe)
        left = seconds - (time.process_time() - used) - EXPORTS
        epochs = max(1, int(left / (each * (len(ready.rest) + 0.7 * len(ready.held_out)))))
        learnt = learn_pixels(
            work,
            parts,
            encoder,
            text=task.text,
            recipe=replace(recipe, epochs=epochs),
            seed=task.seed,
            fabric=fabric,
            progress=Lines(),
        )
        return learnt.space, {"epochs": learnt.epochs, "best_epoch": learnt.best_epoch}

    return arm


def seconds_a_photo(
    model: nn.Module, crops: Crops, rows: NDArray[np.int64], recipe: PixelRecipe, steps: int = 4
) -> float:
    """Processor seconds of learning from a photo once, told from a few steps of a copy."""
    model = copy.deepcopy(model).train()
    objective = pixels.PixelRegression(recipe.target, summed=recipe.summed)
    rng = np.random.default_rng(0)
    began = 0.0
    for step in range(steps + 1):
        if step == 1:  # the first one warms up
            began = time.process_time()
        objective(model, crops(rows[: recipe.batch], rng)).backward()  # type: ignore[no-untyped-call]
    return (time.process_time() - began) / steps / min(recipe.batch, len(rows))


def as_line(row: dict[str, Any]) -> str:
    """A row for people."""
    recalls = "  ".join(
        "/".join(f"{value:.1f}" for value in row[way].values()) for way in ("text_to_image", "image_to_text")
    )
    return (
        f"{row['arm']:>13} seed {row['seed']}, {row['photos']:,} photos  {recalls}  "
        f"{row['cpu_minutes']:.1f} of {row['allowed_cpu_minutes']:g} CPU min, "
        f"{row['wall_minutes']:.1f} min on the clock, {row['epochs']} epochs "
        f"(best {row['best_epoch']}), load {row['load']}; chance R@10 {1000 / row['images']:.1f}"
    )


ARMS: dict[str, Arm] = {
    "frozen": frozen,
    "last block": from_pixels("efficientnet-lite0", SCALED),
    "nothing free": from_pixels("efficientnet-lite0", SCALED, free=()),  # the same crops and head
    "published": from_pixels("efficientnet-lite0", PUBLISHED),
    "from scratch": from_pixels("small@64", SCALED, from_scratch=True),
}


if __name__ == "__main__":
    main()
