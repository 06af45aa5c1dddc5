"""What there is to say about an album: what it holds, how it was learnt, how large it is."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from cartolina.album.catalogue import Catalogue
from cartolina.album.entry import path_from
from cartolina.album.space import Space
from cartolina.geo import Gazetteer

__all__ = ["about"]

COUNTS = {
    "posts": "SELECT count(*) FROM posts WHERE offline IS NULL",
    "offline": "SELECT count(*) FROM posts WHERE offline IS NOT NULL",
    "copies": "SELECT count(*) FROM copies",
    "with_captions": "SELECT count(DISTINCT key) FROM captions JOIN posts USING (key) WHERE offline IS NULL",
    "with_tags": "SELECT count(DISTINCT key) FROM tags JOIN posts USING (key) WHERE offline IS NULL",
    "with_place": "SELECT count(*) FROM posts WHERE lat IS NOT NULL AND offline IS NULL",
    "with_date": "SELECT count(*) FROM posts WHERE taken IS NOT NULL AND offline IS NULL",
    "captions": "SELECT count(*) FROM captions JOIN posts USING (key) WHERE offline IS NULL",
    "tags": "SELECT count(DISTINCT folded) FROM tags JOIN posts USING (key) WHERE offline IS NULL",
}

PLACES = "SELECT lat, lon FROM posts WHERE lat IS NOT NULL AND offline IS NULL"

TOWNS = 20
"""How many towns are listed, those with the most posts."""

PARTS = ("features", "pictures", "runs", "spaces", "thumbs", "tmp")


def about(album: Path, settings: dict[str, Any], catalogue: Catalogue, space: Space | None) -> dict[str, Any]:
    """A JSON-able dict; its keys are described in docs/album-format.md and only ever added to."""
    with catalogue.snapshot():
        active = catalogue.active_space()
        answer: dict[str, Any] = {
            "album": str(album),
            "format": settings["format"],
            "uuid": settings["uuid"],
            "created": settings["created"],
            **{name: int(catalogue.rows(sql)[0][0]) for name, sql in COUNTS.items()},
            "places": _places(catalogue),
            "space": None,
            "spaces": [
                {"fingerprint": fingerprint, "dim": dim, "added": added, "vectors": vectors}
                for fingerprint, dim, added, vectors in catalogue.rows(
                    "SELECT fingerprint, dim, s.added, count(key) "
                    "FROM spaces s LEFT JOIN vectors USING (space) GROUP BY space ORDER BY space"
                )
            ],
            "sources": [
                {"root": str(path_from(root)), "format": name, "stable_ids": bool(stable), "posts": posts}
                for root, name, stable, posts in catalogue.rows(
                    "SELECT root, format, stable_ids, count(key) "
                    "FROM sources LEFT JOIN posts USING (source) GROUP BY source ORDER BY source"
                )
            ],
        }
        if space is not None and active is not None:
            vectors, rows = catalogue.rows(
                "SELECT (SELECT count(*) FROM vectors JOIN posts USING (key) "
                "WHERE space = ? AND offline IS NULL), "
                "(SELECT coalesce(sum(rows), 0) FROM segments WHERE space = ?)",
                active[0], active[0],
            )[0]  # fmt: skip
            answer["space"] = {
                **space.info,
                "fingerprint": active[1],
                "vectors": vectors,
                "holes": rows - vectors,
                "without_vector": answer["posts"] - vectors,
            }
    answer["bytes"] = _bytes(album)
    return answer


def _places(catalogue: Catalogue) -> dict[str, list[dict[str, Any]]]:
    """How many posts there are in each country and in the towns with most, most first."""
    points = catalogue.rows(PLACES)
    if not points:
        return {"countries": [], "towns": []}
    with Gazetteer.open() as gazetteer:
        found = Counter(gazetteer.localities(*zip(*points, strict=True)))
    countries, towns = Counter[str](), Counter[str]()
    for locality, posts in found.items():
        countries[locality.country] += posts
        if locality.town:
            towns[locality.name] += posts
    del countries[""]
    return {"countries": _listed(countries), "towns": _listed(towns)[:TOWNS]}


def _listed(counted: Counter[str]) -> list[dict[str, Any]]:
    """Most posts first, then by name."""
    order = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    return [{"name": name, "posts": posts} for name, posts in order]


def _bytes(album: Path) -> dict[str, int]:
    parts = {name: _size(album / name) for name in PARTS}
    parts["vectors"] = sum(_size(folder / "vectors") for folder in (album / "spaces").glob("*"))
    parts["index"] = sum(_size(folder / "index") for folder in (album / "spaces").glob("*"))
    parts["spaces"] -= parts["vectors"] + parts["index"]
    parts["catalogue"] = sum(path.stat().st_size for path in album.glob("album.sqlite*"))
    parts["total"] = sum(parts.values())
    return parts


def _size(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # a writer at work may have removed it since it was listed
                total += (Path(parent) / name).stat().st_size
    return total
