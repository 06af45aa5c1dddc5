"""The image side learnt by regression (Eq. 2) of a text model's φ, and both sides in the matching space.

    space = learn_photo_side(train.features, captions, model, target="sigmoid", folder=run.learning(key))
    space.photos(gallery.features)   # (N, D) unit rows
    space.texts(model.embed(texts))  # (M, D) unit rows; zeros where no word is known

A perceptron on frozen features stands for the paper's GoogLeNet; `learn.regression` says in which space the
cosine is taken for each target. A caption of which the model knows no word is no target: it is left out, and
with it a photo that has no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from cartolina.errors import InputError
from cartolina.learn.batches import Shuffled
from cartolina.learn.fit import Settings, fabric_here, fit, seeded
from cartolina.learn.joint import Photos as Pairs
from cartolina.learn.joint import hold_out, validation
from cartolina.learn.optimisers import AdamW, Cosine
from cartolina.learn.regression import PhotoSide, Regression, Target, text_side
from cartolina.learn.towers import Features, perceptron
from cartolina.progress import SILENT, Progress
from cartolina.text import TextModel

__all__ = ["FEWEST", "InUnitsOf", "PhotoSideSettings", "Said", "Space", "embed", "learn_photo_side", "said"]

Floats = NDArray[np.float32]

FEWEST = 20
"""Photos with known words below which nothing is learnt."""

AT_A_TIME = 2048

VERSION = 2
"""Of how ψ is learnt: raised where the same settings give other numbers than before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoSideSettings:
    """How the image side learns: a hidden layer on frozen features, stopped by held-out training photos."""

    hidden: int = 256
    dropout: tuple[float, float] = (0.1, 0.1)
    batch: int = 250
    epochs: int = 12
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    validate_every: int = 4
    patience: int = 2

    def to_json(self) -> dict[str, Any]:
        """The numbers, for a cell's key, with the version of what is done with them."""
        return asdict(self) | {"version": VERSION}


@dataclass(frozen=True)
class Said:
    """φ of all captions (M, D): those of photo i are the rows `starts[i]` to `starts[i + 1]`."""

    phi: Floats
    starts: NDArray[np.int64]

    def known(self) -> NDArray[np.bool_]:
        """Which captions have a word the model knows: (M,)."""
        return np.asarray(self.phi.any(1))

    def of(self, rows: NDArray[np.int64]) -> Said:
        """What is said of photos `rows`, in that order: their captions change hands with them."""
        chosen = [np.arange(self.starts[row], self.starts[row + 1]) for row in rows]
        counts = [len(one) for one in chosen]
        return Said(self.phi[np.concatenate(chosen)], np.cumsum([0, *counts]))


@dataclass(frozen=True)
class Space:
    """Both sides where a perfect ψ coincides with φ; `validation` is R@10 on held-out training photos."""

    target: Target
    validation: float
    epochs: int
    side: nn.Module

    def photos(self, features: NDArray[Any]) -> Floats:
        """ψ of features (N, views, *shape), the mean over views: (N, D) unit rows."""
        rows = []
        with torch.no_grad():
            for start in range(0, len(features), AT_A_TIME):
                some = _rows(features[start : start + AT_A_TIME])  # (n, views, width)
                rows.append(torch.stack([self.side(some[:, v]) for v in range(some.shape[1])]).mean(0))
        return cast("Floats", functional.normalize(torch.cat(rows), dim=1).numpy())

    def texts(self, phi: Floats) -> Floats:
        """φ (M, D) as unit rows of the matching space; a row of zeros (no word is known) stays zeros."""
        given = torch.from_numpy(np.ascontiguousarray(phi, np.float32))
        scaled = text_side(self.target)
        with torch.no_grad():
            rows = functional.normalize(given, dim=1) if scaled is None else scaled(given)
        return cast("Floats", rows.numpy())


