"""The spaces an album has learnt: which there are, going back to a former one, dropping one.

A space never changes once it is there, so going back is to give it the vectors of the posts that came since
and then to swap one row.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from cartolina.album.catalogue import Catalogue
from cartolina.album.space import Space
from cartolina.errors import AlbumError, InputError, UnknownName

__all__ = ["SpaceFacts", "chosen", "drop", "facts"]


@dataclass(frozen=True, slots=True)
class SpaceFacts:
    """A space of the album: `info` is its space.json, or empty where `problem` says why it does not open."""

    fingerprint: str
    is_active: bool
    added: str
    dim: int
    vectors: int
    bytes: int
    info: dict[str, Any]
    problem: str | None


def facts(catalogue: Catalogue, folder: Path) -> list[SpaceFacts]:
    """The spaces of the album, whose folders lie in `folder`, in the order they came."""
    active = catalogue.active_space()
    found = []
    for fingerprint, added, dim, vectors in catalogue.rows(
        "SELECT fingerprint, s.added, dim, count(key) FROM spaces s LEFT JOIN vectors USING (space) "
        "GROUP BY space ORDER BY space"
    ):
        own = folder / fingerprint
        try:
            info, problem = Space.open(own).info, None
        except AlbumError as error:
            info, problem = {}, str(error)
        size = sum(path.stat().st_size for path in own.rglob("*") if path.is_file())
        is_active = active is not None and active[1] == fingerprint
        found.append(SpaceFacts(fingerprint, is_active, added, dim, vectors, size, info, problem))
    return found


def chosen(catalogue: Catalogue, given: str | None) -> str:
    """The fingerprint of the one space, not the active one, that begins like `given` (None: the one before).

    Raises `UnknownName` for none, `InputError` for several or for the active one.
    """
    active = catalogue.active_space()
    if given is None:
        found = catalogue.rows(
            "SELECT j.space FROM journal j JOIN spaces s ON s.fingerprint = j.space "
            "WHERE j.space != ? ORDER BY entry DESC LIMIT 1",
            active[1] if active else "",
        )
        if not found:
            raise InputError("no other space was searched before: `cartolina space list` shows what there is")
        return str(found[0][0])
    known = [name for (name,) in catalogue.rows("SELECT fingerprint FROM spaces ORDER BY space")]
    like: list[str] = [name for name in known if name.startswith(given)]
    if not given or not like:
        raise UnknownName("space", given, known)
    if len(like) > 1:
        raise InputError(f"{given!r} begins {len(like)} spaces: {', '.join(like)}: give more of it")
    if active and active[1] == like[0]:
        raise InputError(f"the space {like[0]} is the one that is searched now")
    return like[0]


def drop(catalogue: Catalogue, album: Path, fingerprint: str) -> None:
    """Forget a space, which is not the active one, with its vectors, and delete its folder."""
    with catalogue.transaction():
        catalogue.change("DELETE FROM spaces WHERE fingerprint = ?", fingerprint)
        catalogue.note("drop", 0, fingerprint)
    folder, aside = album / "spaces" / fingerprint, album / "tmp" / f"space-{uuid4().hex}"
    if folder.exists():
        aside.parent.mkdir(exist_ok=True)
        folder.rename(aside)  # half a space is never seen under its name
        shutil.rmtree(aside)
