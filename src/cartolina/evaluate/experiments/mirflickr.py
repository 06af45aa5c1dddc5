"""MIRFlickr's Tables 5, 6 and 7: MAP of every model under one of the `protocols`.

    data = read_annotated(open_dataset("MIRFlickr"), run)
    outcome = mirflickr(data, model_rows(["glove"]), run=run, protocol="classes")

For each model and seed: the text model is learnt on the training photos' tags, ψ by regression of its φ,
and AP taken of every query over *all* its relevant photos. *The control*: the first seed once more, with
the training photos exchanged among the tags.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cartolina.evaluate.experiments.annotated import Annotated
from cartolina.evaluate.experiments.bootstrap import interval
from cartolina.evaluate.experiments.grid import cells, unread
from cartolina.evaluate.experiments.models import ModelRow
from cartolina.evaluate.experiments.photo_side import PhotoSideSettings, Space
from cartolina.evaluate.experiments.protocols import Judged, Setup, setup
from cartolina.evaluate.experiments.run import Run, digest
from cartolina.evaluate.experiments.table import Column, Outcome, Table
from cartolina.metrics import average_precision, mean_over_queries
from cartolina.text import TextModel, embed_queries

__all__ = ["mirflickr"]

Numbers = NDArray[np.float64]

GROUPS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "classes": {"all": ("weak", "strong"), "weak": ("weak",), "strong": ("strong",)},
    "tags": {"tags": ("tags",), "concepts": ("concepts",)},
    "zhang": {"tags": ("tags",), "concepts": ("concepts",)},
}
"""The figures of a row by protocol, and of which judgements' queries each is the mean."""

HEADINGS = {
    "all": "MAP of 38",
    "weak": "of 24",
    "strong": "of 14 strong",
    "tags": "MAP, shares a tag",
    "concepts": "MAP, shares a concept",
}


def mirflickr(
    data: Annotated,
    rows: Sequence[ModelRow],
    *,
    run: Run,
    protocol: str,
    seeds: Sequence[int] = (0,),
    strict: bool = False,
    asking: Sequence[str] = (),
    settings: PhotoSideSettings | None = None,
    workers: int = 1,
) -> Outcome:
    """MAP of every model under one protocol, beside chance and the control; `setup` explains the rest."""
    settings = settings or PhotoSideSettings()
    made = setup(data, protocol, strict=strict, asking=asking)
    found = cells(
        f"mirflickr-{protocol}",
        data.photos.some(made.learning),
        rows,
        partial(_ask, data, made),
        run=run,
        key={"photos": data.photos.fingerprint, "gallery": digest([made.gallery.tolist(), list(asking)])},
        seeds=seeds,
        settings=settings,
        workers=workers,
    )
    return _outcome(
        {row: _Found.of(of_row) for row, of_row in found.items()},
        made,
        {
            "protocol": protocol,
            "strict": strict,
            "labels": data.how,
            "photos": len(data.photos),
            "train": len(made.learning),
            "gallery": len(made.gallery),
            "queries": {judged.how: len(judged.texts) for judged in made.judged},
            "seeds": list(seeds),
            "photo_side": settings.to_json(),
            "skipped": dict(data.photos.skipped),
        },
    )


def _ask(data: Annotated, made: Setup, space: Space, model: TextModel) -> dict[str, Any]:
    """AP of every query by judgement (null: nothing is relevant), and the texts that cannot be read."""
    photos = space.photos(data.photos.features[made.gallery])
    precisions: dict[str, list[float | None]] = {}
    not_read: list[str] = []
    for judged in made.judged:
        queries = space.texts(embed_queries(model, judged.texts))
        not_read += unread(judged.texts, queries)
        values = judged.by_blocks(partial(_precisions, judged, queries, photos))
        precisions[judged.how] = [None if np.isnan(value) else float(value) for value in values]
    return {"AP": precisions, "unread": list(dict.fromkeys(not_read)), "validation": space.validation}


def _precisions(
    judged: Judged, queries: NDArray[np.float32], photos: NDArray[np.float32], block: slice
) -> Numbers:
    return average_precision(queries[block] @ photos.T, judged.relevant(block))


