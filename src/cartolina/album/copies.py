"""Files and posts: files with the same bytes share one post, of which one is the post's own file.

It applies to sources whose ids are made from paths; where ids are the data's own, every id is a post. A path
that is known stays its post's, also with another picture in it; a new path with the picture of a post is a
copy of it, and when the post's own file goes, a copy takes its place: that is how a post is moved, too.

All that writes happens within the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from cartolina.album.catalogue import Catalogue, now
from cartolina.album.entry import Entry, Known, said_by, saying, storable
from cartolina.album.stacks import take_over

__all__ = [
    "Entered",
    "come_back",
    "copies_of",
    "enter",
    "files",
    "forget",
    "left_out",
    "promote",
    "remember_removal",
    "restamp",
    "take_offline",
]


class Entered(NamedTuple):
    """What became of a file: `kind` is a count of `AddReport`; `key` and `id` are its post's.

    `changed` tells whether the post's picture is a new one. `gone` are posts left without a file and
    forgotten; `shifted` that another post has come by vectors, or back from being offline.
    """

    kind: str
    key: int
    id: str
    changed: bool = False
    gone: tuple[int, ...] = ()
    shifted: bool = False


class _Owner(NamedTuple):
    key: int
    id: str
    content_hash: str
    digest: str
    is_offline: bool
    is_copy: bool


class _Copy(NamedTuple):
    source: int
    source_id: str
    image: str | bytes
    within: str | bytes
    size: int
    mtime: int
    digest: str
    said: str
    beside: str | None


COLUMNS = ", ".join(_Copy._fields)


def enter(catalogue: Catalogue, entry: Entry, asked: bool = True) -> Entered | None:
    """Make `entry`, whose content hash is known, a post or a copy of one, or bring its post up to date.

    None: a person removed this picture and nobody has `asked` for it again.
    """
    owner = _owner(catalogue, entry)
    if owner is None and take_over(catalogue, entry):
        owner = _owner(catalogue, entry)
    if asked:
        catalogue.change("DELETE FROM removed WHERE content_hash = ?", entry.content_hash)
    if owner and owner.content_hash == entry.content_hash:
        return _seen_again(catalogue, entry, owner)
    twin = _twin(catalogue, entry)
    if not (owner or twin or asked) and _is_removed(catalogue, entry):
        return None
    catalogue.change("DELETE FROM removed WHERE source = ? AND source_id = ?", entry.source, entry.post.id)
    if owner and owner.is_copy:
        forget(catalogue, owner.key, [(entry.source, entry.post.id)])
        owner = None
    if twin is None:
        shifted = owner is not None and _split_copies(catalogue, owner.key, owner.content_hash)
        stored = catalogue.put(entry)
        if stored.former_hash not in (None, entry.content_hash):
            if owner is None:  # an id taken over from another source
                shifted |= _split_copies(catalogue, stored.key, str(stored.former_hash))
                catalogue.say(stored.key, entry.post)
            catalogue.forget_vectors(stored.key)
        kind = "added" if stored.former_hash is None else "replaced"
        changed = stored.former_hash != entry.content_hash
        return Entered(kind, stored.key, stored.id, changed, shifted=shifted)
    gone: tuple[int, ...] = ()
    if owner and not promote(catalogue, owner.key, copies_of(catalogue, owner.key)[:1]):
        catalogue.change("UPDATE OR IGNORE edits SET key = ? WHERE key = ?", twin.key, owner.key)
        catalogue.remove([owner.key])
        gone = (owner.key,)
    _add_copy(catalogue, twin.key, entry)
    if twin.is_offline:
        promote(catalogue, twin.key, [(entry.source, entry.post.id)])
        return Entered("moved", twin.key, twin.id, gone=gone, shifted=True)
    return Entered("replaced" if owner else "copies", twin.key, twin.id, gone=gone)


def files(catalogue: Catalogue, key: int) -> list[Path]:
    """All files of a post, its own first."""
    own = catalogue.rows("SELECT image FROM posts WHERE key = ?", key)
    others = catalogue.rows("SELECT image FROM copies WHERE key = ? ORDER BY source, source_id", key)
    return [catalogue.image_from(image) for (image,) in own + others]


def copies_of(catalogue: Catalogue, key: int) -> list[tuple[int, str]]:
    """The copies of a post (source and id there), those of its own source first."""
    found = catalogue.rows(
        "SELECT c.source, c.source_id FROM copies c JOIN posts p USING (key) WHERE key = ? "
        "ORDER BY c.source != p.source, c.source, c.source_id",
        key,
    )
    return [(source, name) for source, name in found]


def promote(catalogue: Catalogue, key: int, candidates: Sequence[tuple[int, str]]) -> str | None:
    """Make the first of the candidates, copies of a post, its own file; the id there, or None for none."""
    if not candidates:
        return None
    source, name = candidates[0]
    (copy,) = _copies(catalogue, "source = ? AND source_id = ?", source, name)
    post = said_by(name, catalogue.image_from(copy.image), copy.said)
    catalogue.change("DELETE FROM copies WHERE source = ? AND source_id = ?", source, name)
    catalogue.change(
        "UPDATE posts SET source = ?, source_id = ?, image = ?, within = ?, size = ?, mtime = ?, digest = ?, "
        "beside = ?, offline = NULL WHERE key = ?",
        source, name, copy.image, copy.within, copy.size, copy.mtime, copy.digest, copy.beside, key,
    )  # fmt: skip
    catalogue.say(key, post)
    return name


def forget(catalogue: Catalogue, key: int, gone: Iterable[tuple[int, str]]) -> None:
    """Copies of a post that are there no more; what they said goes with them."""
    own = catalogue.own(key)
    for source, name in gone:
        catalogue.change("DELETE FROM copies WHERE source = ? AND source_id = ?", source, name)
    catalogue.say(key, own)


def take_offline(catalogue: Catalogue, keys: list[int]) -> None:
    """The pictures of these posts are missing from now on."""
    inside = "key IN (SELECT value FROM json_each(?))"
    catalogue.change(f"UPDATE posts SET offline = ? WHERE {inside}", now(), keys)  # noqa: S608


def remember_removal(catalogue: Catalogue, keys: list[int]) -> None:
    """The files of these posts stay out of the album until somebody adds them."""
    catalogue.change(
        "INSERT OR REPLACE INTO removed SELECT f.source, f.source_id, content_hash, f.size, f.mtime "
        "FROM (SELECT key, source, source_id, size, mtime FROM posts UNION ALL "
        "SELECT key, source, source_id, size, mtime FROM copies) f JOIN posts USING (key) "
        "WHERE key IN (SELECT value FROM json_each(?))",
        keys,
    )


def left_out(catalogue: Catalogue, source: int, names: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Those of a source's files that were removed, with the size and time they had then."""
    found = catalogue.rows(
        "SELECT source_id, size, mtime FROM removed "
        "WHERE source = ? AND source_id IN (SELECT value FROM json_each(?))",
        source, [storable(name) for name in names],
    )  # fmt: skip
    return {name: (size, mtime) for name, size, mtime in found}


