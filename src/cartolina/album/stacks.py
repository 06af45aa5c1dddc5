"""RAW and JPEG are one post, whichever of the two is there (datasets/folder.py says which files are a stack).

The post of a RAW becomes its JPEG's when that appears, and the RAW's again when it vanishes: key, id and
what was said by hand stay, picture and vectors are new ones.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from cartolina.album.catalogue import Catalogue
from cartolina.album.entry import Entry
from cartolina.datasets.suffixes import kind_of

__all__ = ["take_over"]


def take_over(catalogue: Catalogue, entry: Entry) -> bool:
    """Make the post of the other file of `entry`'s stack that of `entry`; False where there is none such.

    For an entry the catalogue does not know yet, of a folder: there, a picture hides the RAW beside it, and a
    RAW is seen only where no picture is. (In exports, and in archives, whose pictures are the album's own,
    nothing is stacked.) Within a transaction.
    """
    if entry.beside is None or catalogue.is_own(entry.image):
        return False
    name = entry.post.id
    stem = _stem(name)
    others = catalogue.rows(
        "SELECT key, source_id, image FROM posts JOIN sources USING (source) WHERE source = ? "
        "AND source_id > ? AND source_id < ? AND format IN ('folder', 'imagefolder')",
        entry.source, f"{stem}.", f"{stem}/",
    )  # fmt: skip
    for key, other, image in others:  # what begins with the stem and a dot: "/" is the letter after it
        was_raw = kind_of(other) == "raw"
        if _stem(other) != stem or was_raw == (kind_of(name) == "raw"):
            continue
        if was_raw or not catalogue.image_from(image).exists():
            catalogue.change("UPDATE posts SET source_id = ? WHERE key = ?", name, key)
            return True
    return False


def _stem(name: str) -> str:
    return name.removesuffix(PurePosixPath(name).suffix)
