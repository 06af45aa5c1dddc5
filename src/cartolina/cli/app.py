"""The commands. Each is one call of the library; docs/cli.md describes them for people and for programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cartolina.cli import (
    configuration,
    data,
    experiment,
    handing_on,
    housekeeping,
    indexing,
    keeping,
    lacking,
    learn,
    protocols,
    safe_keeping,
    taking_back,
    text,
)
from cartolina.cli.arguments import QueryCommand
from cartolina.cli.configuration import settings_of
from cartolina.cli.console import logged, progress
from cartolina.cli.failures import explained
from cartolina.cli.options import KEPT, UNCHANGED, AlbumPath, Columns, Format, Json, Quiet, Source, Split

if TYPE_CHECKING:
    from cartolina.album.intake import AddReport

__all__ = ["app"]

EXAMPLES = """\b
Examples:
  cartolina demo
  cartolina build ~/Photos holidays.album
  cartolina search holidays.album "beach - people near:Barcelona"
  cartolina search holidays.album "@dog.jpg + snow" --sheet snow.png
  cartolina add holidays.album ~/NewPhotos
  cartolina sync holidays.album
  cartolina evaluate retrieval flickr.album flickr8k --split test --json
"""

app = typer.Typer(
    name="cartolina",
    help="Find your pictures by words, by example, by sums of both, near a place.",
    epilog=EXAMPLES,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # Rich's frames would double the time `--help` takes, and cut long paths
    context_settings={"help_option_names": ["-h", "--help"]},
)
evaluate = typer.Typer(
    help="Measure an album against captions it has not seen.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(evaluate, name="evaluate")
app.add_typer(configuration.app)
app.add_typer(data.app, name="data")
app.add_typer(experiment.app, name="experiment")
experiment.app.add_typer(protocols.app)
app.add_typer(handing_on.app)
app.add_typer(keeping.app)
app.add_typer(housekeeping.app)
app.add_typer(lacking.app, name="missing")
app.add_typer(learn.app, name="learn")
app.add_typer(taking_back.app)
app.add_typer(safe_keeping.app)
app.add_typer(text.app, name="text")
app.add_typer(indexing.app, name="index")


def _version(wanted: bool) -> None:
    if wanted:
        from cartolina import __version__

        typer.echo(f"cartolina {__version__}")
        raise typer.Exit


@app.callback()
def _cartolina(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


@app.command(
    epilog="Example: cartolina build flickr8k flickr.album --split train --quality best",
)
def build(
    source: Source,
    album: Annotated[
        Path,
        typer.Argument(
            metavar="ALBUM", help="The folder to make, or an album to learn again.", show_default=False
        ),
    ],
    format: Format = "auto",  # noqa: A002  (the option is called so)
    columns: Columns = None,
    split: Split = None,
    text: Annotated[
        str | None,
        typer.Option(
            help="minilm (default), word2vec, fasttext, glove, doc2vec, lda, glove-6b-50d, words:FILE…"
        ),
    ] = None,
    quality: Annotated[
        str | None, typer.Option(help="fast (default) or best (better answers, slower to learn).")
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option(help="contrastive (default), regression, regression:min-max or regression:mse."),
    ] = None,
    backbone: Annotated[
        str | None,
        typer.Option(help="efficientnet-lite0, efficientnet-lite2, torchvision:…, timm:…, onnx:FILE.onnx…"),
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto (default), cpu or cuda.")] = None,
    seed: Annotated[int | None, typer.Option(help="What chance begins with (0).")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Learn an album from photos and what is said of them."""
    with explained(KEPT), logged(album, quiet=quiet) as shown:
        from cartolina.album.build import build as build_album
        from cartolina.cli import show

        asked: dict[str, str | int | None] = {
            "text": text, "quality": quality, "objective": objective,
            "backbone": backbone, "device": device, "seed": seed,
        }  # fmt: skip
        chosen = settings_of(album, asked)
        with build_album(
            source,
            album,
            format=format,
            columns=columns,
            split=split,
            **{name: chosen[name] for name in asked},
            progress=shown,
        ) as made:
            for name in ("text", "quality", "objective", "backbone"):
                if asked[name] is not None:  # what an album was made with, it is learnt again with
                    made.set(name, asked[name])
            settings = settings_of(made)
            made.tend_index(settings["store"], shown)
            show.information(made.info(settings["store"]), settings, as_json=json)


