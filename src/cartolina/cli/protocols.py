"""`experiment transfer|mirflickr|cities`: the papers' protocols beyond the 24 queries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cartolina.cli.console import progress
from cartolina.cli.experiment import (
    Backbone,
    Data,
    Into,
    Models,
    Pooling,
    Seeds,
    Settings,
    Target,
    listed,
    numbers,
    show,
)
from cartolina.cli.failures import explained
from cartolina.cli.options import KEPT, Columns, Format, Json, Quiet

if TYPE_CHECKING:
    from cartolina.evaluate.experiments.models import ModelRow

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None)


@app.command(
    epilog="""\b
Examples:
  cartolina experiment transfer --data flickr8k --themes --models glove,minilm
  cartolina experiment transfer --train InstaCities1M --test WebVision --models word2vec,glove --json
"""
)
def transfer(
    train: Annotated[Path | None, typer.Option(metavar="DATASET", help="One dataset with parts.")] = None,
    test: Annotated[
        Path | None, typer.Option(metavar="DATASET", help="The other; both ways are learnt.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="DATASET", help="With --themes: one captioned dataset.")
    ] = None,
    themes: Annotated[
        bool, typer.Option("--themes", help="Cut --data in two: animals and landscapes, people and sport.")
    ] = False,
    models: Models = "word2vec,glove,fasttext,doc2vec,lda,minilm",
    settings: Settings = "scaled",
    pooling: Pooling = None,
    target: Target = None,
    seeds: Seeds = "0",
    backbone: Backbone = None,
    into: Into = None,
    format: Format = "auto",  # noqa: A002  (the option is called so)
    columns: Columns = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Learn from one dataset, find in another, both ways (Table 3 of Learning from Web Data).

    Every model is learnt from each and asked in both galleries: at home and away answer the same queries.
    """
    with explained(KEPT):
        from cartolina.datasets import open_dataset
        from cartolina.errors import InputError
        from cartolina.evaluate.experiments.collection import read_halves, read_two
        from cartolina.evaluate.experiments.gallery import BACKBONE
        from cartolina.evaluate.experiments.run import Run
        from cartolina.evaluate.experiments.transfer import transfer as experiment

        shown = progress(quiet=quiet)
        run = Run(into, shown)
        rows = _rows(models, settings, pooling, target)
        if themes and data is not None and train is None and test is None:
            both = read_halves(open_dataset(data, format, columns), run, backbone=backbone or BACKBONE)
        elif train is not None and test is not None and data is None and not themes:
            both = read_two(
                open_dataset(train, format, columns),
                open_dataset(test, format, columns),
                run,
                backbone=backbone or BACKBONE,
            )
        else:
            raise InputError(
                "expected two datasets, --train A --test B, or one to be cut in two, --data A --themes"
            )
        show(experiment(both, rows, run=run, seeds=numbers("--seeds", seeds)), as_json=json)


@app.command(
    epilog="""\b
Examples:
  cartolina experiment mirflickr --data MIRFlickr25K --protocol classes --models glove --pooling tf-idf
  cartolina experiment mirflickr --data MIRFlickr25K --protocol tags --strict
  cartolina experiment mirflickr --data MIRFlickr25K --protocol zhang --asking test_ids.txt
  cartolina experiment mirflickr --data flickr8k --protocol classes
"""
)
def mirflickr(
    data: Data,
    protocol: Annotated[str, typer.Option(help="tags, classes or zhang (Tables 5, 7 and 6).")] = "classes",
    strict: Annotated[
        bool, typer.Option("--strict", help="tags: look among photos that were not learnt from.")
    ] = False,
    asking: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="zhang: ids of the photos that ask, one a line (else the dataset's dev, val or test).",
        ),
    ] = None,
    at_least: Annotated[int, typer.Option(min=1, help="Photos below which a tag is left out.")] = 20,
    models: Models = "word2vec,glove,fasttext,doc2vec,lda,minilm",
    settings: Settings = "scaled",
    pooling: Pooling = None,
    target: Target = None,
    seeds: Seeds = "0",
    backbone: Backbone = None,
    into: Into = None,
    format: Format = "auto",  # noqa: A002  (the option is called so)
    columns: Columns = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """MAP on MIRFlickr, by tags or by the names of its concepts (Tables 5, 6 and 7).

    A dataset without MIRFlickr's annotations needs three captions a photo: two are its text, the others tell
    its concepts.
    """
    with explained(KEPT):
        from cartolina.datasets import open_dataset
        from cartolina.evaluate.experiments.annotated import read_annotated
        from cartolina.evaluate.experiments.gallery import BACKBONE
        from cartolina.evaluate.experiments.mirflickr import mirflickr as experiment
        from cartolina.evaluate.experiments.protocols import asking_ids, check
        from cartolina.evaluate.experiments.run import Run

        shown = progress(quiet=quiet)
        check(protocol, strict=strict)
        rows = _rows(models, settings, pooling, target)
        dataset = open_dataset(data, format, columns)
        shown.say(dataset.why)
        ids = asking_ids(dataset, asking) if protocol == "zhang" else ()
        run = Run(into, shown)
        outcome = experiment(
            read_annotated(dataset, run, at_least=at_least, backbone=backbone or BACKBONE),
            rows,
            run=run,
            protocol=protocol,
            strict=strict,
            asking=ids,
            seeds=numbers("--seeds", seeds),
        )
        show(outcome, as_json=json)


@app.command(
    epilog="""\b
Examples:
  cartolina experiment cities --data InstaCities1M --models lda:topics=500
  cartolina experiment cities --data flickr8k --strength 0.6 --models lda,glove
"""
)
def cities(
    data: Data,
    strength: Annotated[
        float | None,
        typer.Option(
            help="Make ten towns of any captioned photos: how surely a theme tells its town, 0 to 1."
        ),
    ] = None,
    models: Models = "word2vec,glove,fasttext,doc2vec,lda,minilm",
    settings: Settings = "scaled",
    pooling: Pooling = None,
    target: Target = None,
    seeds: Seeds = "0",
    backbone: Backbone = None,
    into: Into = None,
    format: Format = "auto",  # noqa: A002  (the option is called so)
    columns: Columns = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Ask by a city's name among photos of ten cities: TOP100 and AP (the LDA post's table).

    With --strength the ten are a controlled set: a rule gives photos to towns, and its ceiling is printed.
    """
    with explained(KEPT):
        from cartolina.datasets import open_dataset
        from cartolina.evaluate.experiments.cities import cities as experiment
        from cartolina.evaluate.experiments.city_sets import read_cities, read_towns
        from cartolina.evaluate.experiments.gallery import BACKBONE
        from cartolina.evaluate.experiments.run import Run

        shown = progress(quiet=quiet)
        rows = _rows(models, settings, pooling, target)
        dataset = open_dataset(data, format, columns)
        shown.say(dataset.why)
        run = Run(into, shown)
        eye = backbone or BACKBONE
        if strength is None:
            of = read_cities(dataset, run, backbone=eye)
        else:
            of = read_towns(dataset, run, strength=strength, backbone=eye)
        show(experiment(of, rows, run=run, seeds=numbers("--seeds", seeds)), as_json=json)


def _rows(models: str, settings: str, pooling: str | None, target: str | None) -> list[ModelRow]:
    from cartolina.evaluate.experiments.models import model_rows

    return model_rows(
        listed(models),
        settings=[] if settings == "none" else listed(settings),
        poolings=listed(pooling),
        target=target,
    )
