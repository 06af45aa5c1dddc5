"""The tables of `queries`: what the models found, judged, beside chance, the ceiling and the control."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cartolina.evaluate.experiments import controls
from cartolina.evaluate.experiments.answers import positions, precision
from cartolina.evaluate.experiments.asking import NOTHING
from cartolina.evaluate.experiments.bootstrap import Interval, difference, interval, shares_first
from cartolina.evaluate.experiments.judging import Asked
from cartolina.evaluate.experiments.models import ModelRow
from cartolina.evaluate.experiments.query_sets import QuerySets, table_1
from cartolina.evaluate.experiments.table import Column, Outcome, Table

__all__ = ["AT", "Found", "outcome"]

AT = 5
"""The k of P@k."""

ENOUGH = 100
"""Ranked queries of a kind below which the notes warn."""

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Found:
    """What a row's cells found: rankings of each seed and of the control, each (Q, depth)."""

    ranked: list[NDArray[np.int64]]
    control: NDArray[np.int64]
    unknown: dict[str, list[str]]
    recall: float
    seconds: dict[str, float]

    @classmethod
    def of(
        cls, cells: Sequence[Mapping[str, Any]], asked: Sequence[Asked], number: Mapping[str, int]
    ) -> Found:
        """The seeds' cells, then the control's."""
        *seeds, control = cells
        return cls(
            [positions(cell["top"], asked, number) for cell in seeds],
            positions(control["top"], asked, number),
            {name: words for cell in seeds for name, words in cell["unknown"].items()},
            float(np.mean([cell["recall"] for cell in seeds])),
            {part: float(np.mean([cell["seconds"][part] for cell in seeds])) for part in ("text", "photos")},
        )

    def precisions(self, relevant: Mask) -> Floats:
        """P@5 of each seed and query: (seeds, Q)."""
        return np.stack([precision(ranked, relevant, AT) for ranked in self.ranked])


def outcome(
    found: Mapping[ModelRow, Found],
    sets: QuerySets,
    relevant: Mask,
    ids: Sequence[str],
    settings: Mapping[str, Any],
) -> Outcome:
    """The experiment's tables; `relevant` (Q, N) is the judgement of the photos `ids`."""
    chance, most = controls.chance_precision(relevant), controls.ceiling(relevant, AT)
    by_row = {row: of_row.precisions(relevant) for row, of_row in found.items()}
    rows = [_row(row, of_row, by_row[row], relevant, sets) for row, of_row in found.items()]
    rows += [_reference(name, values, sets) for name, values in (("chance", chance), ("ceiling", most))]
    rows[-2]["recall"] = controls.chance_recall(relevant.shape[1], 10)
    ranked, notes = _ranking({row: one.mean(0) for row, one in by_row.items()}, sets)
    each = [
        {
            "query": query.name,
            "kind": query.kind,
            "table_1": bool(sets.table_1[number]),
            "ranks": bool(sets.ranked[number]),
            "relevant": int(relevant[number].sum()),
            "ceiling": float(most[number]),
            "chance": float(chance[number]),
            "found": _first(found.values(), number, ids) if sets.table_1[number] else None,
            "precision": {row.label: float(one[:, number].mean()) for row, one in by_row.items()},
        }
        for number, query in enumerate(sets.asked)
    ]
    counts = {
        f"ranked_{kind}": int((sets.ranked & (sets.complex == (kind == "complex"))).sum()) for kind in KINDS
    }
    return Outcome(
        "queries",
        {**settings, **counts},
        Table(
            COLUMNS, tuple(rows), "P@5 of Table 1's 24 queries (all, simple, complex), and of those that rank"
        ),
        {
            "ranking": Table(
                RANKING, tuple(ranked), "Ranked by the generated queries, learnt here and elsewhere apart"
            ),
            "queries": _each(each, list(by_row)),
        },
        (*_said_of(settings, counts), *notes, *_unknown(found)),
    )


KINDS = ("simple", "complex")

COLUMNS = (
    Column("model", "model"),
    Column("learnt", "learnt"),
    Column("target", "target"),
    Column("all", "P@5", ".2f"),
    Column("simple", "S", ".2f"),
    Column("complex", "C", ".2f"),
    Column("ranked_simple", "ranking S", ".3f"),
    Column("ranked_complex", "ranking C", ".3f"),
    Column("control", "control", ".3f"),
    Column("recall", "R@10", ".1f"),
    Column("unreadable", "not known", "d"),
)

RANKING = (
    Column("learnt", "learnt"),
    Column("place", "", "d"),
    Column("model", "model"),
    Column("all", "P@5", ".3f"),
    Column("simple", "simple", ".3f"),
    Column("complex", "complex", ".3f"),
    Column("behind", "behind the first", ".3f"),
    Column("first", "first in %", ".0f"),
)


def _first(found: Iterable[Found], query: int, ids: Sequence[str]) -> list[str]:
    """The photos any row's seeds put among the first five of a query: what a person may judge."""
    first = {int(photo) for of_row in found for ranked in of_row.ranked for photo in ranked[query, :AT]}
    return [ids[photo] for photo in sorted(first) if photo != NOTHING]


