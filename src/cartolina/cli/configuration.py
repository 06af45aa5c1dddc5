"""`cartolina settings`: what holds where no flag says otherwise, who said so, and setting it for an album."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cartolina.cli.failures import explained
from cartolina.cli.options import UNCHANGED, AlbumPath, Json

if TYPE_CHECKING:
    from cartolina.album.album import Album
    from cartolina.settings import Settled

__all__ = ["app", "settings_of"]

app = typer.Typer(rich_markup_mode=None)


@app.command(
    epilog="""\b
Examples:
  cartolina settings A
  cartolina settings A k=20 by=words
  cartolina settings A k=          (as if it had never been set)
"""
)
def settings(
    album: AlbumPath,
    assignments: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=VALUE]…", help="To set for this album.")
    ] = None,
    json: Json = False,
) -> None:
    """Show the settings and where each comes from, or set some for an album.

    Later ones win: built in, the album's, cartolina.toml, the environment (CARTOLINA_K=20), a flag.
    """
    with explained(UNCHANGED):
        from cartolina.album.album import Album
        from cartolina.cli.output import table_of_facts, write_json
        from cartolina.errors import InputError

        with Album.open(album) as opened:
            for assignment in assignments or ():
                name, equals, value = assignment.partition("=")
                if not equals:
                    raise InputError(f"{assignment!r} sets nothing: write NAME=VALUE, such as k=20")
                opened.set(name.strip(), value.strip() or None)
            chosen = settings_of(opened)
        if json:
            write_json(chosen.to_json())
        else:
            table_of_facts([(name, f"{value}  ({chosen.origin(name)})") for name, value in chosen.items()])


def settings_of(album: Album | Path, flags: Mapping[str, object] | None = None) -> Settled:
    """The settings in force for an album, open or (where there is one) on disk, under `flags`."""
    from cartolina.album.album import Album
    from cartolina.settings import settle

    if isinstance(album, Album):
        return settle(album.settings, flags)
    if not (album / "album.json").exists():
        return settle(None, flags)
    with Album.open(album) as opened:
        return settle(opened.settings, flags)
