"""`duplicates`: which pictures of an album show the same shot."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cartolina.cli.console import progress
from cartolina.cli.failures import explained
from cartolina.cli.options import KEPT, AlbumPath, Json, Quiet

if TYPE_CHECKING:
    from cartolina.album.duplicates import Duplicates, Shot
    from cartolina.figures.sheet import Tile

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None)

SHOWN = 20
"""Groups that are printed and drawn where no number is given."""


@app.command(
    epilog="""\b
Examples:
  cartolina duplicates holidays.album
  cartolina duplicates holidays.album --sheet duplicates.pdf --limit 50
  cartolina duplicates holidays.album --exact --json
"""
)
def duplicates(
    album: AlbumPath,
    sheet: Annotated[
        Path | None, typer.Option(help="Also draw the groups into this file (.png, .jpg, .pdf).")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many groups to print and draw.")] = SHOWN,
    exact: Annotated[
        bool, typer.Option("--exact", help="Also posts that have nothing but files of the same bytes.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Group pictures that show the same shot: resized, compressed, cropped a little, mirrored, coloured anew.

    The best picture of a group (the largest) comes first. Nothing is removed; the command for it is shown.
    """
    with explained(KEPT):
        from cartolina.album.album import Album
        from cartolina.cli.output import write_json

        with Album.open(album) as opened:
            found = opened.duplicates(exact=exact, progress=progress(quiet=quiet))
        if sheet is not None:
            from cartolina.figures.sheet import save_sheet

            tiles = [tile for group in found.groups[:limit] for tile in _tiles(group.shots)]
            save_sheet(sheet, tiles, "Near duplicates", _summary(found), groups=_numbers(found, limit))
        if json:
            write_json(_to_json(found) | ({"sheet": str(sheet)} if sheet else {}))
        else:
            _show(found, limit, str(album), sheet)


def _summary(found: Duplicates) -> str:
    extra = sum(len(group.shots) - 1 for group in found.groups)
    return f"{len(found.groups):,} groups with {extra:,} pictures to spare among {found.looked_at:,} posts"


def _numbers(found: Duplicates, limit: int) -> list[int]:
    return [number for number, group in enumerate(found.groups[:limit]) for _ in group.shots]


def _tiles(shots: tuple[Shot, ...]) -> list[Tile]:
    from cartolina.figures.sheet import Tile

    return [Tile(shot.files[0], shot.id, _about(shot)) for shot in shots]


def _about(shot: Shot) -> str:
    parts = [f"{shot.width} × {shot.height}", f"{shot.size / 1000:,.0f} kB"]
    if shot.bits or shot.cosine not in (None, 1.0):
        parts.append(f"{shot.bits} bits" + ("" if shot.cosine is None else f", {shot.cosine:.2f}"))
    if len(shot.files) > 1:
        parts.append(f"{len(shot.files)} files")
    return " · ".join(parts)


def _show(found: Duplicates, limit: int, album: str, sheet: Path | None) -> None:
    from cartolina.cli.output import plain, screen

    console = screen()
    console.print(_summary(found))
    for group in found.groups[:limit]:
        best, *others = group.shots
        console.print(f"\n[bold]{plain(best.id)}[/bold]  [dim]{plain(_about(best))}[/dim]")
        for copy in best.files[1:]:
            console.print(f"  [dim]the same bytes: {plain(str(copy))}[/dim]")
        for shot in others:
            console.print(f"  {plain(shot.id)}  [dim]{plain(_about(shot))}[/dim]")
        if others:
            command = shlex.join(["cartolina", "remove", album, *(shot.id for shot in others)])
            console.print(f"  [cyan]{plain(command)}[/cyan]", soft_wrap=True)
    if len(found.groups) > limit:
        console.print(f"\n{len(found.groups) - limit:,} groups more: --limit shows them, --json all")
    for one in found.unseen:
        console.print(f"[yellow]{plain(one.id)}: {plain(one.reason)}[/yellow]")
    if sheet is not None:
        console.print(f"Sheet: {plain(str(sheet))}")


def _to_json(found: Duplicates) -> dict[str, object]:
    return {
        "looked_at": found.looked_at,
        "groups": [
            [
                {
                    "id": shot.id,
                    "files": [str(path) for path in shot.files],
                    "width": shot.width,
                    "height": shot.height,
                    "size": shot.size,
                    "bits": shot.bits,
                    "cosine": shot.cosine,
                }
                for shot in group.shots
            ]
            for group in found.groups
        ],
        "unseen": [{"id": one.id, "reason": one.reason} for one in found.unseen],
    }
