"""How commands print: text on a screen, rows of facts, or one JSON document on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

__all__ = ["plain", "screen", "table_of_facts", "write_json"]


def table_of_facts(rows: list[tuple[str, str]]) -> None:
    """Print names and values in two columns."""
    table = Table(box=None, show_header=False, padding=(0, 1))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, plain(str(value)))
    screen().print(table)


def screen() -> Console:
    """Where text for people goes: stdout."""
    # A pipe has no width to fit: rows stay whole there, so that grep sees them.
    return _Screen(highlight=False, width=None if sys.stdout.isatty() else 400)


class _Screen(Console):
    def on_broken_pipe(self) -> None:
        raise BrokenPipeError  # to be told by `failures`; Rich would exit with 1


def plain(text: str) -> str:
    """Text that Rich shows as it is, whatever brackets and control characters a caption has."""
    from rich.markup import escape

    return escape("".join(c if c.isprintable() else " " for c in text))


def write_json(value: Mapping[str, Any]) -> None:
    """Print the one JSON document of a command."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    typer.echo(json.dumps(value, ensure_ascii=not utf8, indent=2, default=str))
