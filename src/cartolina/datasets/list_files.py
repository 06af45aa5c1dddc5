"""Posts as LocSens's lists, which `--format locsens` reads.

    splits/train.txt       id;tag,tag;country;town;lat;lon;address     (train, where there are no splits)
    img/6985418911.jpg     the photos, whatever their format

Ids there are numbers. Another id becomes a number made from it, and stands in the last column; else the
picture's own file does. Country and town are the gazetteer's. Posts without place or tags are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import IO

from cartolina.datasets.picture_files import Left, NotWritten, Placed, copy_picture, split_name
from cartolina.geo import Locality, localities
from cartolina.post import Post

__all__ = ["number_of", "write_lists"]

_AT_A_TIME = 4096
_SEPARATORS = re.compile(r"[;,\r\n]")
_LISTS = {
    "": "train",
    "training": "train",
    "dev": "val",
    "valid": "val",
    "validation": "val",
    "testing": "test",
}
_NUMBER = re.compile(r"[0-9]{1,20}")


def number_of(post_id: str) -> str:
    """An id that is a number as it is, another as one of 18 digits that no other id is likely to get."""
    if _NUMBER.fullmatch(post_id):
        return post_id
    digest = sha256(post_id.encode("utf-8", "surrogatepass")).digest()
    return f"{int.from_bytes(digest[:8]) % 10**18:018}"


def write_lists(root: Path, posts: Iterator[Placed], left: Left) -> int:
    """Write a list for each split, and the photos there are; how many posts."""
    count = 0
    (root / "splits").mkdir()
    with ExitStack() as stack:
        files: dict[str, IO[str]] = {}
        for some in _batches(_fitting(posts, left)):
            places = localities([post.place for post, _ in some])
            for (post, split), where in zip(some, places, strict=True):
                number = number_of(post.id)
                try:
                    if post.image is not None:
                        copy_picture(post.image, root / "img", f"{number}.jpg")
                except NotWritten as error:
                    left(str(error))
                    continue
                name = _LISTS.get(split.lower()) or split_name(split)
                if name not in files:
                    path = root / "splits" / f"{name}.txt"
                    files[name] = stack.enter_context(path.open("w", encoding="utf-8", newline=""))
                files[name].write(_line(post, number, where))
                count += 1
    return count


def _fitting(posts: Iterable[Placed], left: Left) -> Iterator[Placed]:
    for post, split in posts:
        if post.place is None:
            left("no place")
        elif not post.tags:
            left("no tags")
        else:
            yield post, split


def _batches(posts: Iterator[Placed]) -> Iterator[Sequence[Placed]]:
    while some := list(islice(posts, _AT_A_TIME)):
        yield some


def _line(post: Post, number: str, where: Locality) -> str:
    assert post.place is not None
    address = str(post.image) if number == post.id and isinstance(post.image, Path) else post.id
    fields = [
        number,
        ",".join(_SEPARATORS.sub(" ", tag).strip() for tag in post.tags),
        _SEPARATORS.sub(" ", where.country),
        _SEPARATORS.sub(" ", where.town),
        repr(post.place.lat),
        repr(post.place.lon),
        _SEPARATORS.sub(" ", address),
    ]
    return ";".join(fields).encode("utf-8", "backslashreplace").decode() + "\n"
