"""Table 3's rows: P@5 in each gallery, learnt at home and elsewhere, beside chance and the ceiling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cartolina.evaluate.experiments import controls
from cartolina.evaluate.experiments.answers import positions, precision
from cartolina.evaluate.experiments.bootstrap import difference, interval
from cartolina.evaluate.experiments.collection import Collection
from cartolina.evaluate.experiments.gallery import Photos
from cartolina.evaluate.experiments.judging import Judge
from cartolina.evaluate.experiments.models import ModelRow
from cartolina.evaluate.experiments.query_sets import QuerySets, query_sets
from cartolina.evaluate.experiments.query_tables import AT
from cartolina.evaluate.experiments.table import Column, Outcome, Table

__all__ = ["Side", "outcome"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Side:
    """A gallery, what is asked there, and which photos are relevant to each query, (Q, N)."""

    name: str
    gallery: Photos
    sets: QuerySets
    relevant: NDArray[np.bool_]

    @classmethod
    def of(cls, one: Collection) -> Side:
        """The gallery of a collection; the generated queries are of its own training captions."""
        sets = query_sets(one.train.captions, one.gallery.captions)
        return cls(one.name, one.gallery, sets, Judge(one.gallery.captions).relevance(sets.asked))

    @property
    def kinds(self) -> dict[str, NDArray[np.bool_]]:
        """The generated queries of either kind: (Q,)."""
        return {
            "simple": self.sets.ranked & ~self.sets.complex,
            "complex": self.sets.ranked & self.sets.complex,
        }


def outcome(
    found: Mapping[str, Mapping[ModelRow, Sequence[Mapping[str, Any]]]],
    sides: Sequence[Side],
    settings: Mapping[str, Any],
) -> Outcome:
    """The table: `found` are the cells by the collection learnt from, each model's control last."""
    rows: list[dict[str, Any]] = []
    for side in sides:
        number = {photo: row for row, photo in enumerate(side.gallery.ids)}
        by_source = {
            source: {row: _precisions(of_row, side, number) for row, of_row in models.items()}
            for source, models in found.items()
        }
        home = by_source[side.name]
        for source, models in sorted(by_source.items(), key=lambda item: item[0] != side.name):
            for row, (values, control) in models.items():
                unknown = found[source][row][0]["unknown"][side.name]
                behind = None if source == side.name else _difference(values, home[row][0], side)
                rows.append(_row(source, side, row, values, control, unknown, behind))
        rows += [
            _reference(name, side, values)
            for name, values in (
                ("chance", controls.chance_precision(side.relevant)),
                ("ceiling", controls.ceiling(side.relevant, AT)),
            )
        ]
    return Outcome("transfer", settings, Table(COLUMNS, tuple(rows), TITLE), {}, _notes(settings, rows))


TITLE = (
    "P@5 of Table 1's 24 queries (all, simple, complex), and of those generated from the gallery's captions"
)

COLUMNS = (
    Column("test", "looked among"),
    Column("train", "learnt from"),
    Column("model", "model"),
    Column("all", "P@5", ".2f"),
    Column("simple", "S", ".2f"),
    Column("complex", "C", ".2f"),
    Column("ranked_simple", "generated S", ".3f"),
    Column("ranked_complex", "generated C", ".3f"),
    Column("behind", "less home", ".3f"),
    Column("control", "control", ".3f"),
    Column("unreadable", "not known", "d"),
)


def _precisions(
    of_row: Sequence[Mapping[str, Any]], side: Side, number: Mapping[str, int]
) -> tuple[Floats, Floats]:
    """P@5 of each query, the mean of the seeds, and of the control: (Q,) each."""
    each = [
        precision(positions(cell["top"][side.name], side.sets.asked, number), side.relevant, AT)
        for cell in of_row
    ]
    return np.mean(each[:-1], axis=0), each[-1]


def _row(
    source: str,
    side: Side,
    row: ModelRow,
    values: Floats,
    control: Floats,
    unknown: Mapping[str, list[str]],
    behind: dict[str, float] | None,
) -> dict[str, Any]:
    return {
        "test": side.name,
        "train": source,
        "model": row.label,
        "learnt": "elsewhere" if row.pretrained else "here",
        **side.sets.means(values),
        "ranked_simple": interval(values[side.kinds["simple"]], np.random.default_rng(0)).to_json(),
        "ranked_complex": interval(values[side.kinds["complex"]], np.random.default_rng(0)).to_json(),
        "behind": behind,
        "control": float(control[side.sets.ranked].mean()) if side.sets.ranked.any() else None,
        "unknown": dict(unknown),
        "unreadable": len(unknown),
    }


def _reference(name: str, side: Side, values: Floats) -> dict[str, Any]:
    row: dict[str, Any] = {"test": side.name, "model": name, **side.sets.means(values)}
    for kind, of_kind in side.kinds.items():
        row[f"ranked_{kind}"] = float(values[of_kind].mean()) if of_kind.any() else None
    row["control"] = float(values[side.sets.ranked].mean()) if side.sets.ranked.any() else None
    return row


def _difference(ours: Floats, home: Floats, side: Side) -> dict[str, float]:
    """Learnt elsewhere less learnt at home, over the generated queries."""
    ranked = side.sets.ranked
    drawn = difference(ours[ranked], home[ranked], np.random.default_rng(0), strata=side.sets.strata)
    return drawn.to_json()


def _notes(settings: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    sizes = "; ".join(
        f"{name}: learnt from {of['train']} photos, looked among {of['gallery']}"
        for name, of in settings["collections"].items()
    )
    notes = [
        f"{sizes}.",
        "A photo is relevant where each concept is named by one of its captions; the paper judged by eye.",
        "Less home: learnt elsewhere less learnt at home, on the gallery's generated queries, paired (95 %).",
        "Control: the training photos exchanged among the captions; to be read against chance in its column.",
    ]
    for row in rows:
        words = sorted({word for some in row.get("unknown", {}).values() for word in some})
        if words:
            some = ", ".join(words[:12]) + (", …" if len(words) > 12 else "")
            notes.append(
                f"{row['model']} learnt from {row['train']} does not know, asked of {row['test']}: {some}"
            )
    return tuple(notes)
