"""Posts as tars of samples, as webdataset and img2dataset write them and `--format shards` reads them.

    train-00000.tar             000000000.jpg, 000000000.json, 000000000.txt, 000000001.jpg, …
    train-00000_stats.json      {"successes": 10000}

Keys are running numbers; the post's own id is in the JSON. The same posts make the same bytes.
"""

from __future__ import annotations

import json
import os
import tarfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import IO

from cartolina.datasets.picture_files import Left, NotWritten, Placed, opened, said, split_name, suffix_of
from cartolina.post import Post

__all__ = ["SHARD", "write_shards"]

SHARD = 10_000
"""Samples of a tar, as img2dataset has them."""


def write_shards(root: Path, posts: Iterator[Placed], left: Left) -> int:
    """Write tars of `SHARD` samples, those of each split together; how many samples in all."""
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        tar: tarfile.TarFile | None = None
        current = ""
        for post, split in posts:
            full = counts[split] % SHARD == 0
            if tar is None or split != current or full:
                stack.close()
                current = split
                # Splits come one after another; one that came back would go on where it stopped.
                path = root / f"{_name(split, counts[split] // SHARD)}.tar"
                tar = stack.enter_context(tarfile.open(path, "w" if full else "a"))
            try:
                _add(tar, f"{counts[split]:09}", post)
            except NotWritten as error:
                left(str(error))
            else:
                counts[split] += 1
    for split, count in counts.items():
        for number, first in enumerate(range(0, count, SHARD)):
            stats = {"successes": min(SHARD, count - first)}
            path = root / f"{_name(split, number)}_stats.json"
            path.write_text(json.dumps(stats), encoding="utf-8")
        if count % SHARD == 0:  # opened for posts that were all left out
            (root / f"{_name(split, count // SHARD)}.tar").unlink(missing_ok=True)
    return counts.total()


def _name(split: str, number: int) -> str:
    return f"{split_name(split)}-{number:05}" if split else f"{number:05}"


def _add(tar: tarfile.TarFile, key: str, post: Post) -> None:
    with opened(post.image) as file:
        assert post.image is not None
        suffix = suffix_of(post.image, file.read(32))
        if not suffix:
            raise NotWritten("not a picture")
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        _file(tar, f"{key}{suffix}", file, size)
    values = said(post) | {"key": key, "status": "success"}
    if len(post.captions) < 2:  # as img2dataset has it
        values["caption"] = post.text
    for name, text in (("json", json.dumps(values, ensure_ascii=False)), ("txt", post.text)):
        if text:
            data = text.encode("utf-8", "backslashreplace")
            _file(tar, f"{key}.{name}", BytesIO(data), len(data))


def _file(tar: tarfile.TarFile, name: str, file: IO[bytes], size: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o644
    tar.addfile(entry, file)
    tar.members.clear()  # type: ignore[attr-defined]  # it would keep them all
