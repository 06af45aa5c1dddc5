"""`check` and `backup`: is an album whole, and a copy of it somewhere else."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartolina.cli.console import progress
from cartolina.cli.failures import explained
from cartolina.cli.options import AlbumPath, Json, Quiet

if TYPE_CHECKING:
    from cartolina.album.checks import CheckReport, Finding

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None)

DAMAGED = 4
"""What `check` exits with when damage is left: the album is not one that can be used as it is."""

STYLES = {"damage": "red", "leftover": "yellow", "note": "dim"}


@app.command(
    epilog="""\b
Examples:
  cartolina check holidays.album
  cartolina check holidays.album --deep --json
  cartolina check holidays.album --repair
"""
)
def check(
    album: AlbumPath,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended.")] = False,
    deep: Annotated[
        bool, typer.Option("--deep", help="Also read all own pictures, and encode vectors anew.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find out whether an album is whole.

    --repair makes lost vectors, indexes and caches again from the catalogue and the photos; what only a
    backup can bring back is named. Exits with 4 where damage is left. Photos are never touched.
    """
    with explained("What was mended until here is mended."):
        from cartolina.album.checks import check as check_album
        from cartolina.cli.output import write_json

        report = check_album(album, repair=repair, deep=deep, progress=progress(quiet=quiet))
        if json:
            write_json(_to_json(report, repair))
        else:
            _show(report, repair)
        if not report.is_clean:
            raise typer.Exit(DAMAGED)


@app.command(
    epilog="""\b
Examples:
  cartolina backup holidays.album /media/disk/holidays.backup
  cp -r /media/disk/holidays.backup holidays.album          (to restore it)
"""
)
def backup(
    album: AlbumPath,
    destination: Annotated[
        Path, typer.Argument(metavar="DEST", help="A new folder, or an earlier backup.", show_default=False)
    ],
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Copy an album, also while it is written to: whole and checked, or not at all.

    What is derived is left out, and so are the photos: they are not the album's. An earlier backup of the
    album at DEST is replaced once the new one is whole; what is the same is not copied again. To restore a
    backup, copy its folder back.
    """
    with explained("The former backup is as it was."):
        from cartolina.album.backup import backup as back_up
        from cartolina.cli.output import plain, screen, write_json

        report = back_up(album, destination, progress(quiet=quiet))
        if json:
            write_json({**asdict(report), "path": str(report.path)})
            return
        screen().print(
            f"{report.posts:,} posts in {plain(str(report.path))}: {report.files:,} files, "
            f"{report.bytes / 1e6:,.1f} MB, {report.reused:,} files as before"
        )
        if report.missing:
            lost = f"{report.missing:,} of the album's own pictures are not there: see `cartolina check`"
            screen().print(f"[yellow]{lost}[/yellow]")


def _to_json(report: CheckReport, repair: bool) -> dict[str, Any]:
    return {
        "album": str(report.album),
        "clean": report.is_clean,
        "deep": report.deep,
        "repair": repair,
        "findings": [_finding(one) for one in report.findings],
        "left": [_finding(one) for one in report.left],
    }


def _finding(one: Finding) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "severity": one.severity,
        "where": one.where,
        "detail": one.detail,
        "count": one.count,
        "can_be_repaired": one.mend is not None,
        "repaired": one.repaired,
    }


def _show(report: CheckReport, repair: bool) -> None:
    from cartolina.cli.output import plain, screen

    console = screen()
    for one in report.findings:
        style = STYLES[one.severity]
        console.print(
            f"[{style}]{one.severity} ({one.kind})[/{style}] {plain(one.where)}: {plain(one.detail)}"
        )
        if one.repaired:
            console.print(f"  repaired: {plain(one.repaired)}")
    damage = sum(one.severity == "damage" for one in report.left)
    if not damage:
        console.print("The album is whole")
        return
    console.print(f"[red]The album is not whole: {damage:,} × damage[/red]")
    if not repair and any(one.mend for one in report.left if one.severity == "damage"):
        console.print(f"Mend what can be mended: cartolina check {plain(str(report.album))} --repair")
