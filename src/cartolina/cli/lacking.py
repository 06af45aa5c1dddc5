"""`missing places`: what posts lack, with a guess that is written only when somebody says yes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cartolina.cli.console import logged
from cartolina.cli.failures import explained
from cartolina.cli.options import AlbumPath, Json, Quiet

if TYPE_CHECKING:
    from cartolina.album.album import Album
    from cartolina.album.guesses import Guess, MissingPlaces

__all__ = ["app"]

app = typer.Typer(help="What posts lack, and guesses at it.", no_args_is_help=True, rich_markup_mode=None)

SHOWN = 50
"""How many guesses are printed; --json has all."""


@app.callback()
def _missing() -> None:
    pass


@app.command(
    epilog="""\b
Examples:
  cartolina missing places A
  cartolina missing places A --sheet guesses.png
  cartolina missing places A --accept IMG_7.jpg --accept IMG_8.jpg
  cartolina missing places A --accept-all
"""
)
def places(
    album: AlbumPath,
    accept: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Take a post's guess; may be repeated.")
    ] = None,
    accept_all: Annotated[bool, typer.Option("--accept-all", help="Take every guess.")] = False,
    sheet: Annotated[
        Path | None, typer.Option(help="Also draw the guesses into this file (.png, .jpg, .pdf).")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """List posts without coordinates, with a guess where neighbours in time and look agree.

    Nothing is written unless a guess is accepted: then it is an edit by hand, as `cartolina edit --place`
    makes. Photos are never written.
    """
    with (
        explained("The guesses are accepted all together or not at all."),
        logged(album, quiet=quiet) as shown,
    ):
        from cartolina.album.album import Album

        with Album.open(album) as opened:
            missing = opened.missing_places(shown)
            taken = _taken(missing, accept or [], accept_all)
            accepted = opened.place({guess.id: guess.place for guess in taken}) if taken else 0
            if sheet is not None:
                _draw(sheet, opened, missing)
        _show(missing, accepted, sheet, as_json=json)


def _taken(missing: MissingPlaces, ids: list[str], every: bool) -> list[Guess]:
    from cartolina.errors import InputError

    known = {guess.id: guess for guess in missing.guesses}
    for name in ids:
        if name not in known:
            reason = missing.why_not.get(name)
            why = (
                f"it has no guess ({reason})" if reason else "it has a place already, or is not in the album"
            )
            raise InputError(f"{name!r} cannot be accepted: {why}")
    return list(missing.guesses) if every else [known[name] for name in dict.fromkeys(ids)]


def _draw(path: Path, opened: Album, missing: MissingPlaces) -> None:
    from cartolina.figures.sheet import Tile, save_sheet

    tiles = [
        Tile(opened.get(guess.id).image, guess.id, "guess", guess.locality.name)
        for guess in missing.guesses[:SHOWN]
    ]
    save_sheet(
        path, tiles, "Guessed places", f"{len(tiles)} of {len(missing.guesses)}; none is written unasked"
    )


def _show(missing: MissingPlaces, accepted: int, sheet: Path | None, *, as_json: bool) -> None:
    from rich.table import Table

    from cartolina.cli.output import plain, screen, write_json

    if as_json:
        write_json(
            {
                "without_place": missing.posts,
                "guesses": [guess.to_json() for guess in missing.guesses],
                "no_guess": dict(missing.reasons),
                "accepted": accepted,
            }
            | ({"sheet": str(sheet)} if sheet else {})
        )
        return
    console = screen()
    console.print(f"{missing.posts:,} posts have no place; for {len(missing.guesses):,} there is a guess")
    table = Table(box=None, padding=(0, 1), header_style="bold")
    for name in ("id", "guess", "why"):
        table.add_column(name, overflow="fold")
    for guess in missing.guesses[:SHOWN]:
        where = guess.locality.name or f"{guess.place.lat:.2f}, {guess.place.lon:.2f}"
        table.add_row(plain(guess.id), plain(where), plain(guess.why))
    if missing.guesses:
        console.print(table)
    if len(missing.guesses) > SHOWN:
        console.print(f"… and {len(missing.guesses) - SHOWN:,} more: --json lists all")
    for reason, count in missing.reasons.most_common():
        console.print(f"{count:,} without a guess: {reason}", style="dim")
    if accepted:
        console.print(f"{accepted:,} accepted")
    elif missing.guesses:
        console.print("Nothing was written: --accept ID or --accept-all takes guesses")
    if sheet is not None:
        console.print(f"Sheet: {plain(str(sheet))}")
