"""Table 2 of *Self-Supervised Learning from Web Data*: 24 queries, P@5, one row a text model.

    outcome = queries(open_dataset("flickr8k"), model_rows(["word2vec", "minilm"]), run=Run())

For each model and seed: the text model is learnt on the training captions, ψ by regression of its φ, and the
gallery's photos are ranked for each query. Beside the 24 queries the rows are ranked on generated ones that
have enough relevant photos (`query_sets`), by a bootstrap over queries, models learnt here and elsewhere
apart.
*The control*: the first seed once more, with all captions passed to other photos.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cartolina.evaluate.experiments.answers import TextModels, answered
from cartolina.evaluate.experiments.gallery import BACKBONE, two_parts
from cartolina.evaluate.experiments.judging import Judge, Verdicts
from cartolina.evaluate.experiments.models import ModelRow
from cartolina.evaluate.experiments.photo_side import PhotoSideSettings
from cartolina.evaluate.experiments.query_sets import query_sets
from cartolina.evaluate.experiments.query_tables import Found, outcome
from cartolina.evaluate.experiments.run import Run
from cartolina.evaluate.experiments.table import Outcome

if TYPE_CHECKING:
    from cartolina.datasets import Dataset

__all__ = ["queries"]


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
    learn_from, look_in = two_parts(dataset, run, train=train, gallery=gallery, backbone=backbone)
    number, judged = look_in.numbers(), look_in.judged(verdicts)
    sets = query_sets(learn_from.captions, look_in.captions)
    texts = TextModels(learn_from.captions, look_in.captions, workers, run.progress)
    found: dict[ModelRow, Found] = {}
    with run.progress.task("models", len(rows) * (len(seeds) + 1), "cells") as step:
        for row in rows:
            cells = []
            for seed, is_control in [*((seed, False) for seed in seeds), (seeds[0], True)]:
                step.note(f"{row.label}, seed {seed}" + (", photos exchanged" if is_control else ""))
                cells.append(
                    answered(
                        "queries",
                        run,
                        texts,
                        learn_from,
                        look_in,
                        sets.asked,
                        row,
                        seed=seed,
                        noise=1.0 if is_control else 0.0,
                        settings=settings,
                        key={"exchanged": is_control},
                    )
                )
                step.advance()
            found[row] = Found.of(cells, sets.asked, number)
    return outcome(
        found,
        sets,
        Judge(look_in.captions, judged).relevance(sets.asked),
        look_in.ids,
        {
            "data": str(dataset.root),
            "backbone": backbone,
            "train": len(learn_from),
            "gallery": len(look_in),
            "seeds": list(seeds),
            "photo_side": settings.to_json(),
            "verdicts": len(judged),
            "skipped": dict(learn_from.skipped + look_in.skipped),
        },
    )
