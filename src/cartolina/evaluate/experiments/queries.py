"""Table 2 of *Self-Supervised Learning from Web Data*: 24 queries, P@5, one row a text model.

    outcome = queries(open_dataset("flickr8k"), model_rows(["word2vec", "minilm"]), run=Run())

For each model and seed: the text model is learnt on the training captions, ψ by regression of its φ, and the
gallery's photos are ranked for each query. Beside the 24 queries the rows are ranked on generated ones that
have enough relevant photos (`query_sets`), by a bootstrap over queries, models learnt here and elsewhere
apart.
*The control*: the first seed once more, with the training photos exchanged among the captions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cartolina.errors import InputError
from cartolina.evaluate.experiments import controls
from cartolina.evaluate.experiments.answers import TextModels, answers
from cartolina.evaluate.experiments.gallery import BACKBONE, Photos, read_photos
from cartolina.evaluate.experiments.judging import Asked, Judge
from cartolina.evaluate.experiments.models import ModelRow
from cartolina.evaluate.experiments.photo_side import PhotoSideSettings
from cartolina.evaluate.experiments.query_sets import generated, table_1
from cartolina.evaluate.experiments.query_tables import Found, outcome
from cartolina.evaluate.experiments.run import Run, digest
from cartolina.evaluate.experiments.table import Outcome

if TYPE_CHECKING:
    from cartolina.datasets import Dataset

__all__ = ["Verdicts", "queries", "splits_of", "two_parts"]

GALLERIES = ("dev", "val", "validation", "test")

Verdicts = Mapping[tuple[str, str], bool]
"""(query, photo's id) → whether it shows what was asked for, said by a person."""


def queries(
    dataset: Dataset,
    rows: Sequence[ModelRow],
    *,
    run: Run,
    train: str | None = None,
    gallery: str | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    verdicts: Verdicts | None = None,
    settings: PhotoSideSettings | None = None,
    backbone: str = BACKBONE,
    workers: int = 1,
) -> Outcome:
    """Run the experiment, or what is left of it, and judge it.

    `train` and `gallery` are parts of the dataset (None: "train", and the first of dev, val, test there is).
    Raises `InputError` where a part is missing, is without photos, or the two share photos.
    """
    settings = settings or PhotoSideSettings()
    learn_from, look_in = two_parts(dataset, train, gallery, run, backbone)
    number = {photo: row for row, photo in enumerate(look_in.ids)}
    by_number = {(q, number[photo]): said for (q, photo), said in (verdicts or {}).items() if photo in number}
    judge = Judge(look_in.captions, by_number)
    ranking = generated(learn_from.captions, Judge(look_in.captions))
    asked = list({query.name: query for query in [*table_1(), *ranking]}.values())
    texts = TextModels(learn_from.captions, look_in.captions, workers, run.progress)
    found: dict[ModelRow, Found] = {}
    with run.progress.task("models", len(rows) * (len(seeds) + 1), "cells") as step:
        for row in rows:
            cells = []
            for seed, is_control in [*((seed, False) for seed in seeds), (seeds[0], True)]:
                step.note(f"{row.label}, seed {seed}" + (", photos exchanged" if is_control else ""))
                cells.append(
                    _cell(run, texts, learn_from, look_in, asked, row, seed, settings, is_control=is_control)
                )
                step.advance()
            found[row] = Found.of(cells, asked, number)
    return outcome(
        found,
        asked,
        frozenset(query.name for query in ranking),
        judge.relevance(asked),
        {
            "data": str(dataset.root),
            "backbone": backbone,
            "train": len(learn_from),
            "gallery": len(look_in),
            "seeds": list(seeds),
            "photo_side": settings.to_json(),
            "verdicts": len(by_number),
            "skipped": dict(learn_from.skipped + look_in.skipped),
        },
    )


def two_parts(
    dataset: Dataset, train: str | None, gallery: str | None, run: Run, backbone: str = BACKBONE
) -> tuple[Photos, Photos]:
    """The photos to learn from and those to look in."""
    train, gallery = splits_of(dataset, train, gallery)
    learn_from = read_photos(dataset, train, run, backbone=backbone)
    look_in = read_photos(dataset, gallery, run, backbone=backbone)
    both = set(learn_from.ids) & set(look_in.ids)
    if both:
        raise InputError(
            f"{len(both)} photos ({min(both)}, …) are in {train!r} and in {gallery!r}: what is looked for "
            "must not have been learnt from"
        )
    worded = [row for row, captions in enumerate(learn_from.captions) if captions]
    return (learn_from if len(worded) == len(learn_from) else learn_from.some(worded)), look_in


def splits_of(dataset: Dataset, train: str | None, gallery: str | None) -> tuple[str, str]:
    """The names of the two parts, found where they were not given."""
    if train is None and "train" in dataset.splits:
        train = "train"
    if gallery is None:
        gallery = next((name for name in GALLERIES if name in dataset.splits and name != train), None)
    if train is None or gallery is None or train == gallery:
        parts = ", ".join(dataset.splits) or "none"
        raise InputError(
            f"an experiment needs a part of {dataset.root} to learn from and another to look in; it has the "
            f"parts: {parts}. Name two with --train and --gallery"
        )
    dataset.check_split(train)
    dataset.check_split(gallery)
    return train, gallery


def _cell(
    run: Run,
    texts: TextModels,
    learn_from: Photos,
    look_in: Photos,
    asked: Sequence[Asked],
    row: ModelRow,
    seed: int,
    settings: PhotoSideSettings,
    *,
    is_control: bool,
) -> dict[str, Any]:
    key = {
        "train": learn_from.fingerprint,
        "gallery": look_in.fingerprint,
        "queries": digest([query.name for query in asked]),
        "model": row.to_json(),
        "seed": seed,
        "photo_side": settings.to_json(),
        "exchanged": is_control,
    }

    def compute() -> dict[str, Any]:
        order = controls.exchanged(len(learn_from), seed) if is_control else slice(None)
        return answers(
            texts.learnt(row, seed),
            learn_from.features[order],
            look_in,
            asked,
            row,
            seed=seed,
            folder=run.learning(key),
            settings=settings,
            progress=run.progress,
        )

    return run.cell("queries", key, compute)
