"""`experiment`: a dataset × models × a protocol → one table, resumable."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cartolina.cli.console import progress
from cartolina.cli.failures import explained
from cartolina.cli.options import KEPT, Columns, Format, Json, Quiet

if TYPE_CHECKING:
    from cartolina.evaluate.experiments.table import Outcome, Table

__all__ = ["app", "listed", "show"]

app = typer.Typer(
    help="The papers' experiments: text models, noise, losses and datasets compared in one table.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Data = Annotated[Path, typer.Option(metavar="DATASET", help="A dataset with parts.", show_default=False)]
Train = Annotated[str | None, typer.Option(help="The part to learn from (train).")]
Gallery = Annotated[str | None, typer.Option(help="The part to look in (dev, val or test).")]
Models = Annotated[
    str, typer.Option(help="Text models, with commas: word2vec,glove,minilm (docs/text-models.md).")
]
Settings = Annotated[
    str,
    typer.Option(help="Rows for a bare name learnt here: published, scaled, both, or none for its defaults."),
]
Pooling = Annotated[str | None, typer.Option(help="mean, sum, tf-idf, or several: a row each.")]
Target = Annotated[
    str | None, typer.Option(help="sigmoid, min-max, mse or itself (sigmoid; for lda itself).")
]
Backbone = Annotated[str | None, typer.Option(help="What looks at the photos (efficientnet-lite0).")]
Into = Annotated[
    Path | None,
    typer.Option(help="The run's folder: what is there is not computed again (the cache's runs)."),
]


@app.callback()
def _experiment() -> None:
    pass


@app.command(
    epilog="""\b
Examples:
  cartolina experiment queries --data flickr8k --models word2vec,minilm
  cartolina experiment queries --data flickr8k --models word2vec,glove,fasttext,doc2vec,lda,minilm --json
  cartolina experiment queries --data flickr8k --models glove-6b-50d --pooling mean,tf-idf --seeds 0
"""
)
def queries(
    data: Data,
    models: Models = "word2vec,glove,fasttext,doc2vec,lda,minilm",
    settings: Settings = "published,scaled",
    pooling: Pooling = None,
    target: Target = None,
    seeds: Annotated[str, typer.Option(help="What chance begins with, a run each.")] = "0,1,2",
    backbone: Backbone = None,
    train: Train = None,
    gallery: Gallery = None,
    into: Into = None,
    format: Format = "auto",  # noqa: A002  (the option is called so)
    columns: Columns = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """24 queries, P@5: which text model finds photos best (Table 2 of Learning from Web Data).

    Each model is learnt on the training part's captions, the photos' side follows it by regression, and the
    gallery is asked. Photos are judged by all their captions. Killed runs go on where they were.
    """
    with explained(KEPT):
        from cartolina.datasets import open_dataset
        from cartolina.evaluate.experiments.gallery import BACKBONE
        from cartolina.evaluate.experiments.models import model_rows
        from cartolina.evaluate.experiments.queries import queries as experiment
        from cartolina.evaluate.experiments.run import Run

        shown = progress(quiet=quiet)
        rows = model_rows(
            listed(models),
            settings=[] if settings == "none" else listed(settings),
            poolings=listed(pooling),
            target=target,
        )
        dataset = open_dataset(data, format, columns)
        shown.say(dataset.why)
        outcome = experiment(
            dataset,
            rows,
            run=Run(into, shown),
            train=train,
            gallery=gallery,
            seeds=numbers("--seeds", seeds),
            backbone=backbone or BACKBONE,
        )
        show(outcome, as_json=json)


def listed(given: str | None) -> list[str]:
    """What stands between the commas, once each."""
    return list(dict.fromkeys(part.strip() for part in (given or "").split(",") if part.strip()))


def numbers(option: str, given: str) -> list[int]:
    """The whole numbers between the commas; raises `InputError` naming `option`."""
    from cartolina.errors import InputError

    parts = listed(given)
    if not parts or not all(part.isascii() and part.isdigit() for part in parts):
        raise InputError(f"{option} is {given!r}; expected whole numbers with commas: 0,1,2")
    return [int(part) for part in parts]


def show(outcome: Outcome, *, as_json: bool) -> None:
    """Print an outcome's tables and notes, or its JSON."""
    from cartolina.cli.output import plain, screen, write_json

    if as_json:
        write_json(outcome.to_json())
        return
    console = screen()
    for table in (outcome.table, *outcome.more.values()):
        if table.rows:
            _print(table)
            console.print()
    for note in outcome.notes:
        console.print(plain(note), style="dim")


def _print(table: Table) -> None:
    from rich.table import Table as Drawn

    from cartolina.cli.output import plain, screen

    drawn = Drawn(
        box=None, padding=(0, 1), header_style="bold", title=table.title or None, title_justify="left"
    )
    for column in table.columns:
        drawn.add_column(plain(column.heading), justify="right" if column.number else "left")
    for row in table.shown:
        drawn.add_row(*(plain(cell) for cell in table.cells(row)))
    screen().print(drawn)