def come_back(catalogue: Catalogue, old: Known, file: tuple[int, str]) -> None:
    """A post that was offline is there again: its own file is, or a copy of it."""
    if old.is_copy:
        promote(catalogue, old.key, [file])
    else:
        catalogue.change("UPDATE posts SET offline = NULL WHERE key = ?", old.key)


def restamp(catalogue: Catalogue, old: Known, file: tuple[int, str], beside: str | None) -> None:
    """The sidecars of a file have another signature, and say the same."""
    table = "copies" if old.is_copy else "posts"
    catalogue.change(f"UPDATE {table} SET beside = ? WHERE source = ? AND source_id = ?", beside, *file)  # noqa: S608


def _is_removed(catalogue: Catalogue, entry: Entry) -> bool:
    """Whether this picture was removed; then this file of it stays out, too."""
    if not catalogue.rows("SELECT 1 FROM removed WHERE content_hash = ?", entry.content_hash):
        return False
    catalogue.change(
        "INSERT OR REPLACE INTO removed VALUES (?, ?, ?, ?, ?)",
        entry.source, entry.post.id, entry.content_hash, entry.size, entry.mtime,
    )  # fmt: skip
    return True


def _owner(catalogue: Catalogue, entry: Entry) -> _Owner | None:
    found = catalogue.rows(
        "SELECT key, id, content_hash, digest, offline IS NOT NULL, 0 FROM posts "
        "WHERE source = ?1 AND source_id = ?2 UNION ALL "
        "SELECT key, id, content_hash, c.digest, offline IS NOT NULL, 1 FROM copies c JOIN posts USING (key) "
        "WHERE c.source = ?1 AND c.source_id = ?2",
        entry.source, entry.post.id,
    )  # fmt: skip
    return _Owner(*found[0]) if found else None


