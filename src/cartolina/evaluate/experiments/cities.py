"""Seed 002's table: ask by a city's name, among photos of ten cities; TOP100 and AP.

    outcome = cities(read_cities(open_dataset("InstaCities1M"), run), model_rows(["lda"]), run=run)
    outcome = cities(read_towns(open_dataset("flickr8k"), run, strength=0.6), model_rows(["lda"]), run=run)

For each model and seed: the text model is learnt on the training captions, ψ by regression of its φ, and
each city's name (its folder's: "newyork") asks. Relevant are the photos of that city; TOP100 is P@100, AP
is over all relevant photos, both in percent as in the post, whose means are 90.2 and 18.96. *The control*:
the first seed once more, with the training photos exchanged among the captions. Of a controlled set
(`towns`) the ceiling is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cartolina.evaluate.experiments.city_sets import TOP, Cities
from cartolina.evaluate.experiments.grid import cells, unread
from cartolina.evaluate.experiments.models import ModelRow
from cartolina.evaluate.experiments.photo_side import PhotoSideSettings, Space
from cartolina.evaluate.experiments.run import Run
from cartolina.evaluate.experiments.table import Column, Outcome, Table
from cartolina.metrics import average_precision, mean_over_queries, precision_at
from cartolina.text import TextModel, embed_queries

__all__ = ["cities"]

Numbers = NDArray[np.float64]


def cities(
    data: Cities,
    rows: Sequence[ModelRow],
    *,
    run: Run,
    seeds: Sequence[int] = (0,),
    settings: PhotoSideSettings | None = None,
    workers: int = 1,
) -> Outcome:
    """TOP100 and AP of every model, the mean over cities, and each city's."""
    settings = settings or PhotoSideSettings()
    found = cells(
        "cities",
        data.train,
        rows,
        partial(_ask, data),
        run=run,
        key={"gallery": data.gallery.fingerprint, "cities": list(data.names)},
        seeds=seeds,
        settings=settings,
        workers=workers,
    )
    return _outcome(
        {row: _Found.of(of_row) for row, of_row in found.items()},
        data,
        {
            "data": data.how,
            "train": len(data.train),
            "gallery": len(data.gallery),
            "seeds": list(seeds),
            "photo_side": settings.to_json(),
            "skipped": dict(data.gallery.skipped),
        },
    )


def _ask(data: Cities, space: Space, model: TextModel) -> dict[str, Any]:
    """TOP100 and AP of each city, 0 to 1, and the names that cannot be read."""
    queries = space.texts(embed_queries(model, data.names))
    scores = queries @ space.photos(data.gallery.features).T
    return {
        "TOP": precision_at(scores, data.relevant, TOP).tolist(),
        "AP": average_precision(scores, data.relevant).tolist(),
        "unread": unread(data.names, queries),
        "validation": space.validation,
    }


@dataclass(frozen=True)
class _Found:
    """What a row's cells found, in percent: (C,) each, the mean of the seeds and of the control."""

    top: Numbers
    precisions: Numbers
    control_top: Numbers
    control_precisions: Numbers
    unread: tuple[str, ...]

    @classmethod
    def of(cls, cells: Sequence[Mapping[str, Any]]) -> _Found:
        *seeds, control = cells
        means = {name: 100 * np.mean([seed[name] for seed in seeds], axis=0) for name in ("TOP", "AP")}
        of_control = {name: 100 * np.array(control[name]) for name in ("TOP", "AP")}
        unread = dict.fromkeys(name for cell in cells for name in cell["unread"])
        return cls(means["TOP"], means["AP"], of_control["TOP"], of_control["AP"], tuple(unread))


def _outcome(found: Mapping[ModelRow, _Found], data: Cities, settings: Mapping[str, Any]) -> Outcome:
    rows: list[dict[str, Any]] = [
        {
            "model": row.label,
            "learnt": "elsewhere" if row.pretrained else "here",
            "top": mean_over_queries(one.top),
            "top_control": mean_over_queries(one.control_top),
            "ap": mean_over_queries(one.precisions),
            "ap_control": mean_over_queries(one.control_precisions),
            "unread": one.unread,
        }
        for row, one in found.items()
    ]
    references = data.references()
    rows += [
        {"model": name, "top": 100 * mean_over_queries(top), "ap": 100 * mean_over_queries(precisions)}
        for name, (top, precisions) in references.items()
    ]
    columns = (
        Column("model", "model"),
        Column("learnt", "text learnt"),
        Column("top", f"TOP{TOP} %", ".1f"),
        Column("top_control", "control", ".1f"),
        Column("ap", "AP %", ".2f"),
        Column("ap_control", "control", ".2f"),
        Column("unread", "names not known"),
    )
    title = f"Asked by a city's name: {data.how}"
    return Outcome(
        "cities",
        settings,
        Table(columns, tuple(rows), title),
        {"cities": _by_city(found, data, references)},
        (
            f"Learnt from {settings['train']} photos, looked among {settings['gallery']}. The post's "
            "means, of an LDA of 500 topics, 150,000 photos of InstaCities1M looked among: 90.2 and 18.96.",
            "Control: every photo's captions were given to another photo.",
        ),
    )


def _by_city(
    found: Mapping[ModelRow, _Found], data: Cities, references: Mapping[str, tuple[Numbers, Numbers]]
) -> Table:
    """A row a city, two columns a model."""
    rows = []
    for number, name in enumerate(data.names):
        row: dict[str, Any] = {"city": name, "photos": int(data.relevant[number].sum())}
        for label, (top, precisions) in references.items():
            row |= {f"{label} TOP": 100 * float(top[number]), f"{label} AP": 100 * float(precisions[number])}
        for one, of_row in found.items():
            row |= {
                f"{one.label} TOP": float(of_row.top[number]),
                f"{one.label} AP": float(of_row.precisions[number]),
            }
        rows.append(row)
    columns = [Column("city", "city"), Column("photos", "photos")]
    for label in (*references, *(row.label for row in found)):
        columns += [Column(f"{label} TOP", f"{label} TOP{TOP}", ".1f"), Column(f"{label} AP", "AP", ".2f")]
    return Table(tuple(columns), tuple(rows), "Each city")
