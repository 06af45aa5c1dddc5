"""`sync` and `remove`: an album that stays in step with its photos, and posts taken out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cartolina.cli.configuration import settings_of
from cartolina.cli.console import logged
from cartolina.cli.failures import explained
from cartolina.cli.options import KEPT, AlbumPath, Json, Quiet

if TYPE_CHECKING:
    from cartolina.album.sync import SourceReport, SyncReport

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None)


@app.command(
    epilog="""\b
Examples:
  cartolina sync holidays.album
  cartolina sync holidays.album --prune
"""
)
def sync(
    album: AlbumPath,
    prune: Annotated[
        bool, typer.Option("--prune", help="Forget posts whose photos are missing, where few are.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Bring an album in step with its photos: new, changed, moved and missing ones.

    Photos that moved keep their ids. Posts whose photos are missing are not found until those are back;
    --prune forgets them, but of no folder that is gone or has lost more than a tenth.
    """
    with explained(KEPT), logged(album, quiet=quiet) as shown:
        from cartolina.album.album import Album
        from cartolina.cli.output import write_json
        from cartolina.errors import InputError

        with Album.open(album) as opened:
            report = opened.sync(prune=prune, progress=shown)
            opened.tend_index(settings_of(opened)["store"], shown)
            posts = len(opened)
        if json:
            write_json(_to_json(report, posts))
        else:
            _show(report, posts, album_name=str(album), prune=prune)
        unread = [one for one in report.sources if one.state == "unreadable"]
        if unread:
            raise InputError(f"{unread[0].root} cannot be read as it was before: {unread[0].why}")


@app.command(
    epilog="""\b
Examples:
  cartolina remove holidays.album blurred.jpg thumb.jpg
  cartolina remove holidays.album --offline
"""
)
def remove(
    album: AlbumPath,
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID…", help="Ids as `search` shows them.")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="All posts whose photos are missing, however many.")
    ] = False,
    json: Json = False,
) -> None:
    """Take posts out of an album; the photos stay where they are.

    `sync` leaves the photos of removed posts out; `add` takes them in again.
    """
    with explained("The posts are removed all together or not at all."), logged(album):
        from cartolina.album.album import Album
        from cartolina.cli.output import screen, write_json
        from cartolina.errors import InputError

        if bool(ids) == offline:
            raise InputError("remove what? Give ids as `search` shows them, or --offline")
        with Album.open(album) as opened:
            count = opened.remove_offline() if offline else opened.remove(ids or ())
            posts = len(opened)
        if json:
            write_json({"removed": count, "posts": posts})
        else:
            screen().print(f"{count:,} removed; the album holds {posts:,} posts")


def _to_json(report: SyncReport, posts: int) -> dict[str, object]:
    from cartolina.cli.show import intake_json

    return {
        **intake_json(report, posts),
        "offline": report.offline,
        "copies_gone": report.copies_gone,
        "left_out": report.left_out,
        "pruned": report.pruned,
        "sources": [
            {
                "root": str(one.root),
                "state": one.state,
                "why": one.why,
                "posts": one.posts,
                "offline": one.offline,
                "may_be_pruned": one.may_be_pruned,
            }
            for one in report.sources
        ],
    }


SAID = {
    "added": "added",
    "replaced": "replaced",
    "copies": "copies of posts that are there",
    "moved": "moved",
    "back": "back",
    "touched": "with another time, else as they were",
    "offline": "missing, offline from now on",
    "copies_gone": "copies gone",
    "left_out": "left out, since they were removed",
    "pruned": "pruned",
}


def _show(report: SyncReport, posts: int, *, album_name: str, prune: bool) -> None:
    from cartolina.cli.output import plain, screen
    from cartolina.cli.show import skipped_and_renamed

    console = screen()
    changes = [f"{getattr(report, name):,} {said}" for name, said in SAID.items() if getattr(report, name)]
    console.print(f"{', '.join(changes) or 'Nothing has changed'}; {report.unchanged:,} unchanged")
    console.print(f"The album holds {posts:,} posts")
    for one in report.sources:
        if one.state == "gone":
            console.print(f"[yellow]{plain(str(one.root))}: {one.why}. Its posts stay as they were[/yellow]")
        elif one.offline:
            console.print(f"{plain(str(one.root))}: {one.offline:,} of {one.posts:,} posts are offline")
            if prune:
                console.print(f"[yellow]{_not_pruned(one, album_name)}[/yellow]")
    skipped_and_renamed(report)


def _not_pruned(one: SourceReport, album_name: str) -> str:
    return (
        f"  not forgotten: that is {one.offline / one.posts:.0%}, which may be a disk that is not there. "
        f"If you deleted them: cartolina remove {album_name} --offline"
    )
