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
from cartolina.evaluate.experiments.judging import Asked, Judge
from cartolina.evaluate.experiments.models import ModelRow
from cartolina.evaluate.experiments.query_sets import generated, table_1
from cartolina.evaluate.experiments.query_tables import AT
from cartolina.evaluate.experiments.table import Column, Outcome, Table

__all__ = ["Side", "outcome"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Side:
    """A gallery and what is asked there, judged: `own` (Q,) are Table 1's queries, `ranked` generated."""

    name: str
    gallery: Photos
    asked: tuple[Asked, ...]
    relevant: NDArray[np.bool_]
    own: NDArray[np.bool_]
    ranked: NDArray[np.bool_]

    @classmethod
    def of(cls, one: Collection) -> Side:
        """The gallery of a collection; the generated queries are of its own training captions."""
        judge = Judge(one.gallery.captions)
        made = generated(one.train.captions, judge)
        ranking = {query.name for query in made}
        published = {query.name for query in table_1()}
        asked = tuple({query.name: query for query in [*table_1(), *made]}.values())
        return cls(
            one.name,
            one.gallery,
            asked,
            judge.relevance(asked),
            np.array([query.name in published for query in asked]),
            np.array([query.name in ranking for query in asked]),
        )

    @property
    def names(self) -> list[str]:
        """The queries, as they are written."""
        return [query.name for query in self.asked]

    @property
    def complex(self) -> NDArray[np.bool_]:
        """Which queries have several concepts: (Q,)."""
        return np.array([query.kind == "complex" for query in self.asked])

    @property
    def counts(self) -> dict[str, int]:
        """How many queries of each kind rank."""
        return {
            "simple": int((self.ranked & ~self.complex).sum()),
            "complex": int((self.ranked & self.complex).sum()),
        }

    def means(self, values: Floats) -> dict[str, float]:
        """Table 3's three columns: the mean over the 24, the simple and the complex of them."""
        return {
            "all": float(values[self.own].mean()),
            "simple": float(values[self.own & ~self.complex].mean()),
            "complex": float(values[self.own & self.complex].mean()),
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
        precision(positions(cell["top"][side.name], side.asked, number), side.relevant, AT) for cell in of_row
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
    rng = np.random.default_rng(0)
    return {
        "test": side.name,
        "train": source,
        "model": row.label,
        "learnt": "elsewhere" if row.pretrained else "here",
        **side.means(values),
        "ranked_simple": interval(values[side.ranked & ~side.complex], rng).to_json(),
        "ranked_complex": interval(values[side.ranked & side.complex], rng).to_json(),
        "behind": behind,
        "control": float(control[side.ranked].mean()) if side.ranked.any() else None,
        "unknown": dict(unknown),
        "unreadable": len(unknown),
    }


def _reference(name: str, side: Side, values: Floats) -> dict[str, Any]:
    row: dict[str, Any] = {"test": side.name, "model": name, **side.means(values)}
    for kind, of_kind in (("simple", ~side.complex), ("complex", side.complex)):
        some = values[side.ranked & of_kind]
        row[f"ranked_{kind}"] = float(some.mean()) if len(some) else None
    row["control"] = float(values[side.ranked].mean()) if side.ranked.any() else None
    return row


def _difference(ours: Floats, home: Floats, side: Side) -> dict[str, float]:
    """Learnt elsewhere less learnt at home, over the generated queries."""
    strata = side.complex[side.ranked].astype(np.int64)
    drawn = difference(ours[side.ranked], home[side.ranked], np.random.default_rng(0), strata=strata)
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
