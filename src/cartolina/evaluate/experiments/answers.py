"""One cell's work: a text model learnt, ψ learnt to follow it, the gallery ranked for every query.

What is kept are rankings, not judgements: those are made of them afterwards, so that a verdict or a better
list of synonyms costs no learning.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cartolina import metrics
from cartolina.datasets.noise import noisy_sources
from cartolina.evaluate.experiments.asking import NOTHING, best, query_vectors, unknown_words
from cartolina.evaluate.experiments.gallery import Photos
from cartolina.evaluate.experiments.judging import Asked
from cartolina.evaluate.experiments.models import ModelRow
from cartolina.evaluate.experiments.photo_side import PhotoSideSettings, Said, Space, learn_photo_side, said
from cartolina.evaluate.experiments.run import Run, digest
from cartolina.progress import SILENT, Progress
from cartolina.text import TextModel

__all__ = ["DEPTH", "LearntText", "TextModels", "answered", "answers", "positions", "precision"]

DEPTH = 10
"""Photos kept of each ranking."""

Captions = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class LearntText:
    """A text model that has seen the training captions; their φ, and that of the gallery's captions."""

    model: TextModel
    training: Said
    gallery: Said
    seconds: float


@dataclass
class TextModels:
    """Learns text models as they are asked for, and keeps the last: levels of noise share it."""

    training: Captions
    gallery: Captions
    workers: int = 1
    progress: Progress = SILENT
    _last: tuple[Any, LearntText] | None = field(default=None, repr=False)

    def learnt(self, row: ModelRow, seed: int) -> LearntText:
        """The model of `row`, learnt on all training captions; one learnt elsewhere is the same each seed."""
        from cartolina.text import create

        key = (row.name, row.pooling, None if row.pretrained else seed)
        if self._last is None or self._last[0] != key:
            self._last = None  # let go of it before the next is made
            started = time.monotonic()
            model = create(
                row.name, pooling=row.pooling, seed=seed, workers=self.workers, progress=self.progress
            )
            model.fit((caption for of_photo in self.training for caption in of_photo), self.progress)
            training = said(model, self.training, self.progress)
            seconds = time.monotonic() - started
            self._last = key, LearntText(model, training, said(model, self.gallery, self.progress), seconds)
        return self._last[1]


def answers(
    text: LearntText,
    features: NDArray[Any],
    gallery: Photos,
    queries: Sequence[Asked],
    row: ModelRow,
    *,
    words: Said | None = None,
    seed: int,
    folder: Path,
    settings: PhotoSideSettings,
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Learn ψ from `features` and what is said of them (`words`; None: the training captions), and ask.

    `top`: the ids of the first photos of each query ([] where no word is known); `unknown`: the words of a
    query the model cannot read; `recall`: R@10 of the gallery's captions, every one a query for its photo;
    `validation`: the same on held-out training photos; `seconds` of learning the text model and ψ.
    """
    started = time.monotonic()
    space = learn_photo_side(
        features,
        text.training if words is None else words,
        target=row.target,
        seed=seed,
        folder=folder,
        settings=settings,
        progress=progress,
    )
    seconds = time.monotonic() - started
    photos = space.photos(gallery.features)
    ranked = best(query_vectors(space, text.model, queries), photos, DEPTH)
    ids = gallery.ids
    return {
        "top": {
            query.name: [ids[photo] for photo in photos_of if photo != NOTHING]
            for query, photos_of in zip(queries, ranked, strict=True)
        },
        "unknown": unknown_words(text.model, queries),
        "recall": _recall(space, text.gallery, photos),
        "validation": space.validation,
        "epochs": space.epochs,
        "seconds": {"text": round(text.seconds, 1), "photos": round(seconds, 1)},
    }


def answered(
    experiment: str,
    run: Run,
    texts: TextModels,
    learn_from: Photos,
    look_in: Photos,
    queries: Sequence[Asked],
    row: ModelRow,
    *,
    seed: int,
    noise: float,
    settings: PhotoSideSettings,
    key: Mapping[str, Any],
) -> dict[str, Any]:
    """The cell of `answers` for a model and a seed, `noise` (0 to 1) of the photos exchanged.

    `key` says what sets the cell apart from others of the experiment with this model, seed and settings.
    """
    own = {
        **key,
        "train": learn_from.fingerprint,
        "gallery": look_in.fingerprint,
        "queries": digest([query.name for query in queries]),
        "model": row.to_json(),
        "seed": seed,
        "photo_side": settings.to_json(),
    }

    def compute() -> dict[str, Any]:
        text = texts.learnt(row, seed)
        return answers(
            text,
            learn_from.features,
            look_in,
            queries,
            row,
            words=text.training.of(noisy_sources(len(learn_from), noise, seed)) if noise else None,
            seed=seed,
            folder=run.learning(own),
            settings=settings,
            progress=run.progress,
        )

    return run.cell(experiment, own, compute)


def positions(
    top: Mapping[str, Sequence[str]], queries: Sequence[Asked], number: Mapping[str, int]
) -> NDArray[np.int64]:
    """A cell's rankings as photo numbers, (Q, DEPTH) int64, −1 where a query found nothing (so far down)."""
    ranked = np.full((len(queries), DEPTH), NOTHING, np.int64)
    for row, query in enumerate(queries):
        found = [number[photo] for photo in top[query.name][:DEPTH]]
        ranked[row, : len(found)] = found
    return ranked


def precision(ranked: NDArray[np.int64], relevant: NDArray[np.bool_], k: int) -> NDArray[np.float64]:
    """P@k of each query: the share of relevant photos among its first `k`; one not found is not relevant.

    `ranked` (Q, ≥k) photo numbers or −1, `relevant` (Q, N) → (Q,).
    """
    first = ranked[:, :k]
    hits = np.take_along_axis(relevant, np.maximum(first, 0), axis=1) & (first != NOTHING)
    return np.asarray(hits.sum(1) / k, np.float64)


def _recall(space: Space, words: Said, photos: NDArray[np.float32]) -> float:
    """R@10 in percent, every caption of the gallery a query for its own photo."""
    owner = np.repeat(np.arange(len(photos)), np.diff(words.starts))
    ranks = metrics.text_to_image_ranks(space.texts(words.phi), photos, owner)
    return metrics.recall_at_k(ranks, 10)
