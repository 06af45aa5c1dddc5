"""Pictures written out to the byte, under names that any disk takes, with what is said of them beside.

    2019/IMG_2.jpg          the post `2019/IMG_2.jpg`
    2019/IMG_2.jpg.txt      its first caption
    2019/IMG_2.jpg.json     {"caption": [all], "tags": […], "lat": …, "lon": …, "taken": …, "label": […], …}

>>> file_name("../a:b/.c.jpg")
'_/a_b/_c.jpg-12928328'
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from cartolina.datasets.formats import is_avif, is_heic
from cartolina.datasets.suffixes import IMAGE_SUFFIXES
from cartolina.post import Post

__all__ = [
    "Left",
    "NotWritten",
    "Placed",
    "copy_picture",
    "file_name",
    "opened",
    "said",
    "split_name",
    "suffix_of",
    "write_folder",
]

Placed = tuple[Post, str]
"""A post and its split ("": none)."""

Left = Callable[[str], None]
"""Told the reason why a post was left out."""

_LONGEST_STEP = 120  # bytes; with a suffix, a checksum and .json it stays below 255
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"\\|?*\ud800-\udfff]|^\.+|[. ]+$')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_STARTS = (
    (b"\xff\xd8\xff", ".jpg"), (b"\x89PNG", ".png"), (b"GIF8", ".gif"), (b"BM", ".bmp"),
    (b"II*\x00", ".tif"), (b"MM\x00*", ".tif"),
)  # fmt: skip


class NotWritten(Exception):
    """A post that a format cannot hold; the message is the reason it is counted by."""


def file_name(post_id: str) -> str:
    """An id as a relative path with `/` that stays where it is put, and that Windows takes, too.

    An id that is such a path is left as it is; one that had to be changed gets a checksum, so that no two ids
    share a name.
    """
    steps = []
    for step in post_id.split("/"):
        safe = _UNSAFE.sub("_", step) or "_"
        safe = f"_{safe}" if _RESERVED.fullmatch(safe) else safe
        steps.append(safe.encode("utf-8", "replace")[:_LONGEST_STEP].decode("utf-8", "ignore"))
    name = "/".join(steps)
    if name == post_id:
        return name
    checksum = sha256(post_id.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{name}-{checksum}"


@contextmanager
def opened(image: Path | bytes | None) -> Iterator[IO[bytes]]:
    """A picture's bytes to read; raises `NotWritten` where there are none."""
    if image is None:
        raise NotWritten("no picture")
    if isinstance(image, bytes):
        yield BytesIO(image)
        return
    try:
        file = image.open("rb")
    except OSError as error:
        raise NotWritten("unreadable image") from error
    with file:
        yield file


def suffix_of(image: Path | bytes, head: bytes) -> str:
    """The suffix that a picture's file should have: its own, else by its first bytes; "" for none known."""
    if isinstance(image, Path) and image.suffix.lower() in IMAGE_SUFFIXES:
        return image.suffix.lower()
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return ".webp"
    if is_avif(head) or is_heic(head):
        return ".avif" if is_avif(head) else ".heic"
    return next((suffix for start, suffix in _STARTS if head.startswith(start)), "")


def split_name(split: str) -> str:
    """A split's name as a file may have it: one step."""
    return file_name(split.replace("/", "_"))


def said(post: Post) -> dict[str, Any]:
    """All that a post carries but its picture, as a table's columns are named."""
    return {
        "caption": list(post.captions),
        "tags": list(post.tags),
        "lat": post.place.lat if post.place else None,
        "lon": post.place.lon if post.place else None,
        "taken": post.taken.isoformat() if post.taken else None,
        "label": list(post.labels),
        "id": post.id,
    }


def copy_picture(image: Path | bytes | None, folder: Path, name: str) -> Path:
    """Write a picture to `folder/name`, with a suffix put on where the name has none; where it was written.

    Raises `NotWritten` where there is no picture, or something of that name.
    """
    with opened(image) as source:
        assert image is not None
        head = source.read(32)
        if Path(name).suffix.lower() not in IMAGE_SUFFIXES:
            name += suffix_of(image, head)
        if Path(name).suffix.lower() not in IMAGE_SUFFIXES:
            raise NotWritten("not a picture")
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("xb")
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise NotWritten("name is taken") from error
        with file:
            file.write(head)
            shutil.copyfileobj(source, file, 1 << 20)
    return path


def write_folder(root: Path, posts: Iterator[Placed], left: Left) -> int:
    """Write a tree of pictures with their words beside them; how many. Splits are not kept."""
    count = 0
    for post, _ in posts:
        try:
            path = copy_picture(post.image, root, file_name(post.id))
        except NotWritten as error:
            left(str(error))
            continue
        if post.captions:
            _write(path.with_name(f"{path.name}.txt"), post.text)
        text = json.dumps(said(post), ensure_ascii=False, indent=1)
        _write(path.with_name(f"{path.name}.json"), text)
        count += 1
    return count


def _write(path: Path, text: str) -> None:
    path.write_text(f"{text}\n", encoding="utf-8", errors="backslashreplace")
