"""`cartolina index`: an index for albums of very many photos, which are otherwise searched one by one."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from cartolina.cli.console import logged
from cartolina.cli.failures import explained
from cartolina.cli.options import AlbumPath, Json, Quiet

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["app", "searched"]

KINDS = {"sums": "sums of two posts", "captions": "of its captions"}

app = typer.Typer(
    help="Build or drop the index that very large albums are searched by.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command(
    epilog="""\b
Examples:
  cartolina index rebuild holidays.album
  cartolina settings holidays.album store=qdrant     (ask it below 200,000 posts, too)
"""
)
def rebuild(album: AlbumPath, json: Json = False, quiet: Quiet = False) -> None:
    """Index an album's pictures anew, and measure how well the index finds them.

    Below 200,000 posts no index is needed. Above, `build`, `add` and `sync` make one and keep it up by
    themselves. Needs the package that `pip install 'cartolina[scale]'` brings; searching goes on meanwhile.
    """
    with explained("The former index, or none, is in use as before."), logged(album, quiet=quiet) as shown:
        from cartolina.album.album import Album
        from cartolina.cli.output import write_json

        with Album.open(album) as opened:
            index = opened.rebuild_index(shown)
        if json:
            write_json(index)
        else:
            _show(index, album)


@app.command(epilog="Example: cartolina index drop holidays.album")
def drop(album: AlbumPath, json: Json = False) -> None:
    """Delete an album's index; it is then searched exactly."""
    with explained("Nothing else than the index was changed."), logged(album):
        from cartolina.album.album import Album
        from cartolina.cli.output import screen, write_json

        with Album.open(album) as opened:
            dropped = opened.drop_index()
        if json:
            write_json({"dropped": dropped})
        else:
            screen().print("The index is deleted." if dropped else "There was no index.")


def searched(search: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Rows of facts: by what an album is searched, and how well that finds."""
    index = search["index"]
    if index is None:
        return [("searched", search["note"] or "exactly")]
    how = "by an index" if search["store"] == "qdrant" else "exactly, though there is an index"
    behind = f"; {index['behind']:,} more are searched beside it" if index["behind"] else ""
    rows = [("searched", f"{how} of {index['posts']:,} vectors{behind}"), *_recalls(index)]
    return [*rows, ("", search["note"])] if search["note"] else rows


def _show(index: Mapping[str, Any], album: Path) -> None:
    from cartolina.album.searched import MANY
    from cartolina.cli.console import duration
    from cartolina.cli.output import table_of_facts

    spent, size = duration(index["seconds"]), f"{index['bytes'] / 1e6:,.1f} MB"
    rows = [("indexed", f"{index['posts']:,} vectors in {spent}, {size}"), *_recalls(index)]
    if index["posts"] < MANY:
        command = f"cartolina settings {shlex.quote(str(album))} store=qdrant"
        rows.append(("asked", f"from {MANY:,} vectors on; sooner: {command}"))
    table_of_facts(rows)


def _recalls(index: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for kind, of in index["recall"].items():
        found = f"{of['at_10']:.1%} of the first 10, {of['at_100']:.1%} of the first 100"
        rows.append(("finds" if not rows else "", f"{found} for {of['queries']:,} {KINDS.get(kind, kind)}"))
    return rows