def _twin(catalogue: Catalogue, entry: Entry) -> _Owner | None:
    """The post of which a new file of this content is a copy; one whose own file is gone comes first."""
    found = catalogue.rows(
        "SELECT key, id, content_hash, digest, offline IS NOT NULL, 0, image "
        "FROM posts JOIN sources USING (source) WHERE content_hash = ? "
        "AND NOT stable_ids AND (source, source_id) != (?, ?) "
        "AND NOT (SELECT stable_ids FROM sources WHERE source = ?) ORDER BY offline IS NULL, key",
        entry.content_hash, entry.source, entry.post.id, entry.source,
    )  # fmt: skip
    if len(found) > 1:  # only in albums older than copies are
        found.sort(key=lambda row: catalogue.image_from(row[-1]).exists())
    return _Owner(*found[0][:-1]) if found else None


def _seen_again(catalogue: Catalogue, entry: Entry, owner: _Owner) -> Entered:
    same = owner.digest == entry.digest
    where = (entry.source, entry.post.id)
    if owner.is_copy:
        catalogue.change(
            "UPDATE copies SET size = ?, mtime = ?, digest = ?, beside = ?, said = ? "
            "WHERE source = ? AND source_id = ?",
            entry.size, entry.mtime, entry.digest, entry.beside, saying(entry.post), *where,
        )  # fmt: skip
        if owner.is_offline:
            promote(catalogue, owner.key, [where])
        elif not same:
            catalogue.say(owner.key, catalogue.own(owner.key))
    elif same:
        catalogue.change(
            "UPDATE posts SET size = ?, mtime = ?, beside = ?, offline = NULL WHERE key = ?",
            entry.size, entry.mtime, entry.beside, owner.key,
        )  # fmt: skip
    else:
        catalogue.put(entry)
    kind = "back" if owner.is_offline else "touched" if same else "replaced"
    return Entered(kind, owner.key, owner.id, shifted=owner.is_offline)


def _add_copy(catalogue: Catalogue, key: int, entry: Entry) -> None:
    own = catalogue.own(key)
    copy = _Copy(
        entry.source,
        entry.post.id,
        catalogue.image_value(entry.image),
        catalogue.image_value(catalogue.within(entry)),
        entry.size,
        entry.mtime,
        entry.digest,
        saying(entry.post),
        entry.beside,
    )
    marks = ", ".join("?" * (len(copy) + 1))
    catalogue.change(f"INSERT INTO copies ({COLUMNS}, key) VALUES ({marks})", *copy, key)  # noqa: S608
    catalogue.say(key, own)


def _split_copies(catalogue: Catalogue, key: int, content: str) -> bool:
    """A post's own file is another picture now: its copies, which are not, become a post with its vectors."""
    copies = _copies(catalogue, "key = ? ORDER BY source, source_id", key)
    if not copies:
        return False
    first = copies[0]
    catalogue.change("DELETE FROM copies WHERE source = ? AND source_id = ?", first.source, first.source_id)
    post = said_by(first.source_id, catalogue.image_from(first.image), first.said)
    stored = catalogue.put(
        Entry(post, first.source, first.size, first.mtime, first.digest, content, first.beside)
    )
    catalogue.change("UPDATE copies SET key = ? WHERE key = ?", stored.key, key)
    catalogue.change("UPDATE vectors SET key = ? WHERE key = ?", stored.key, key)
    catalogue.say(stored.key, post)
    return True


def _copies(catalogue: Catalogue, where: str, *values: object) -> list[_Copy]:
    found = catalogue.rows(f"SELECT {COLUMNS} FROM copies WHERE {where}", *values)  # noqa: S608
    return [_Copy(*row) for row in found]
