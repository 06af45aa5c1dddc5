"""What comes of an experiment: rows for programs, which the command line prints as tables.

>>> columns = (Column("model", "model"), Column("p5", "P@5", ".2f"))
>>> table = Table(columns, ({"model": "word2vec", "p5": 0.46},))
>>> table.cells(table.rows[0])
['word2vec', '0.46']
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Column", "Outcome", "Table"]

MISSING = "–"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the rows' key ("precision/word2vec": a key within a key), its heading, and how a number is
    written (a format, ".2f")."""

    key: str
    heading: str
    number: str = ""

    def of(self, row: Mapping[str, Any]) -> object:
        """A row's value; None where it has none."""
        outer, _, inner = self.key.partition("/")
        value = row.get(outer)
        return value.get(inner) if inner and isinstance(value, Mapping) else value

    def written(self, value: object) -> str:
        """A row's value as text; nothing, or no number, is a dash."""
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return MISSING
        if isinstance(value, dict) and "mean" in value:  # an interval
            return (
                f"{value['mean']:{self.number}} [{value['low']:{self.number}}, {value['high']:{self.number}}]"
            )
        if isinstance(value, list | tuple):
            return ", ".join(str(one) for one in value) or MISSING
        return format(value, self.number) if isinstance(value, int | float) else str(value)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows, JSON-able each; `columns` are those that are printed, the rows may hold more.

    `only` names a key without which a row is not printed (None: all are); JSON has them all.
    """

    columns: tuple[Column, ...]
    rows: tuple[Mapping[str, Any], ...]
    title: str = ""
    only: str | None = None

    @property
    def shown(self) -> list[Mapping[str, Any]]:
        """The rows that are printed."""
        return [row for row in self.rows if self.only is None or row.get(self.only)]

    def cells(self, row: Mapping[str, Any]) -> list[str]:
        """A row as it is printed."""
        return [column.written(column.of(row)) for column in self.columns]


@dataclass(frozen=True, slots=True)
class Outcome:
    """An experiment's answer.

    `settings` say what was run on what; `table` is the experiment's table, `more` what stands beside it (each
    query's counts, the ranking), by name; `notes` are sentences without which it would be misread.
    """

    experiment: str
    settings: Mapping[str, Any]
    table: Table
    more: Mapping[str, Table] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """`experiment`, `settings`, `rows`, one list of rows for each of `more`, `notes`; NaN is null."""
        named = {name: table.rows for name, table in self.more.items()}
        answer: dict[str, Any] = _finite(
            {
                "experiment": self.experiment,
                "settings": self.settings,
                "rows": self.table.rows,
                **named,
                "notes": self.notes,
            }
        )
        return answer


def _finite(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    if isinstance(value, Mapping):
        return {str(key): _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
