"""Table 4 of *Self-Supervised Learning from Web Data*: what wrong captions cost, by loss and by captions.

    outcome = noise(open_dataset("flickr8k"), model_rows(["glove:scaled"])[0], levels=(0, 30), run=Run())

Of P % of the training photos the *whole* set of captions is another photo's (`datasets.noise`): one wrong
caption of five would be averaged away. The sets change hands, so the words are the same and the text model is
learnt once a seed. The gallery is clean, and judged by all its captions, however many are learnt from.

With one caption a photo everything is learnt from the first caption alone, the text model too. The cross
entropy of Eq. 2 stands beside the mean squared error. *The control* is the level of 100 %.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cartolina.errors import InputError, UnknownName
from cartolina.evaluate.experiments import controls
from cartolina.evaluate.experiments.answers import TextModels, answered, positions, precision
from cartolina.evaluate.experiments.bootstrap import difference, interval
from cartolina.evaluate.experiments.gallery import BACKBONE, two_parts
from cartolina.evaluate.experiments.judging import Judge, Verdicts
from cartolina.evaluate.experiments.models import ModelRow
from cartolina.evaluate.experiments.photo_side import PhotoSideSettings
from cartolina.evaluate.experiments.query_sets import QuerySets, query_sets
from cartolina.evaluate.experiments.run import Run
from cartolina.evaluate.experiments.table import Column, Outcome, Table

if TYPE_CHECKING:
    from cartolina.datasets import Dataset
    from cartolina.learn.regression import Target

__all__ = ["LEVELS", "LOSSES", "noise"]

AT = 5
LEVELS = (0, 10, 20, 30)
CONTROL = 100
LOSSES = ("cross-entropy", "mse")
"""Eq. 2 with the model's own target, and the ablation."""


def noise(
    dataset: Dataset,
    row: ModelRow,
    *,
    run: Run,
    levels: Sequence[int] = LEVELS,
    captions: Sequence[int] = (1, 5),
    losses: Sequence[str] = LOSSES,
    train: str | None = None,
    gallery: str | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    verdicts: Verdicts | None = None,
    settings: PhotoSideSettings | None = None,
    backbone: str = BACKBONE,
    workers: int = 1,
) -> Outcome:
    """Run the experiment, or what is left of it.

    `levels` in percent; `captions`: of how many captions a photo to learn, at most. Raises `InputError` for a
    level or a number that is none.
    """
    _check(levels, captions, losses)
    settings = settings or PhotoSideSettings()
    learn_from, look_in = two_parts(dataset, run, train=train, gallery=gallery, backbone=backbone)
    sets = query_sets(learn_from.captions, look_in.captions)
    number = look_in.numbers()
    relevant = Judge(look_in.captions, look_in.judged(verdicts)).relevance(sets.asked)
    at = [*sorted({int(level) for level in levels}), CONTROL]
    cells: dict[tuple[int, str, int], list[NDArray[np.int64]]] = {}
    recalls: dict[tuple[int, str, int], list[float]] = {}
    with run.progress.task("noise", len(captions) * len(losses) * len(seeds) * len(at), "cells") as step:
        for most in captions:
            first = tuple(of_photo[:most] for of_photo in learn_from.captions)
            texts = TextModels(first, look_in.captions, workers, run.progress)
            for seed in seeds:
                for loss in losses:
                    for level in at:
                        step.note(f"{most} a photo, {loss}, {level} %, seed {seed}")
                        cell = answered(
                            "noise",
                            run,
                            texts,
                            learn_from,
                            look_in,
                            sets.asked,
                            _with(row, loss),
                            seed=seed,
                            noise=level / 100,
                            settings=settings,
                            key={"level": level, "captions": most},
                        )
                        ranked = positions(cell["top"], sets.asked, number)
                        cells.setdefault((most, loss, level), []).append(ranked)
                        recalls.setdefault((most, loss, level), []).append(cell["recall"])
                        step.advance()
    found = {key: np.stack([precision(one, relevant, AT) for one in ranked]) for key, ranked in cells.items()}
    rows = [_row(key, found, recalls[key], sets) for key in found]
    return Outcome(
        "noise",
        {
            "data": str(dataset.root),
            "backbone": backbone,
            "model": row.label,
            "train": len(learn_from),
            "gallery": len(look_in),
            "levels": at,
            "captions": list(captions),
            "losses": list(losses),
            "seeds": list(seeds),
            "photo_side": settings.to_json(),
            "skipped": dict(learn_from.skipped + look_in.skipped),
        },
        Table(
            COLUMNS, (*rows, _chance(relevant, sets)), f"Noise among the captions learnt from; {row.label}"
        ),
        notes=_notes(sets, seeds),
    )


