"""A space learnt from people's own captions: cached features and captions in, the files of a space out.

    learned = learn_space(folder, [features], captions, recipe=FAST, run=run)
    learned.validation["text_to_image"]["R@1"]  # on photos it has not learnt from

The contrastive objective trains both towers (`towers`) on a frozen φ; the regression objective of the
papers trains the photos' tower alone, to give φ. Either way the pixels are not looked at again: a photo is
its cached features, in one of its views at random.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from cartolina import metrics
from cartolina.errors import InputError, UnknownName
from cartolina.learn.batches import Shuffled
from cartolina.learn.canonical import canonical_directions
from cartolina.learn.contrastive import Contrastive, Temperature
from cartolina.learn.export import export_head
from cartolina.learn.fit import Fitted, Load, Objective, Settings, fabric_here, fit, seeded
from cartolina.learn.hubness import Unhubbed
from cartolina.learn.optimisers import AdamW, Cosine
from cartolina.learn.recipes import BEST, FAST, RECIPES, Recipe
from cartolina.learn.regression import PhotoSide, Regression, Target, text_side
from cartolina.learn.towers import (
    Batch,
    Features,
    Head,
    ImageTower,
    Joint,
    Shortened,
    Tower,
    perceptron,
    principal_axes,
)
from cartolina.progress import SILENT, Progress
from cartolina.text import TextModel

__all__ = [
    "BEST",
    "FAST",
    "OBJECTIVES",
    "RECIPES",
    "Learned",
    "LearningObjective",
    "Photos",
    "Recipe",
    "both_ways",
    "hold_out",
    "learn_space",
    "mean_recall",
    "validation",
]

LearningObjective: TypeAlias = Literal["contrastive", "regression", "regression:min-max", "regression:mse"]
OBJECTIVES: tuple[LearningObjective, ...] = get_args(LearningObjective)

FEWEST = 20
"""Posts below which nothing is learnt: the held-out ones would say nothing."""

TARGET_OF: dict[str, Target] = {
    "regression": "sigmoid",  # the paper's text
    "regression:min-max": "min-max",  # its released code
    "regression:mse": "mse",  # its ablation
}

EMBED_AT_A_TIME = 2048

MOST_FOR_DIRECTIONS = 20_000
"""Posts from which the canonical directions are computed: more would cost memory and change nothing."""

PHOTOS_IN_BANK, CAPTIONS_IN_BANK = 4096, 8192
"""Of how many vectors hubness is told (docs/quality.md says what a larger bank brought)."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What came of learning.

    `validation`: recalls in percent on the `held_out` posts (indices), as `validation` gives them; they
    chose the epoch, so they flatter a little. `posts`, `captions`: how many it learnt from, the held-out
    ones aside.
    """

    validation: dict[str, Any]
    held_out: NDArray[np.int64]
    posts: int
    captions: int
    fitted: Fitted


@dataclass(frozen=True, slots=True)
class Photos:
    """N photos in memory: `features` (N, views, *shape) of each backbone, and their captions' φ.

    `phi` (M, text dim) float32, photo by photo: those of photo i are the rows `starts[i]` to `starts[i + 1]`.
    """

    features: tuple[NDArray[Any], ...]
    phi: NDArray[np.float32]
    starts: NDArray[np.int64]

    def view(self, rows: NDArray[np.int64], views: NDArray[np.int64] | int) -> list[Tensor]:
        """The features of photos `rows` in one view each, float32."""
        return [torch.from_numpy(one[rows, views].astype(np.float32)) for one in self.features]

    def captions(
        self, rows: NDArray[np.int64], most: int | None = None, rng: np.random.Generator | None = None
    ) -> tuple[Tensor, NDArray[np.int64]]:
        """φ of the captions of photos `rows`, at most `most` of each, drawn by `rng`; and whose they are.

        The second is (M,) int64, the photo's number.
        """
        chosen = []
        for row in rows:
            all_of_it = np.arange(self.starts[row], self.starts[row + 1])
            if most is not None and rng is not None and len(all_of_it) > most:
                all_of_it = rng.choice(all_of_it, most, replace=False)
            chosen.append(all_of_it)
        counts = np.array([len(one) for one in chosen])
        return torch.from_numpy(self.phi[np.concatenate(chosen)]), np.repeat(rows, counts)


def learn_space(
    folder: Path,
    features: Sequence[NDArray[Any]],
    captions: Sequence[Sequence[str]],
    text: TextModel,
    *,
    run: Path,
    recipe: Recipe = FAST,
    objective: LearningObjective = "contrastive",
    seed: int = 0,
    device: str = "auto",
    progress: Progress = SILENT,
) -> Learned:
    """Learn a joint space and write image.onnx, text/ and, where there is one, text_head.onnx into `folder`.

    `features`: of each backbone, (N, views, *shape) float16 or float32; `captions`: one non-empty list a
    post, in the same order. `text` makes φ of them; a model that learns its words learns them from the
    captions that are not held out. `run` receives the curve and the checkpoints, and a run that was cut
    off goes on from what it finds there. Min(500, a tenth) of the posts are held out to stop by. `device` is
    "auto", "cpu" or "cuda".
    Raises `InputError` for fewer than 20 posts, for counts that differ, for a post without a caption.
    """
    _check(features, captions, objective)
    rest, held_out = hold_out(len(captions), seed)
    text.fit((caption for row in rest for caption in captions[row]), progress)
    starts = np.cumsum([0, *(len(of_post) for of_post in captions)])
    phi = _embed(text, list(chain.from_iterable(captions)), progress)
    photos = Photos(tuple(features), phi, starts)
    task = _Task(photos, rest, held_out, recipe, seed, run, fabric_here(device), progress)
    if objective == "contrastive":
        image, words, fitted = _contrastive(task)
    else:
        image, words, fitted = _regression(task, TARGET_OF[objective])
    folder.mkdir(parents=True, exist_ok=True)
    inputs = [f"features_{number}" for number in range(len(features))]
    export_head(image, photos.view(rest[:5], 0), inputs, folder / "image.onnx")
    if words is not None:
        export_head(words, [torch.from_numpy(phi[:5])], ["phi"], folder / "text_head.onnx")
    text.save(folder / "text")
    return Learned(
        validation(image, words, photos, held_out),
        held_out,
        len(rest),
        int((starts[rest + 1] - starts[rest]).sum()),
        fitted,
    )


def hold_out(posts: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The posts to learn from and those to validate on (min(500, a tenth)), both ascending."""
    order = np.random.default_rng([seed, 500]).permutation(posts)
    count = min(500, posts // 10)
    return np.sort(order[count:]), np.sort(order[:count])


def validation(
    image: nn.Module, words: nn.Module | None, photos: Photos, rows: NDArray[np.int64]
) -> dict[str, Any]:
    """R@1, R@5 and R@10 in percent among photos `rows` (ascending), both ways, every caption a query.

    `image` and `words` are what a space holds: features -> unit rows, φ -> unit rows (None: φ is the vector).
    """
    with torch.no_grad():
        views = range(photos.features[0].shape[1])
        vectors = functional.normalize(sum((image(*photos.view(rows, v)) for v in views), torch.zeros(1)))
        phi, of_whom = photos.captions(rows)
        texts = functional.normalize(phi) if words is None else words(phi)
    owner = np.searchsorted(rows, of_whom)  # from the photo's number to its place among `rows`
    return both_ways(vectors.numpy(), texts.numpy(), owner)


def both_ways(
    photos: NDArray[np.float32], texts: NDArray[np.float32], owner: NDArray[np.int64]
) -> dict[str, Any]:
    """R@1, R@5 and R@10 in percent of unit rows `photos` (N, D) and `texts` (M, D), `owner` (M,) of which."""
    return {
        "text_to_image": _recalls(metrics.text_to_image_ranks(texts, photos, owner)),
        "image_to_text": _recalls(metrics.image_to_text_ranks(photos, texts, owner)),
        "images": len(photos),
        "captions": len(owner),
    }


_Result: TypeAlias = tuple[nn.Module, nn.Module | None, Fitted]


@dataclass(frozen=True, slots=True)
class _Task:
    """What is learnt from (`rest`), stopped by (`held_out`), and how."""

    photos: Photos
    rest: NDArray[np.int64]
    held_out: NDArray[np.int64]
    recipe: Recipe
    seed: int
    run: Path
    fabric: Fabric
    progress: Progress

    def fit(
        self,
        model: nn.Module,
        objective: Objective,
        batch: int,
        load: Load,
        sides: Callable[[nn.Module], tuple[nn.Module, nn.Module | None]],
        *,
        drop_last: bool = False,
    ) -> Fitted:
        """Train `model`, stopped by the recalls of its `sides`; it is on the CPU again on return."""
        fitted = fit(
            model,
            objective,
            Shuffled(self.rest, min(batch, len(self.rest)), self.seed, drop_last=drop_last),
            load,
            _settings(self.recipe, len(self.rest), self.seed),
            folder=self.run,
            validate=lambda trained: mean_recall(validation(*sides(trained), self.photos, self.held_out)),
            fabric=self.fabric,
            progress=self.progress,
        )
        model.cpu()
        return fitted


def _contrastive(task: _Task) -> _Result:
    """Both towers, by InfoNCE."""
    photos, recipe = task.photos, task.recipe
    with seeded(task.seed):
        model = _towers(photos, task.rest, recipe)

    def load(rows: NDArray[np.int64], rng: np.random.Generator) -> Batch:
        views = rng.integers(photos.features[0].shape[1], size=len(rows))
        phi, owner = photos.captions(rows, recipe.captions, rng)
        return Batch(photos.view(rows, views), phi, torch.from_numpy(rows), torch.from_numpy(owner))

    def sides(trained: nn.Module) -> tuple[nn.Module, nn.Module]:
        assert isinstance(trained, Joint)
        return trained.image, trained.text

    fitted = task.fit(model, Contrastive(recipe.smoothing), recipe.batch, load, sides, drop_last=True)
    return *_finished(model, photos, task.rest, recipe.short), fitted


def _towers(photos: Photos, rest: NDArray[np.int64], recipe: Recipe) -> Joint:
    """Both towers as they start: on the canonical directions of the posts to learn from."""
    features = Features([one.shape[2:] for one in photos.features])
    whole = slice(0, features.width)
    parts = [whole] * recipe.heads + (features.parts if len(features.parts) > 1 else [])
    some = rest[_spaced(len(rest), MOST_FOR_DIRECTIONS)]
    views = range(photos.features[0].shape[1])
    rows = torch.stack([features(*photos.view(some, view)) for view in views]).mean(0).numpy()
    phi, of_whom = photos.captions(some)
    owner = np.searchsorted(some, of_whom)
    starts = {
        (part.start, part.stop): canonical_directions(rows[:, part], phi.numpy(), owner, recipe.dim)
        for part in parts
    }
    images, words = [], []
    for part in parts:
        of_image, of_text = starts[part.start, part.stop]
        size = (recipe.hidden, recipe.dim)
        images.append(Head(of_image, *size, recipe.image_dropout))
        words.append(Head(of_text, *size, recipe.text_dropout))
    image = ImageTower(features, Tower(images, parts))
    return Joint(image, Tower(words, [slice(None)] * len(parts)), Temperature(recipe.temperature))


def _finished(
    model: Joint, photos: Photos, rest: NDArray[np.int64], short: int
) -> tuple[nn.Module, nn.Module]:
    """The trained towers, with shorter vectors and without hubs: features -> vectors, φ -> vectors."""
    some = rest[_spaced(len(rest), PHOTOS_IN_BANK)]
    phi, _ = photos.captions(some)
    phi = phi[_spaced(len(phi), CAPTIONS_IN_BANK)]
    with torch.no_grad():
        seen, said = model.image(*photos.view(some, 0)), model.text(phi)
        axes = principal_axes(torch.cat([seen / len(seen) ** 0.5, said / len(said) ** 0.5]), short)
        image, text = Shortened(model.image, axes), Shortened(model.text, axes)
        seen, said = image(*photos.view(some, 0)), text(phi)
        return Unhubbed(image, said, seen, first=True), Unhubbed(text, seen, said, first=False)


def _spaced(count: int, most: int) -> NDArray[np.int64]:
    """At most `most` of the numbers below `count`, evenly spaced."""
    return np.linspace(0, count - 1, min(count, most)).astype(np.int64)


def _regression(task: _Task, target: Target) -> _Result:
    """The photos' tower alone, by Eq. 2: each photo is pulled to the φ of one of its captions."""
    photos, recipe = task.photos, task.recipe
    shapes = [one.shape[2:] for one in photos.features]
    with seeded(task.seed):
        inputs = Features(shapes)
        head = perceptron(inputs.width, recipe.hidden, photos.phi.shape[1], recipe.image_dropout)
        psi = _Psi(inputs, head)

    def load(rows: NDArray[np.int64], rng: np.random.Generator) -> tuple[Tensor, ...]:
        views = rng.integers(photos.features[0].shape[1], size=len(rows))
        phi, _ = photos.captions(rows, 1, rng)
        return (*photos.view(rows, views), phi)

    def sides(trained: nn.Module) -> tuple[nn.Module, nn.Module | None]:
        return PhotoSide(trained, target), text_side(target)

    # One caption a photo and no negatives: small steps, and many, serve it better.
    fitted = task.fit(psi, Regression(target), recipe.batch // 8, load, sides)
    return PhotoSide(psi, target), text_side(target), fitted


class _Psi(nn.Module):
    """Features -> ψ, (N, D) unbounded."""

    def __init__(self, features: Features, head: nn.Module) -> None:
        super().__init__()
        self.features, self.head = features, head

    def forward(self, *features: Tensor) -> Tensor:
        """ψ of the photos."""
        result: Tensor = self.head(self.features(*features))
        return result


def _settings(recipe: Recipe, posts: int, seed: int) -> Settings:
    return Settings(
        epochs=recipe.epochs_for(posts),
        optimizer=AdamW(lr=recipe.learning_rate, weight_decay=recipe.weight_decay),
        schedule=Cosine(warmup=recipe.warmup),
        validate_every=recipe.validate_every,
        patience=recipe.patience,
        checkpoint_seconds=20.0,
        seed=seed,
    )


def _embed(model: TextModel, captions: list[str], progress: Progress) -> NDArray[np.float32]:
    """φ of all captions, (M, dim)."""
    phi = np.empty((len(captions), model.dim), np.float32)
    with progress.task("words", len(captions), "captions") as step:
        for start in range(0, len(captions), EMBED_AT_A_TIME):
            some = captions[start : start + EMBED_AT_A_TIME]
            phi[start : start + len(some)] = model.embed(some)
            step.advance(len(some))
    return phi


def _check(features: Sequence[NDArray[Any]], captions: Sequence[Sequence[str]], objective: str) -> None:
    if objective not in OBJECTIVES:
        raise UnknownName("objective", objective, OBJECTIVES)
    if len(captions) < FEWEST:
        raise InputError(f"{len(captions)} posts with captions were given; learning needs at least {FEWEST}")
    if not features:
        raise InputError("no backbone's features were given; learning needs those of at least one")
    for number, one in enumerate(features):
        if len(one) != len(captions) or one.ndim < 3:
            raise InputError(
                f"features {number} have the shape {one.shape}; expected ({len(captions)}, views, …), a row "
                "for each post"
            )
    silent = [number for number, of_post in enumerate(captions) if not of_post]
    if silent:
        raise InputError(f"post {silent[0]} has no caption ({len(silent)} have none): leave such posts out")


def _recalls(ranks: NDArray[np.int64]) -> dict[str, float]:
    return {name: round(recall, 2) for name, recall in metrics.recalls(ranks).items()}


def mean_recall(found: dict[str, Any]) -> float:
    """One number to stop by: the mean of R@1, R@5 and R@10, both ways."""
    return float(np.mean([*found["text_to_image"].values(), *found["image_to_text"].values()]))