@dataclass(frozen=True)
class _Found:
    """What a row's cells found: AP of every query by judgement, the mean of the seeds and of the control."""

    precisions: Mapping[str, Numbers]
    control: Mapping[str, Numbers]
    unread: tuple[str, ...]

    @classmethod
    def of(cls, cells: Sequence[Mapping[str, Any]]) -> _Found:
        *seeds, control = [_arrays(cell["AP"]) for cell in cells]
        means = {how: np.mean([seed[how] for seed in seeds], axis=0) for how in control}
        return cls(means, control, tuple(dict.fromkeys(text for cell in cells for text in cell["unread"])))


def _arrays(precisions: Mapping[str, Sequence[float | None]]) -> dict[str, Numbers]:
    return {how: np.array(values, np.float64) for how, values in precisions.items()}  # null becomes NaN


def _outcome(found: Mapping[ModelRow, _Found], made: Setup, settings: dict[str, Any]) -> Outcome:
    protocol = str(settings["protocol"])
    groups = GROUPS[protocol]
    chance = {judged.how: judged.chance() for judged in made.judged}
    rows: list[dict[str, Any]] = []
    for row, of_row in found.items():
        figures: dict[str, Any] = {"model": row.label, "learnt": "elsewhere" if row.pretrained else "here"}
        for name, hows in groups.items():
            figures[name] = _interval(of_row.precisions, hows)
            figures[f"{name}_control"] = _mean(of_row.control, hows)
        rows.append(figures | {"unread": len(of_row.unread)})
    rows.append({"model": "chance"} | {name: _mean(chance, hows) for name, hows in groups.items()})
    columns = [Column("model", "model"), Column("learnt", "text learnt")]
    for name in groups:
        columns += [Column(name, HEADINGS[name], ".3f"), Column(f"{name}_control", "control", ".3f")]
    title = f"MIRFlickr's protocol {protocol!r}" + (", strict split" if settings["strict"] else "")
    return Outcome(
        "mirflickr",
        settings,
        Table((*columns, Column("unread", "queries without a known word")), tuple(rows), title),
        {"concepts": _by_concept(found, made, chance)} if protocol == "classes" else {},
        _notes(settings, found),
    )


def _by_concept(found: Mapping[ModelRow, _Found], made: Setup, chance: Mapping[str, Numbers]) -> Table:
    """Table 7: a row a concept, a column a model."""
    rows = []
    for judged in made.judged:
        counts = judged.counts()
        for number, name in enumerate(judged.names):
            row = {
                "concept": name,
                "relevant": int(counts[number]),
                "chance": float(chance[judged.how][number]),
            }
            rows.append(
                row | {one.label: float(of.precisions[judged.how][number]) for one, of in found.items()}
            )
    columns = [
        Column("concept", "concept"),
        Column("relevant", "relevant"),
        Column("chance", "chance", ".3f"),
    ]
    columns += [Column(row.label, row.label, ".3f") for row in found]
    return Table(tuple(columns), tuple(rows), "AP of each concept; * judged by the strong labels")


def _mean(values: Mapping[str, Numbers], hows: Sequence[str]) -> float:
    return mean_over_queries(np.concatenate([values[how] for how in hows]))


def _interval(values: Mapping[str, Numbers], hows: Sequence[str]) -> dict[str, float]:
    every = np.concatenate([values[how] for how in hows])
    return interval(every[~np.isnan(every)], np.random.default_rng(0)).to_json()


def _notes(settings: Mapping[str, Any], found: Mapping[ModelRow, _Found]) -> tuple[str, ...]:
    notes = [
        f"Labels: {settings['labels']}.",
        f"Learnt from {settings['train']} photos, looked among {settings['gallery']}.",
        "Intervals: 95 %, bootstrap over queries. Control: every photo's tags were given to another photo.",
    ]
    if settings["protocol"] != "classes" and not settings["strict"]:
        notes.append(
            "The photos looked among were learnt from: so the protocol was published; --strict parts them."
        )
    for row, of_row in found.items():
        if of_row.unread:
            some = ", ".join(repr(text) for text in of_row.unread[:8]) + (
                ", …" if len(of_row.unread) > 8 else ""
            )
            notes.append(
                f"{row.label} knows no word of {some}: such a query finds nothing, and its AP is the worst."
            )
    return tuple(notes)
