"""Models × seeds, a cell each, and the control: the loop that the tables share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cartolina.datasets.noise import noisy_sources
from cartolina.evaluate.experiments.answers import TextModels
from cartolina.evaluate.experiments.gallery import Photos
from cartolina.evaluate.experiments.models import ModelRow
from cartolina.evaluate.experiments.photo_side import PhotoSideSettings, Space, learn_photo_side
from cartolina.evaluate.experiments.run import Run
from cartolina.text import TextModel

__all__ = ["Ask", "cells", "unread"]


class Ask(Protocol):
    """What is done with a model once it is learnt."""

    def __call__(self, space: Space, model: TextModel) -> Mapping[str, Any]:
        """A cell's value, JSON-able."""


def cells(
    experiment: str,
    train: Photos,
    rows: Sequence[ModelRow],
    ask: Ask,
    *,
    run: Run,
    key: Mapping[str, Any],
    seeds: Sequence[int],
    settings: PhotoSideSettings,
    workers: int = 1,
) -> dict[ModelRow, list[dict[str, Any]]]:
    """Learn every row from `train` once a seed and `ask` each; a row's last cell is the control.

    The control is the first seed once more with the photos exchanged among the captions. `key` says what else
    than the training photos, the model, the seed and the settings the value depends on.
    """
    texts = TextModels(train.captions, (), workers, run.progress)
    found: dict[ModelRow, list[dict[str, Any]]] = {}
    with run.progress.task(experiment, len(rows) * (len(seeds) + 1), "cells") as step:
        for row in rows:
            found[row] = []
            for seed, is_control in [*((seed, False) for seed in seeds), (seeds[0], True)]:
                step.note(f"{row.label}, seed {seed}" + (", photos exchanged" if is_control else ""))
                own = {
                    **key,
                    "train": train.fingerprint,
                    "model": row.to_json(),
                    "seed": seed,
                    "photo_side": settings.to_json(),
                    "exchanged": is_control,
                }
                sources = noisy_sources(len(train), 1.0, seed) if is_control else None
                compute = partial(_learn_and_ask, texts, train, row, sources, ask, run, own, settings)
                found[row].append(run.cell(experiment, own, compute))
                step.advance()
    return found


def unread(texts: Sequence[str], vectors: NDArray[np.float32]) -> list[str]:
    """The texts whose vectors are zeros: the model knows no word of them."""
    known = np.asarray(vectors.any(axis=1)).tolist()
    return [text for text, any_word in zip(texts, known, strict=True) if not any_word]


def _learn_and_ask(
    texts: TextModels,
    train: Photos,
    row: ModelRow,
    sources: NDArray[np.intp] | None,
    ask: Ask,
    run: Run,
    key: Mapping[str, Any],
    settings: PhotoSideSettings,
) -> Mapping[str, Any]:
    text = texts.learnt(row, key["seed"])
    space = learn_photo_side(
        train.features,
        text.training if sources is None else text.training.of(sources),
        target=row.target,
        seed=key["seed"],
        folder=run.learning(key),
        settings=settings,
        progress=run.progress,
    )
    return ask(space, text.model)
