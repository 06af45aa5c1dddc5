"""`experiment`: a dataset × models × a protocol → one table, resumable."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cartolina.cli.console import progress
from cartolina.cli.failures import explained
from cartolina.cli.options import KEPT, Columns, Format, Json, Quiet

if TYPE_CHECKING:
    from cartolina.datasets import Dataset
    from cartolina.evaluate.experiments.judging import Verdicts
    from cartolina.evaluate.experiments.table import Outcome, Table
    from cartolina.progress import Progress

__all__ = ["app", "listed", "numbers", "show"]

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
    typer.Option(help="Rows for a bare name learnt here; none: one row, with its defaults."),
]
Pooling = Annotated[str | None, typer.Option(help="mean, sum, tf-idf, or several: a row each.")]
Target = Annotated[
    str | None, typer.Option(help="sigmoid, min-max, mse or itself (sigmoid; for lda itself).")
]
Backbone = Annotated[str | None, typer.Option(help="What looks at the photos (efficientnet-lite0).")]
Seeds = Annotated[str, typer.Option(help="What chance begins with, a run each.")]
Given = Annotated[
    Path | None, typer.Option(metavar="FILE", help="What a person judged on the page of --judge: it wins.")
]
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
    seeds: Seeds = "0,1,2",
    backbone: Backbone = None,
    train: Train = None,
    gallery: Gallery = None,
    verdicts: Given = None,
    judge: Annotated[
        Path | None,
        typer.Option(metavar="PAGE.html", help="Also write a page on which a person judges what was found."),
    ] = None,
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
        from cartolina.evaluate.experiments.gallery import BACKBONE, splits_of
        from cartolina.evaluate.experiments.models import model_rows
        from cartolina.evaluate.experiments.queries import queries as experiment
        from cartolina.evaluate.experiments.run import Run
        from cartolina.evaluate.experiments.verdicts import verdicts_of

        shown = progress(quiet=quiet)
        rows = model_rows(
            listed(models),
            settings=[] if settings == "none" else listed(settings),
            poolings=listed(pooling),
            target=target,
        )
        dataset, run = open_dataset(data, format, columns), Run(into, shown)
        shown.say(dataset.why)
        judged = verdicts_of(run.folder, verdicts)
        outcome = experiment(
            dataset,
            rows,
            run=run,
            train=train,
            gallery=gallery,
            seeds=numbers("--seeds", seeds),
            verdicts=judged,
            backbone=backbone or BACKBONE,
        )
        if judge is not None:
            _write_page(judge, outcome, dataset, splits_of(dataset, train, gallery)[1], judged, shown)
        show(outcome, as_json=json)


@app.command(
    epilog="""\b
Examples:
  cartolina experiment noise --data flickr8k
  cartolina experiment noise --data flickr8k --model word2vec:scaled --levels 0,50 --captions 1 --seeds 0
"""
)
def noise(
    data: Data,
    model: Annotated[str, typer.Option(help="The text model.")] = "glove:scaled",
    pooling: Annotated[str | None, typer.Option(help="mean, sum or tf-idf (the model's own).")] = None,
    levels: Annotated[str, typer.Option(help="Percents of the training photos.")] = "0,10,20,30",
    captions: Annotated[str, typer.Option(help="From how many captions a photo to learn, at most.")] = "1,5",
    losses: Annotated[str, typer.Option(help="cross-entropy, mse, or both.")] = "cross-entropy,mse",
    seeds: Seeds = "0,1,2",
    backbone: Backbone = None,
    train: Train = None,
    gallery: Gallery = None,
    verdicts: Given = None,
    into: Into = None,
    format: Format = "auto",  # noqa: A002  (the option is called so)
    columns: Columns = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """What wrong captions cost (Table 4 of Learning from Web Data).

    Of some percent of the training photos the whole set of captions is another photo's; the gallery is clean.
    Killed runs go on where they were.
    """
    with explained(KEPT):
        from cartolina.datasets import open_dataset
        from cartolina.evaluate.experiments.gallery import BACKBONE
        from cartolina.evaluate.experiments.models import model_rows
        from cartolina.evaluate.experiments.noise import noise as experiment
        from cartolina.evaluate.experiments.run import Run
        from cartolina.evaluate.experiments.verdicts import verdicts_of

        shown = progress(quiet=quiet)
        (row,) = model_rows([model], settings=(), poolings=[] if pooling is None else [pooling])
        dataset, run = open_dataset(data, format, columns), Run(into, shown)
        shown.say(dataset.why)
        outcome = experiment(
            dataset,
            row,
            run=run,
            levels=numbers("--levels", levels),
            captions=numbers("--captions", captions),
            losses=listed(losses),
            train=train,
            gallery=gallery,
            seeds=numbers("--seeds", seeds),
            verdicts=verdicts_of(run.folder, verdicts),
            backbone=backbone or BACKBONE,
        )
        show(outcome, as_json=json)


def _write_page(
    path: Path, outcome: Outcome, dataset: Dataset, gallery: str, verdicts: Verdicts, shown: Progress
) -> None:
    from cartolina.evaluate.experiments.judging_page import write_page

    found = {row["query"]: row["found"] for row in outcome.more["queries"].rows if row["found"]}
    count = write_page(path, found, dataset.posts(gallery), verdicts, shown)
    shown.say(
        f"{path} asks for {count:,} judgements: open it in a browser, save, and hand the file to --verdicts"
    )


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