def _with(row: ModelRow, loss: str) -> ModelRow:
    target: Target = "mse" if loss == "mse" else row.target
    return replace(row, target=target)


def _check(levels: Sequence[int], captions: Sequence[int], losses: Sequence[str]) -> None:
    for loss in losses:
        if loss not in LOSSES:
            raise UnknownName("loss", loss, LOSSES)
    if not levels or not all(0 <= level < CONTROL for level in levels):
        raise InputError(f"noise levels are percents from 0 to 99, such as 0,10,20,30; given {list(levels)}")
    if not captions or min(captions) < 1:
        raise InputError(f"the captions a photo are 1 or more; given {list(captions)}")


COLUMNS = (
    Column("captions", "captions", "d"),
    Column("loss", "loss"),
    Column("level", "noise %", "d"),
    Column("all", "P@5", ".2f"),
    Column("simple", "S", ".2f"),
    Column("complex", "C", ".2f"),
    Column("ranked", "generated queries", ".3f"),
    Column("spread", "± seeds", ".3f"),
    Column("change", "change", ".3f"),
    Column("recall", "R@10", ".1f"),
)


def _row(
    key: tuple[int, str, int],
    found: Mapping[tuple[int, str, int], NDArray[np.float64]],
    recalls: Sequence[float],
    sets: QuerySets,
) -> dict[str, Any]:
    most, loss, level = key
    each_seed = found[key]
    mean = each_seed.mean(0)
    rng, strata = np.random.default_rng(0), sets.strata
    by_seed = each_seed[:, sets.ranked].mean(1)
    least = min(other for captions, of, other in found if (captions, of) == (most, loss))
    clean = found[most, loss, least].mean(0)
    return {
        "captions": most,
        "loss": loss,
        "level": level,
        "control": level == CONTROL,
        **sets.means(mean),
        "ranked": interval(mean[sets.ranked], rng, strata=strata).to_json(),
        "by_seed": [float(one) for one in by_seed],
        "spread": float(by_seed.std(ddof=1)) if len(by_seed) > 1 else None,
        "change": None
        if level == least
        else difference(mean[sets.ranked], clean[sets.ranked], rng, strata=strata).to_json(),
        "recall": float(np.mean(recalls)),
        "recall_by_seed": list(recalls),
    }


def _chance(relevant: NDArray[np.bool_], sets: QuerySets) -> dict[str, Any]:
    chance = controls.chance_precision(relevant)
    return {
        "loss": "chance",
        **sets.means(chance),
        "ranked": float(chance[sets.ranked].mean()) if sets.ranked.any() else None,
        "recall": controls.chance_recall(relevant.shape[1], 10),
    }


def _notes(sets: QuerySets, seeds: Sequence[int]) -> tuple[str, ...]:
    return (
        "Whole sets of captions are another photo's; the gallery is clean. P@5 of Table 1's 24 queries (all, "
        f"simple, complex) and of {int(sets.ranked.sum())} generated ones with an interval (95 %) over "
        "queries; `change` is paired, against the least noise of the same captions and loss.",
        f"Means over {len(seeds)} seed{'s' if len(seeds) != 1 else ''}. 100 % is the control: to be read "
        "against chance.",
    )