@app.command(
    epilog="""\b
Examples:
  cartolina add holidays.album ~/NewPhotos
  cartolina add holidays.album takeout-20240101T000000Z-001.zip
"""
)
def add(
    album: AlbumPath,
    source: Source,
    format: Format = "auto",  # noqa: A002  (the option is called so)
    columns: Columns = None,
    split: Split = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Add photos to an album: they can be found at once.

    Nothing is learnt again, and photos that are there already, unchanged, are not read again.
    """
    with explained(KEPT), logged(album, quiet=quiet) as shown:
        from cartolina.album.album import Album
        from cartolina.cli import show
        from cartolina.datasets import open_dataset

        with Album.open(album) as opened:
            dataset = open_dataset(source, format, columns)
            shown.say(dataset.why)
            report = opened.add(dataset, split, shown)
            opened.tend_index(settings_of(opened)["store"], shown)
            show.added(report, len(opened), as_json=json)
            _need_some(report, source)


@app.command(epilog="Example: cartolina info holidays.album --json")
def info(album: AlbumPath, json: Json = False) -> None:
    """Say what an album holds, and what it was learnt from."""
    with explained(UNCHANGED):
        from cartolina.album.album import Album
        from cartolina.cli import show

        with Album.open(album) as opened:
            settings = settings_of(opened)
            show.information(opened.info(settings["store"]), settings, as_json=json)


@app.command(
    cls=QueryCommand,
    epilog="""\b
Examples:
  cartolina search A "red car"
  cartolina search A "skyline + night - car" -k 20
  cartolina search A "-car + beach"
  cartolina search A "2*@cat.jpg + snow" --sheet cats.png
  cartolina search A "church near:Paris within 50 km"
  cartolina search A "tag:holiday like:IMG_0042.jpg"
  cartolina search A "Aunt Erna's birthday" --by words
""",
)
def search(
    album: AlbumPath,
    query: Annotated[
        str, typer.Argument(metavar="QUERY", help="Words, pictures, places: in quotes.", show_default=False)
    ],
    k: Annotated[int | None, typer.Option("-k", min=1, help="How many (10).")] = None,
    by: Annotated[
        str | None,
        typer.Option(help="both (default), picture (what pictures show) or words (captions and tags)."),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(help="auto (default), exact or qdrant: whether an index is asked (`cartolina index`)."),
    ] = None,
    json: Json = False,
    sheet: Annotated[
        Path | None, typer.Option(help="Also draw the pictures into this file (.png, .jpg, .pdf).")
    ] = None,
) -> None:
    """Find pictures by words, by example, by sums of both.

    The query is a sum of terms, `+ term` or `- term`, `2*term` for a weight: words, or a picture as @FILE or
    like:ID. It may end in `near:PLACE within 50 km` and hold filters such as tag:holiday. Words find the
    photos that show them, and those whose captions and tags say them.
    """
    with explained(UNCHANGED):
        from cartolina.album.album import Album
        from cartolina.cli import show

        with Album.open(album) as opened:
            chosen = settings_of(opened, {"k": k, "by": by, "store": store})
            ranking = opened.search(query, chosen["k"], chosen["by"], chosen["store"])
        if sheet is not None:
            from cartolina.figures.sheet import save_ranking

            save_ranking(sheet, ranking)
        show.ranking(ranking, sheet, as_json=json)


@evaluate.command(epilog="Example: cartolina evaluate retrieval flickr.album flickr8k --split test --json")
def retrieval(
    album: AlbumPath,
    source: Source,
    split: Split = None,
    format: Format = "auto",  # noqa: A002  (the option is called so)
    columns: Columns = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Recall of photos by captions, and of captions by photos.

    Every caption of the source is a query for its photo, of which the album sees the picture only, and every
    photo a query for its captions. Nothing is added to the album.
    """
    with explained(KEPT):
        from cartolina.album.album import Album
        from cartolina.cli import show
        from cartolina.datasets import open_dataset
        from cartolina.evaluate.retrieval import retrieval_ranks

        shown = progress(quiet=quiet)
        with Album.open(album) as opened:
            dataset = open_dataset(source, format, columns)
            shown.say(dataset.why)
            show.retrieval(retrieval_ranks(opened, dataset, split, shown), as_json=json)


@app.command(epilog="Examples: cartolina demo · cartolina demo --photos ~/Photos")
def demo(
    photos: Annotated[
        Path | None, typer.Option(help="Your own photos, not those in Debian's packages.", show_default=False)
    ] = None,
    into: Annotated[Path, typer.Option(help="Where the photos, the album and the sheets go.")] = Path("demo"),
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Build an album of real photos and ask it five questions."""
    with explained(KEPT):
        from cartolina.cli import show
        from cartolina.demo.tour import tour

        show.toured(tour(into, photos, progress(quiet=quiet)), as_json=json)


def _need_some(report: AddReport, source: Path) -> None:
    from cartolina.errors import InputError

    if not report.taken:
        raise InputError(f"there is nothing in {source} that could be added")
