"""`undo` and `space`: the last step taken back, and a former space searched again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartolina.cli.console import logged
from cartolina.cli.failures import explained
from cartolina.cli.options import KEPT, UNCHANGED, AlbumPath, Json, Quiet

if TYPE_CHECKING:
    from cartolina.album.history import Action
    from cartolina.album.undo import UndoReport

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None)
space = typer.Typer(
    help="The spaces an album has learnt: list them, go back to one.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(space, name="space")

NAMED = 5
"""So many ids are shown of each kind; --json has all."""


@app.command(
    epilog="""\b
Examples:
  cartolina undo A --list
  cartolina undo A --dry-run
  cartolina undo A
  cartolina undo A --redo
"""
)
def undo(
    album: AlbumPath,
    listed: Annotated[bool, typer.Option("--list", help="Only list what was done, the last first.")] = False,
    redo: Annotated[bool, typer.Option("--redo", help="Do again what was undone last.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Forget how things were; removed pictures of archives go.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Take back the last thing that was done to an album, whole or not at all.

    That is an add, sync, remove, edit, build or space rollback; again takes back the one before. Posts come
    back with their ids, words and places. Photos are never touched.
    """
    with explained("The undo is done whole or not at all."), logged(album, quiet=quiet) as shown:
        from cartolina.album.album import Album
        from cartolina.cli.output import screen, write_json
        from cartolina.errors import InputError

        if listed + redo + forget > 1 or (forget and dry_run):
            raise InputError("one at a time: --list, --redo or --forget")
        with Album.open(album) as opened:
            if listed:
                _list(opened.actions(), as_json=json)
                return
            if forget:
                opened.forget_history()
                write_json({"forgotten": True}) if json else screen().print(
                    "What was done until now is final"
                )
                return
            report = opened.undo(redo=redo, dry_run=dry_run, progress=shown)
            posts = len(opened)
        if json:
            write_json({**_to_json(report), "dry_run": dry_run, "posts": posts})
        else:
            _show(report, posts, dry_run=dry_run)


@space.command("list", epilog="Example: cartolina space list holidays.album")
def list_spaces(album: AlbumPath, json: Json = False) -> None:
    """List what an album has learnt, the first first; `*` marks what is searched."""
    with explained(UNCHANGED):
        from dataclasses import asdict

        from rich.table import Table

        from cartolina.album.album import Album
        from cartolina.cli.output import plain, screen, write_json

        with Album.open(album) as opened:
            spaces = opened.spaces()
        if json:
            write_json({"spaces": [asdict(one) for one in spaces]})
            return
        table = Table(box=None, padding=(0, 1), header_style="bold")
        for title in ("", "space", "learnt", "by", "vectors", "size"):
            table.add_column(title, justify="right" if title in ("vectors", "size") else "left")
        for one in spaces:
            how = one.problem or f"{one.info['how']}, {one.info.get('text_model')}"
            table.add_row(
                "*" if one.is_active else "", one.fingerprint[:12], one.added[:16].replace("T", " "),
                plain(how), f"{one.vectors:,}", f"{one.bytes / 1e6:,.1f} MB",
            )  # fmt: skip
        screen().print(table if spaces else "The album has learnt nothing yet: run `cartolina build`")


Fingerprint = Annotated[str, typer.Argument(metavar="SPACE", help="How its name in `space list` begins.")]


@space.command(
    epilog="Examples: cartolina space rollback holidays.album · cartolina space rollback holidays.album 3f2a"
)
def rollback(
    album: AlbumPath,
    fingerprint: Annotated[
        str | None, typer.Argument(metavar="[SPACE]", help="How its name in `space list` begins.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Search in a former space again: the one before, or the one you name.

    Photos that came since get their place in it first; the newer space stays, and can be gone back to.
    """
    with explained(KEPT), logged(album, quiet=quiet) as shown:
        from cartolina.album.album import Album
        from cartolina.cli.output import plain, screen, write_json

        with Album.open(album) as opened:
            report = opened.rollback(fingerprint, shown)
            now = opened.space
        assert now is not None, "a rollback leaves a space"
        name, how = now.folder.name, now.info["how"]
        if json:
            write_json({"space": name, "vectors_added": report.added, "skipped": dict(report.skipped)})
            return
        screen().print(
            f"Searching in {name[:12]} ({plain(how)}) from now on; {report.added:,} vectors were new"
        )
        for reason, count in report.skipped.most_common():
            screen().print(f"[yellow]{count:,} posts cannot be found: {plain(reason)}[/yellow]")


@space.command(epilog="Example: cartolina space drop holidays.album 3f2a")
def drop(album: AlbumPath, fingerprint: Fingerprint, json: Json = False) -> None:
    """Delete a space that is not searched, for good: it makes room on the disk."""
    with explained(UNCHANGED), logged(album):
        from cartolina.album.album import Album
        from cartolina.cli.output import screen, write_json

        with Album.open(album) as opened:
            name = opened.drop_space(fingerprint)
        write_json({"dropped": name}) if json else screen().print(f"{name[:12]} is deleted")


def _list(actions: list[Action], *, as_json: bool) -> None:
    from rich.table import Table

    from cartolina.cli.output import plain, screen, write_json

    if as_json:
        write_json({"actions": [_action(one) for one in actions]})
        return
    table = Table(box=None, padding=(0, 1), header_style="bold")
    for title in ("when (UTC)", "what", "posts", "of", ""):
        table.add_column(title, justify="right" if title == "posts" else "left", overflow="fold")
    for one in actions:
        undone = "undone" if one.is_undone else ""
        table.add_row(one.at[:19].replace("T", " "), one.name, f"{one.posts:,}", plain(one.detail), undone)
    screen().print(table if actions else "Nothing that could be undone")


def _action(one: Action) -> dict[str, Any]:
    return {
        "entry": one.entry,
        "at": one.at,
        "action": one.name,
        "detail": one.detail,
        "posts": one.posts,
        "space": one.space,
        "undone": one.is_undone,
    }


def _to_json(report: UndoReport) -> dict[str, Any]:
    return {
        "action": _action(report.action),
        "redo": report.redo,
        "out": report.out,
        "back": report.back,
        "restored": report.restored,
        "space": report.space,
        "left": report.left,
        "skipped": dict(report.skipped),
    }


def _show(report: UndoReport, posts: int, *, dry_run: bool) -> None:
    from cartolina.album.history import few
    from cartolina.cli.output import plain, screen

    console = screen()
    said = f"{report.action.name} {report.action.detail}".strip()
    verb = "Done again" if report.redo else "Undone"
    console.print(f"{f'Would be {verb.lower()}' if dry_run else verb}: {plain(said)}")
    for ids, what in ((report.out, "out of"), (report.back, "back in"), (report.restored, "as before in")):
        if ids:
            console.print(f"  {len(ids):,} {what} the album: {plain(few(ids, NAMED))}")
    if report.space is not None:
        now = f"the space {report.space[:12]}" if report.space else "nothing: it has learnt nothing yet"
        console.print(f"  the album searches in {now}")
    for sentence in report.left:
        console.print(f"[yellow]Not undone: {plain(sentence)}[/yellow]")
    for reason, count in report.skipped.most_common():
        console.print(f"[yellow]{count:,} posts cannot be found: {plain(reason)}[/yellow]")
    if not dry_run:
        console.print(f"The album holds {posts:,} posts")
