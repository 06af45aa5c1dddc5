"""`duplicates`: what an album has more than once."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartolina.cli.console import progress
from cartolina.cli.failures import explained
from cartolina.cli.options import KEPT, AlbumPath, Json, Quiet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cartolina.album.duplicates import Duplicates, Group, Picture

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None)


@app.command(
    epilog="""\b
Examples:
  cartolina duplicates A
  cartolina duplicates A --sheet twice.pdf
  cartolina duplicates A -k 20 --strict
"""
)
def duplicates(
    album: AlbumPath,
    sheet: Annotated[
        Path | None, typer.Option(help="Also draw the groups: .pdf all of them, .png or .jpg the first.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("-k", "--limit", min=1, help="At most so many groups.", show_default=False)
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Only what differs in size, compression or colour: no crops.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find pictures that are there more than once: copies to the byte, and others nearly the same.

    The best of each group comes first: the most pixels, then the most bytes, then the longest in the album.
    Those with the most bytes to spare come first. Nothing is removed or deleted.
    """
    with explained(KEPT):
        from cartolina.album.album import Album
        from cartolina.cli.output import write_json

        shown = progress(quiet=quiet)
        if sheet is not None:
            from cartolina.figures.groups import check_name

            check_name(sheet)
        with Album.open(album) as opened:
            found = opened.duplicates(strict=strict, progress=shown)
        groups = found.groups[:limit]
        drawn = None
        if sheet is not None:
            from cartolina.figures.groups import save_groups

            drawn = save_groups(sheet, groups, shown)
        if json:
            write_json(_as_json(found, groups, sheet, drawn, strict=strict))
        else:
            _show(found, groups, album)
            if sheet is not None:
                _tell_sheet(sheet, drawn or 0, len(groups))


def _as_json(
    found: Duplicates, groups: Sequence[Group], sheet: Path | None, drawn: int | None, *, strict: bool
) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "looked_at": found.looked_at,
        "by": found.by,
        "strict": strict,
        "found": len(found.groups),
        "spare_bytes": sum(group.spare_bytes for group in found.groups),
        "groups": [
            {
                "best": _picture(group, group.best),
                "others": [_picture(group, other) for other in group.others],
                "spare_bytes": group.spare_bytes,
                "remove": [other.post.id for other in group.others],
            }
            for group in groups
        ],
        "unseen": [{"id": one.id, "reason": one.reason} for one in found.unseen],
    }
    return answer if sheet is None else answer | {"sheet": str(sheet), "drawn": drawn}


def _picture(group: Group, one: Picture) -> dict[str, Any]:
    likeness = one.likeness
    return {
        "id": one.post.id,
        "image": str(one.post.image),
        "copies": [str(path) for path in one.copies],
        "width": one.width,
        "height": one.height,
        "bytes": one.bytes,
        "taken": one.post.taken.isoformat() if one.post.taken else None,
        "differing_bits": likeness.bits if likeness else None,
        "cosine": round(likeness.cosine, 4) if likeness and likeness.cosine is not None else None,
        "differs": list(group.differs(one)) if likeness else [],
    }


def _show(found: Duplicates, groups: Sequence[Group], album: Path) -> None:
    from cartolina.cli.output import plain, screen

    console = screen()
    for number, group in enumerate(groups, start=1):
        console.print(f"[bold]{number}[/bold]  {_size(group.spare_bytes)} beside the best")
        for one in (group.best, *group.others):
            what = "best" if one is group.best else ", ".join(group.differs(one)) or "looks the same"
            size = f"{one.width:,} × {one.height:,}, {_size(one.bytes)}"
            console.print(f"   {plain(one.post.id)}  [cyan]{size}[/cyan]  {what}", soft_wrap=True)
            console.print(f"      [dim]{plain(str(one.post.image))}[/dim]", soft_wrap=True)
            for path in one.copies:
                console.print(f"      [dim]{plain(str(path))}[/dim]  same bytes", soft_wrap=True)
        if group.others:
            ids = [shlex.quote(other.post.id) for other in group.others]
            dashed = "-- " if any(other.post.id.startswith("-") for other in group.others) else ""
            command = f"cartolina remove {shlex.quote(str(album))} {dashed}{' '.join(ids)}"
            console.print(f"   to keep the best alone: {plain(command)}", soft_wrap=True)
    if found.by == "looks":
        console.print("Compared by looks alone: crops are not found.", style="dim")
    for reason in dict.fromkeys(one.reason for one in found.unseen):
        count = sum(one.reason == reason for one in found.unseen)
        console.print(f"[yellow]{count:,} not looked at: {plain(reason)}[/yellow]")
    spare = sum(group.spare_bytes for group in found.groups)
    shown = f", {len(groups):,} shown" if len(groups) < len(found.groups) else ""
    console.print(
        f"{len(found.groups):,} groups among {found.looked_at:,} posts{shown}; "
        f"{_size(spare)} beside the best ones. Nothing was removed."
    )


def _tell_sheet(sheet: Path, drawn: int, groups: int) -> None:
    from cartolina.cli.output import plain, screen

    rest = f" (the first {drawn:,} groups; a .pdf has all)" if drawn < groups else ""
    screen().print(f"Sheet: {plain(str(sheet))}{rest}")


def _size(count: int) -> str:
    """Bytes for people."""
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{count / 1e3:,.1f} KB"