class InUnitsOf(nn.Module):
    """What `net` gives, in units of φ's spread about φ's mean: text models are learnt alike, long φ or short.

    Without it a few hundred steps favour the model whose vectors happen to be long (docs/experiments.md).
    """

    def __init__(self, phi: Floats, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.register_buffer("mean", torch.from_numpy(phi.mean(0)))
        self.register_buffer("spread", torch.tensor(max(float(phi.std(0).mean()), 1e-6)))

    def forward(self, features: Tensor) -> Tensor:
        """ψ (N, D) of features (N, width)."""
        psi: Tensor = self.mean + self.spread * self.net(features)
        return psi


def embed(model: TextModel, texts: Sequence[str], progress: Progress = SILENT) -> Floats:
    """φ of many texts, (M, dim)."""
    phi = np.empty((len(texts), model.dim), np.float32)
    with progress.task(f"φ of {model.name}", len(texts), "texts") as step:
        for start in range(0, len(texts), AT_A_TIME):
            some = texts[start : start + AT_A_TIME]
            phi[start : start + len(some)] = model.embed(some)
            step.advance(len(some))
    return phi


def said(model: TextModel, captions: Sequence[Sequence[str]], progress: Progress = SILENT) -> Said:
    """φ of each photo's captions."""
    starts = np.cumsum([0, *(len(one) for one in captions)])
    return Said(embed(model, list(chain.from_iterable(captions)), progress), starts)


def learn_photo_side(
    features: NDArray[Any],
    words: Said,
    *,
    target: Target = "sigmoid",
    seed: int = 0,
    folder: Path,
    settings: PhotoSideSettings | None = None,
    progress: Progress = SILENT,
) -> Space:
    """Learn ψ: features (N, views, *shape) → φ, from photos and what is said of each (`words`, N of them).

    A step shows each photo in one of its views and pulls it to one of its captions, both drawn anew. `folder`
    keeps the checkpoint: a fit that was killed goes on. Raises `InputError` for fewer than 20 photos with
    known words.
    """
    settings = settings or PhotoSideSettings()
    rows, known = _with_known_words(words)
    if len(rows) < FEWEST:
        raise InputError(
            f"{len(rows)} photos have captions with words the text model knows; learning needs {FEWEST}"
        )
    inputs = _rows(features[rows]).numpy()  # (n, views, width)
    pairs = Pairs((inputs,), known.phi, known.starts)
    rest, held_out = hold_out(len(rows), seed)
    with seeded(seed):
        psi: nn.Module = perceptron(inputs.shape[2], settings.hidden, known.phi.shape[1], settings.dropout)
    if target in ("sigmoid", "mse"):  # the other targets see no length
        psi = InUnitsOf(known.phi, psi)

    def load(batch: NDArray[np.int64], rng: np.random.Generator) -> tuple[Tensor, ...]:
        phi, _ = pairs.captions(batch, 1, rng)
        return (*pairs.view(batch, rng.integers(inputs.shape[1], size=len(batch))), phi)

    def recall(trained: nn.Module) -> float:
        found = validation(PhotoSide(trained, target), text_side(target), pairs, held_out)
        return float(found["text_to_image"]["R@10"])

    fitted = fit(
        psi,
        Regression(target),
        Shuffled(rest, min(settings.batch, len(rest)), seed),
        load,
        Settings(
            epochs=settings.epochs,
            optimizer=AdamW(lr=settings.learning_rate, weight_decay=settings.weight_decay),
            schedule=Cosine(),
            validate_every=settings.validate_every,
            patience=settings.patience,
            seed=seed,
        ),
        folder=folder,
        validate=recall,
        fabric=fabric_here(),
        progress=progress,
        label="ψ",
    )
    best = fitted.best_metric if fitted.best_metric is not None else float("nan")
    return Space(target, best, fitted.epochs, PhotoSide(psi.cpu(), target).eval())


def _rows(features: NDArray[Any]) -> Tensor:
    """(N, views, *shape) → (N, views, width): rooted and of equal length, as `towers.Features` does."""
    given = torch.from_numpy(features.astype(np.float32))
    flat = Features([given.shape[2:]])(given.flatten(0, 1))
    result: Tensor = flat.reshape(given.shape[0], given.shape[1], -1)
    return result


def _with_known_words(words: Said) -> tuple[NDArray[np.int64], Said]:
    """The photos with a caption that has a known word, and those captions of theirs."""
    known = words.known()
    owner = np.repeat(np.arange(len(words.starts) - 1), np.diff(words.starts))
    rows, counts = np.unique(owner[known], return_counts=True)
    return rows, Said(words.phi[known], np.cumsum([0, *counts]))
