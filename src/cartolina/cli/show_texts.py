"""What `cartolina text compare` prints for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from cartolina.cli.output import plain, screen

if TYPE_CHECKING:
    from cartolina.text.comparison import Comparison

__all__ = ["comparison"]


def comparison(result: Comparison) -> None:
    """Print one row a model, then each word's neighbours by every model."""
    table = Table(box=None, padding=(0, 1), header_style="bold")
    table.add_column("model")
    for name in ("dimensions", "words", "to learn", "texts/s", "same photo"):
        table.add_column(name, justify="right")
    for row in result.rows:
        table.add_row(
            plain(row.name),
            str(row.dim),
            "pieces" if row.words is None else f"{row.words:,}",
            f"{row.fit_seconds:.1f} s",
            f"{row.texts_per_second:,.0f}",
            "–" if row.same_photo is None else f"{row.same_photo:.1f} %",
        )
    console = screen()
    console.print(table)
    if result.chance is None:
        console.print("No photo has two captions: nothing to judge by.", style="dim")
    else:
        console.print(
            f"same photo: how often the nearest of {result.judged - 1:,} other captions is of the same of "
            f"{result.photos:,} photos; by chance {result.chance:.2f} %",
            style="dim",
        )
    asked = result.rows[0].neighbours if result.rows else {}
    for word in asked:
        console.print(f"\n{plain(word)}", style="bold")
        for row in result.rows:
            near = " ".join(name for name, _ in row.neighbours[word]) or "unknown"
            console.print(f"  {plain(row.name)}: {plain(near)}")
