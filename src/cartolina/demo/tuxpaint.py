"""Tux Paint's stamps (Debian's `tuxpaint-stamps-default`): photos cut out of their ground, with a sentence.

A stamp is NAME.png (or .svg, a drawing, not read here) and NAME.txt: the first line is the English sentence,
`it.utf8=…` and so on are its translations. The folders are the tags: animals/birds/duck.png.

>>> list(photos(Path("/usr/share/tuxpaint/stamps"), into=Path("demo/photos")))    # doctest: +SKIP
[{'id': 'tuxpaint/animals/amphibians/frog', 'image': …, 'captions': ['A frog.'], 'tags': ['animals', …]}, …]
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cartolina.errors import InputError

__all__ = ["photos"]

# The folders that hold photos; symbols, clothes and seasonal are drawings.
ROOMS = ("animals", "food", "hobbies", "household", "people", "plants", "space", "sports", "town", "vehicles")
DRAWN = {"cartoon", "toys", "flags", "roadsigns", "houses", "plastic"}


def photos(folder: Path, into: Path) -> Iterator[dict[str, Any]]:
    """Copy the photos among the stamps in `folder` below `into`; yield a row of a table for each.

    A row has `id`, `image` (relative to `into`), `captions` (the English sentence) and `tags`.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is missing: has Tux Paint's package moved its stamps?")
    for room in ROOMS:
        for path in sorted((folder / room).rglob("*.png")):
            inner = path.relative_to(folder)
            words = path.with_suffix(".txt")
            if DRAWN.intersection(inner.parts) or not words.exists():  # a mirrored twin has no words
                continue
            image = Path("tuxpaint") / inner
            (into / image).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, into / image)
            sentence = words.read_text("utf-8", "replace").split("\n", 1)[0].strip()
            yield {
                "id": image.with_suffix("").as_posix(),
                "image": image.as_posix(),
                "captions": [sentence],
                "tags": list(inner.parts[:-1]),
            }
