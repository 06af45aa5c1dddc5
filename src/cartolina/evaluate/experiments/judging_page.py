"""The judging page: the photos models put first, to be judged by eye, as the paper did.

One HTML file with its pictures inside. It needs no server, loads nothing and sends nothing; what a person
says is kept in the browser and saved as `verdicts.json` (`verdicts`). Photos stand in an order of their own,
without the model that found them and without what the rule says of them.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from cartolina import durable
from cartolina.evaluate.experiments.judging import Verdicts
from cartolina.evaluate.experiments.run import digest
from cartolina.progress import SILENT, Progress

if TYPE_CHECKING:
    from cartolina.post import Post

__all__ = ["thumbnail", "write_page"]

SIDE, QUALITY = 320, 80


def write_page(
    path: Path,
    found: Mapping[str, Iterable[str]],
    posts: Iterable[Post],
    verdicts: Verdicts | None = None,
    progress: Progress = SILENT,
) -> int:
    """Write the page of what each query `found` (photos' ids); returns how many judgements it asks for.

    `posts` are streamed for the pictures; `verdicts` that are there already are shown. A photo that cannot be
    read has an empty frame.
    """
    shown = {query: sorted(set(ids), key=digest) for query, ids in found.items()}
    queries = [{"query": query, "ids": ids} for query, ids in shown.items()]
    wanted = {photo for ids in shown.values() for photo in ids}
    pictures: dict[str, str] = {}
    with progress.task("judging page", len(wanted), "photos") as step:
        for post in posts:
            if post.id in wanted and post.id not in pictures and post.image is not None:
                pictures[post.id] = thumbnail(post.image)
                step.advance()
    data = {
        "run": digest(queries),
        "queries": queries,
        "pictures": pictures,
        "verdicts": [
            {"query": query, "id": photo, "shows": shows}
            for (query, photo), shows in (verdicts or {}).items()
            if photo in wanted and query in shown
        ],
    }
    page = resources.files(__package__).joinpath("judging_page.html").read_text(encoding="utf-8")
    # "<" is escaped so that nothing in an id or a query can end the script it lies in.
    text = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    path.parent.mkdir(parents=True, exist_ok=True)
    durable.write_bytes(path, page.replace("@DATA@", text).encode())
    return sum(map(len, shown.values()))


def thumbnail(image: Path | bytes) -> str:
    """A small JPEG as a data URI; an empty text for a photo that cannot be read."""
    from PIL import Image

    from cartolina.vision import UnreadableImage, open_rgb

    try:
        picture = open_rgb(image, at_least=SIDE)
    except UnreadableImage:
        return ""
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"
