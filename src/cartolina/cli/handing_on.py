"""`edit` and `export`: what people say of their photos, and its way out of the album again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cartolina.cli.console import logged, progress
from cartolina.cli.failures import explained
from cartolina.cli.options import KEPT, AlbumPath, Json, Quiet

if TYPE_CHECKING:
    from cartolina.album.album import Album
    from cartolina.album.edits import Edits
    from cartolina.album.sidecars import SidecarReport
    from cartolina.post import Place, Post

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None)


@app.command(
    epilog="""\b
Examples:
  cartolina edit A 2019/IMG_7.jpg --tag beach --caption "Ida on the beach"
  cartolina edit A IMG_1.jpg IMG_2.jpg --untag blurred --place Rimini
  cartolina edit A IMG_3.jpg --place 44.06,12.57
"""
)
def edit(
    album: AlbumPath,
    ids: Annotated[list[str], typer.Argument(metavar="ID…", help="Ids as `search` shows them.")],
    tag: Annotated[list[str] | None, typer.Option(help="Put a tag on; may be repeated.")] = None,
    untag: Annotated[list[str] | None, typer.Option(help="Take a tag off.")] = None,
    caption: Annotated[list[str] | None, typer.Option(help="Say something of it.")] = None,
    uncaption: Annotated[list[str] | None, typer.Option(help="Take a caption off, word for word.")] = None,
    place: Annotated[str | None, typer.Option(help="Where it is: a place's name, or LAT,LON.")] = None,
    json: Json = False,
) -> None:
    """Say something of posts by hand; no reading of the photos takes it back.

    The photos themselves stay as they are: `export --xmp` writes it beside them.
    """
    with explained("The posts are edited all together or not at all."), logged(album):
        from cartolina.album.album import Album
        from cartolina.cli.output import plain, screen, write_json

        where, name = (None, "") if place is None else _place(place)
        with Album.open(album) as opened:
            count = opened.edit(
                ids,
                tags=tag or (),
                not_tags=untag or (),
                captions=caption or (),
                not_captions=uncaption or (),
                place=where,
            )
        if json:
            at = {"name": name, "lat": where.lat, "lon": where.lon} if where else None
            write_json({"edited": count, "place": at})
        else:
            screen().print(f"{count:,} edited" + (f"; they are at {plain(name)}" if where else ""))


@app.command(
    epilog="""\b
Examples:
  cartolina export A --xmp --dry-run
  cartolina export A --xmp
  cartolina export A --table posts.csv
"""
)
def export(
    album: AlbumPath,
    xmp: Annotated[bool, typer.Option("--xmp", help="Sidecars of what was edited.")] = False,
    everything: Annotated[
        bool, typer.Option("--everything", help="Sidecars of all words and places the album has.")
    ] = False,
    into: Annotated[Path | None, typer.Option(help="Sidecars below this folder.")] = None,
    table: Annotated[
        Path | None, typer.Option(help="All posts into this table: .csv, .tsv, .jsonl or .parquet.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be written.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Hand an album's words on: as XMP sidecars for photo programs, or as a table.

    Photos are never written. A sidecar that is there gets the words merged in; one that cannot be read is
    left alone and named.
    """
    with explained(KEPT):
        from cartolina.album.album import Album
        from cartolina.album.sidecars import write_sidecars
        from cartolina.cli.output import plain, screen, write_json
        from cartolina.datasets.table_files import write_table
        from cartolina.errors import InputError

        if not (xmp or table):
            raise InputError("export what? --xmp writes sidecars, --table FILE a table")
        shown = progress(quiet=quiet)
        answer: dict[str, object] = {}
        with Album.open(album) as opened:
            if xmp:
                report = write_sidecars(
                    _all_words(opened) if everything else opened.edited(),
                    copies_in=opened.path / "pictures",
                    into=into,
                    dry_run=dry_run,
                    total=len(opened) if everything else None,
                    progress=shown,
                )
                answer |= _sidecars(report, dry_run)
            if table:
                rows = ((post, "") for post in opened.posts())
                posts = write_table(table, rows, total=len(opened), progress=shown)
                answer |= {"posts": posts, "table": str(table)}
        if json:
            write_json(answer)
            return
        console = screen()
        if xmp:
            would = "would be " if dry_run else ""
            console.print(f"{len(report.written):,} sidecars {would}written, {report.unchanged:,} had it all")
            for path in report.written if dry_run else ():
                console.print(f"  {plain(str(path))}")
            for path, reason in report.skipped:
                console.print(f"[yellow]{plain(str(path))}: {plain(reason)}[/yellow]")
        if table:
            console.print(f"{posts:,} posts in {plain(str(table))}")


def _place(said: str) -> tuple[Place, str]:
    from cartolina.errors import InputError
    from cartolina.geo import Gazetteer
    from cartolina.post import Place
    from cartolina.query import Near

    near = Near(said).place
    if isinstance(near, Place):
        return near, said
    with Gazetteer.open() as gazetteer:
        towns = gazetteer.find(said)
        if not towns:
            guesses = ", ".join(town.label for town in gazetteer.suggest(said))
            raise InputError(
                f"no place is called {said!r}{f': did you mean {guesses}?' if guesses else ''} "
                "Coordinates are written 44.06,12.57"
            )
    return Place(towns[0].lat, towns[0].lon), towns[0].label


def _all_words(album: Album) -> Iterator[tuple[Post, Edits]]:
    from cartolina.album.edits import Edits

    for post in album.posts():
        if post.tags or post.captions or post.place:
            yield post, Edits(tags=post.tags, captions=post.captions, place=post.place)


def _sidecars(report: SidecarReport, dry_run: bool) -> dict[str, object]:
    return {
        "dry_run": dry_run,
        "written": [str(path) for path in report.written],
        "unchanged": report.unchanged,
        "skipped": [{"image": str(path), "reason": reason} for path, reason in report.skipped],
    }
