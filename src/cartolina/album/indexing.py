"""The index of a space: built by `index rebuild`, tended by `build`, `add` and `sync`, dropped at any time.

It lies in `spaces/<fingerprint>/index/` and is derived: no answer needs it, and the catalogue does not know
of it. Rows never change and keep their positions, so an index once built stays true for what it covers; what
is added later is searched beside it until it has become so much (`BEHIND`) that a further graph is worth its
time. Compaction moves the rows, and the index then fits no more.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from cartolina.album.catalogue import Catalogue
from cartolina.album.searched import BEHIND, MANY, choose, index_folder, segments_of
from cartolina.album.space import Space
from cartolina.errors import SCALE
from cartolina.progress import Progress
from cartolina.store.contract import Vectors
from cartolina.store.index import Index, Unusable, build_index, check_fits, drop_index, read_index
from cartolina.store.segments import Segments
from cartolina.store.shard import ShardError, engine_said, engine_version

__all__ = ["drop", "facts", "rebuild", "tend"]

CAPTIONS, FEWEST = 200, 20
"""Captions of the album whose recall is measured, and how many there must be."""


def rebuild(
    album: Path, catalogue: Catalogue, active: tuple[int, Space], progress: Progress
) -> dict[str, Any]:
    """Build the index of a space anew. Under the album's lock."""
    number, space = active
    with catalogue.snapshot():
        segments = segments_of(catalogue, number, space)
        samples = _captions(catalogue, space)
    return _said(_built(album, space, segments, samples, None, progress), segments, space)


def tend(
    album: Path, catalogue: Catalogue, active: tuple[int, Space] | None, store: str, progress: Progress
) -> bool:
    """Build or go on with an index that the setting `store` wants. Under the album's lock."""
    if active is None or store == "exact":
        return False
    number, space = active
    with catalogue.snapshot():
        segments = segments_of(catalogue, number, space)
        total = sum(segments.rows.values())
        if not total or (store == "auto" and total < MANY):
            return False
        base = _fitting(space, segments)
        behind = total - (base.posts if base else 0)
        if base and behind < BEHIND:
            return False
        if engine_version() is None:
            progress.say(
                f"All of {total:,} vectors are looked at in each search. An index is faster: {SCALE}, "
                f"then cartolina index rebuild {album}"
            )
            return False
        samples = _captions(catalogue, space)
    progress.say(f"Indexing {behind:,} vectors, so that many are searched as fast as few.")
    try:
        _built(album, space, segments, samples, base, progress)
    except ShardError:
        if base is None:
            raise
        _built(album, space, segments, samples, None, progress)  # the old one was damaged
    return True


def drop(active: tuple[int, Space]) -> bool:
    """Delete the index of a space; whether there was one. Under the album's lock."""
    return drop_index(index_folder(active[1]))


def facts(catalogue: Catalogue, active: tuple[int, Space] | None, wanted: str) -> dict[str, Any] | None:
    """How a space is searched, as a JSON-able dict (docs/album-format.md); None: nothing was learnt yet."""
    if active is None:
        return None
    number, space = active
    with catalogue.snapshot():
        segments = segments_of(catalogue, number, space)
        choice = choose(segments, space, wanted)
    try:
        index = choice.index or read_index(index_folder(space))
    except Unusable:
        index = None
    return {
        "store": "qdrant" if choice.index else "exact",
        "note": choice.note,
        "index": _said(index, segments, space) if index else None,
    }


def _built(
    album: Path,
    space: Space,
    segments: Segments,
    samples: dict[str, Vectors],
    base: Index | None,
    progress: Progress,
) -> Index:
    tmp = album / "tmp"
    for left in tmp.glob("index-*"):  # by a killed writer
        shutil.rmtree(left)
    staging = tmp / f"index-{uuid4().hex}"
    try:
        return build_index(index_folder(space), staging, segments, samples, base, progress)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _fitting(space: Space, segments: Segments) -> Index | None:
    """The index of a space where it can be gone on with."""
    try:
        index = read_index(index_folder(space))
        if index:
            check_fits(index, segments)
    except Unusable:
        return None
    return index if index and index.engine == engine_said() else None


def _captions(catalogue: Catalogue, space: Space) -> dict[str, Vectors]:
    """Vectors of some of the album's own captions: what people ask."""
    last = catalogue.rows("SELECT coalesce(max(caption), 0) FROM captions")[0][0]
    chosen = np.random.default_rng(0).integers(1, last + 1, size=2 * CAPTIONS if last else 0)
    sql = "SELECT text FROM captions WHERE caption IN (SELECT value FROM json_each(?)) LIMIT ?"
    texts = [text for (text,) in catalogue.rows(sql, chosen.tolist(), CAPTIONS)]
    if len(texts) < FEWEST:
        return {}
    vectors = space.encode_texts(texts)
    known = vectors[vectors.any(axis=1)]
    return {"captions": known} if len(known) >= FEWEST else {}


def _said(index: Index, segments: Segments, space: Space) -> dict[str, Any]:
    folder = index_folder(space) / index.folder
    return {
        "posts": index.posts,
        "behind": max(0, sum(segments.rows.values()) - index.posts),
        "graphs": index.graphs,
        "effort": index.effort,
        "recall": index.recall,
        "engine": index.engine,
        "created": datetime.fromtimestamp(index.created, UTC).isoformat(timespec="seconds"),
        "seconds": index.seconds,
        "bytes": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
    }
