"""Arguments and options that several commands have, and what they say when they are stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["KEPT", "UNCHANGED", "AlbumPath", "Columns", "Format", "Json", "Quiet", "Source", "Split"]

AlbumPath = Annotated[Path, typer.Argument(metavar="ALBUM", help="The album's folder.", show_default=False)]
Source = Annotated[
    Path,
    typer.Argument(
        metavar="SOURCE",
        help="Photos in a folder or an archive, an account's export, a table, or a dataset.",
        show_default=False,
    ),
]
Format = Annotated[
    str,
    typer.Option(
        help="auto, folder, takeout, flickr-export, instagram, table, imagefolder, flickr8k, flickr30k, "
        "instacities1m, webvision, mirflickr25k, yfcc100m, locsens, huggingface or shards."
    ),
]
Columns = Annotated[
    str | None, typer.Option(help="A table's columns: image=path,text=caption,lat=latitude,lon=longitude…")
]
Split = Annotated[str | None, typer.Option(help="Only this part of the source: train, dev, test…")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs (docs/cli.md lists the keys).")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress; results and errors only.")]

KEPT = "What was done until here is kept: give the same command again and it goes on from there."
UNCHANGED = "Nothing was changed."