def _row(row: ModelRow, found: Found, each_seed: Floats, relevant: Mask, sets: QuerySets) -> dict[str, Any]:
    mean = each_seed.mean(0)  # (Q,)
    control = precision(found.control, relevant, AT)
    return {
        "model": row.label,
        "family": row.family,
        "learnt": "elsewhere" if row.pretrained else "here",
        "target": row.target,
        **sets.means(mean),
        "all_by_seed": [float(one[sets.table_1].mean()) for one in each_seed],
        "ranked_simple": _interval(mean[sets.ranked & ~sets.complex]),
        "ranked_complex": _interval(mean[sets.ranked & sets.complex]),
        "control": float(control[sets.ranked].mean()) if sets.ranked.any() else None,
        **sets.means(control, "control_"),
        "recall": found.recall,
        "unknown": found.unknown,
        "unreadable": len(found.unknown),
        "seconds": found.seconds,
    }


def _reference(name: str, values: Floats, sets: QuerySets) -> dict[str, Any]:
    answer: dict[str, Any] = {"model": name, **sets.means(values)}
    for kind in KINDS:
        of_kind = values[sets.ranked & (sets.complex == (kind == "complex"))]
        answer[f"ranked_{kind}"] = float(of_kind.mean()) if len(of_kind) else None
    answer["control"] = float(values[sets.ranked].mean()) if sets.ranked.any() else None
    return answer


def _ranking(by_row: Mapping[ModelRow, Floats], sets: QuerySets) -> tuple[list[dict[str, Any]], list[str]]:
    """The rows of either group from the best on, and a sentence that names each group's best family."""
    if not sets.ranked.any():
        return [], ["No query has ten relevant photos: nothing is ranked."]
    strata = sets.strata
    ranked: list[dict[str, Any]] = []
    notes = []
    for pretrained, learnt in ((False, "here"), (True, "elsewhere")):
        group = {row: values[sets.ranked] for row, values in by_row.items() if row.pretrained == pretrained}
        if not group:
            continue
        order = sorted(group, key=lambda row: (-group[row].mean(), row.label))
        best = order[0]
        first = shares_first(np.stack([group[row] for row in order]), np.random.default_rng(0), strata=strata)
        for place, row in enumerate(order):
            values = group[row]
            ranked.append(
                {
                    "learnt": learnt,
                    "place": place + 1,
                    "model": row.label,
                    "family": row.family,
                    "all": _interval(values, strata),
                    "simple": _interval(values[strata == 0]),
                    "complex": _interval(values[strata == 1]),
                    "behind": None if row == best else _difference(group[best], values, strata),
                    "first": 100 * float(first[place]),
                }
            )
        rival = next((row for row in order if row.family != best.family), None)
        notes.append(_named(best, group, rival, strata, learnt))
    return ranked, notes


def _named(
    best: ModelRow,
    group: Mapping[ModelRow, Floats],
    rival: ModelRow | None,
    strata: NDArray[np.int64],
    learnt: str,
) -> str:
    own = Interval(**_interval(group[best], strata))
    told = (
        f"Learnt {learnt}, {best.family} is first ({best.label}): P@5 {_written(own)} over "
        f"{len(strata)} queries"
    )
    if rival is None:
        return f"{told}; it is the only family."
    lead = Interval(**_difference(group[best], group[rival], strata))
    sure = "" if lead.low > 0 else ", which is no sure lead"
    return f"{told}, ahead of {rival.family} ({rival.label}) by {_written(lead)}{sure}."


def _interval(values: Floats, strata: NDArray[np.int64] | None = None) -> dict[str, float]:
    return interval(values, np.random.default_rng(0), strata=strata).to_json()


def _difference(ours: Floats, theirs: Floats, strata: NDArray[np.int64]) -> dict[str, float]:
    return difference(ours, theirs, np.random.default_rng(0), strata=strata).to_json()


def _written(of: Interval) -> str:
    return f"{of.mean:.3f} [{of.low:.3f}, {of.high:.3f}]"


def _each(rows: Sequence[dict[str, Any]], models: Sequence[ModelRow]) -> Table:
    """Table 1's queries are printed, all are in the rows; models are numbered as in the main table."""
    columns = [
        Column("query", "query"),
        Column("relevant", "relevant", ",d"),
        Column("ceiling", "ceiling", ".1f"),
        Column("chance", "chance", ".3f"),
        *(Column(f"precision/{row.label}", f"#{number}", ".1f") for number, row in enumerate(models, 1)),
    ]
    return Table(
        tuple(columns), tuple(rows), "Each of the 24 queries (--json has those that rank, too)", "table_1"
    )


def _said_of(settings: Mapping[str, Any], counts: Mapping[str, int]) -> list[str]:
    seeds = settings.get("seeds", [])
    notes = [
        "A photo is relevant where each concept is named by one of its captions (words, plurals, synonyms); "
        f"the paper judged by eye. {settings.get('verdicts', 0)} verdicts of people win over the rule.",
        "Control: the first seed with the training photos exchanged among the captions; P@5 of the ranking's "
        "queries, to be read against chance in the same column.",
        f"Means over {len(seeds)} seed{'s' if len(seeds) != 1 else ''}; intervals (95 %) are over queries.",
    ]
    notes += [
        f"Only {counts[f'ranked_{kind}']} {kind} queries have ten relevant photos or more: a weak ranking."
        for kind in KINDS
        if counts[f"ranked_{kind}"] < ENOUGH
    ]
    return notes


def _unknown(found: Mapping[ModelRow, Found]) -> list[str]:
    """Which words a model could not read, of Table 1's queries by name."""
    own = {query.name for query in table_1()}
    notes = []
    for row, of_row in found.items():
        words = sorted({word for name, words in of_row.unknown.items() if name in own for word in words})
        if words:
            notes.append(f"{row.label} does not know: {', '.join(words)}")
    return notes
