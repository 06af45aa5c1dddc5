"""What was done to an album, and how it was before: a stack, of which the last action is taken back first.

An action (`Catalogue.action`) is one journal entry. The schema's triggers keep every post as it was before
the entry's first change to it (`changes`, `former_posts` …). To take an entry back is to put those rows in
place again; that is an entry, too (`undo`), so that it can be taken back itself (redo).

The last 1,000 entries are kept, and of those no more than hold 200,000 former posts (the last entry always).
All that writes happens within the caller's transaction.
"""

# ruff: noqa: S608 - the names that are put together are our own

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cartolina.album.catalogue import Catalogue
from cartolina.album.remembering import FORMER, FORMER_ROWS
from cartolina.progress import Step

__all__ = [
    "Action",
    "Changes",
    "actions",
    "changes",
    "few",
    "former_ids",
    "last_action",
    "last_undo",
    "prune",
    "redone",
    "restore",
    "undone",
    "undone_by",
]

ENTRIES, POSTS = 1_000, 200_000
"""How many entries, and how many former posts, are kept: some 200 MB of long captions at the very most."""

AT_A_TIME = 1024
INSIDE = "IN (SELECT value FROM json_each(?))"


def few(names: Sequence[str], most: int = 5) -> str:
    """Some names and how many more there are, for a journal entry."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


class Action(NamedTuple):
    """A journal entry. `posts` it changed; `space` is the fingerprint of the one it made the active one
    ("": none, None: it left that alone), `former_space` of the one before; `is_undone`: it was taken back."""

    entry: int
    at: str
    name: str
    detail: str
    posts: int
    space: str | None
    former_space: str | None
    is_undone: bool


class Changes(NamedTuple):
    """Keys of what taking an entry back does: posts that go `out`, come `back`, are `restored`."""

    out: list[int]
    back: list[int]
    restored: list[int]


def actions(catalogue: Catalogue, limit: int = 20) -> list[Action]:
    """The last actions that are kept, the latest first; undone ones among them."""
    return _actions(catalogue, "action != 'undo' ORDER BY entry DESC LIMIT ?", limit)


def last_action(catalogue: Catalogue) -> Action | None:
    """The last action that was not taken back yet."""
    found = _actions(catalogue, "action != 'undo' AND undone IS NULL ORDER BY entry DESC LIMIT 1")
    return found[0] if found else None


def last_undo(catalogue: Catalogue) -> Action | None:
    """The last undo, if nothing was done since."""
    found = _actions(catalogue, "action = 'undo' AND undone IS NULL ORDER BY entry DESC LIMIT 1")
    since = last_action(catalogue)
    return found[0] if found and (since is None or since.entry < found[0].entry) else None


def undone_by(catalogue: Catalogue, undo: Action) -> Action:
    """The action that an undo took back."""
    return _actions(catalogue, "undone = ?", undo.entry)[0]


def changes(catalogue: Catalogue, entry: int) -> Changes:
    """What taking an entry back would do."""
    found: dict[tuple[bool, bool], list[int]] = {}
    for key, was_there, is_there in catalogue.rows(
        "SELECT c.key, was_there, p.key IS NOT NULL FROM changes c LEFT JOIN posts p ON p.key = c.key "
        "WHERE entry = ? ORDER BY c.key",
        entry,
    ):
        found.setdefault((bool(was_there), bool(is_there)), []).append(key)
    return Changes(found.get((False, True), []), found.get((True, False), []), found.get((True, True), []))


def former_ids(catalogue: Catalogue, entry: int, keys: Sequence[int]) -> list[str]:
    """The ids that posts had before an entry."""
    sql = f"SELECT id FROM former_posts WHERE entry = ? AND key {INSIDE} ORDER BY key"
    return [name for (name,) in catalogue.rows(sql, entry, list(keys))]


def restore(catalogue: Catalogue, entry: int, todo: Changes, step: Step) -> None:
    """Make every post that an entry changed what it was before: the same key, id, words and files.

    Vectors whose picture is the same stay; former ones come back where their rows are still on disk.
    """
    kept = _vectors_of_same_pictures(catalogue, entry, todo.restored)
    for some in _parts(sorted([*todo.out, *todo.back, *todo.restored])):
        catalogue.remove(some)
        step.advance(len(some))
    _restore_rows(catalogue, "sources", entry)
    for name in FORMER[:-1]:
        columns = _columns(catalogue, name)
        catalogue.change(
            f"INSERT INTO {name} ({columns}) SELECT {columns} FROM former_{name} WHERE entry = ?",
            entry,
        )
    for some in _parts(sorted([*todo.back, *todo.restored])):
        catalogue.index_words(some)
    place = "INSERT OR IGNORE INTO vectors (space, key, segment, row) "
    for vector in kept:
        catalogue.change(place + "VALUES (?, ?, ?, ?)", *vector)
    catalogue.change(place + "SELECT space, key, segment, row FROM former_vectors WHERE entry = ?", entry)
    for name in ("removed", "readings"):
        _restore_rows(catalogue, name, entry)
        _drop_new_rows(catalogue, name, entry)
    used = "source IN (SELECT source FROM posts UNION ALL SELECT source FROM copies)"
    _drop_new_rows(catalogue, "sources", entry, f"NOT {used}")


def undone(catalogue: Catalogue, entry: int) -> None:
    """The transaction under way takes an action back."""
    catalogue.change("UPDATE journal SET undone = (SELECT entry FROM recording) WHERE entry = ?", entry)


def redone(catalogue: Catalogue, undo: int) -> None:
    """The entry written last took an undo back: what that one had undone can be undone again."""
    catalogue.change("UPDATE journal SET undone = NULL WHERE undone = ?", undo)
    catalogue.change("UPDATE journal SET undone = (SELECT max(entry) FROM journal) WHERE entry = ?", undo)
    _forget(catalogue, [undo])


def prune(catalogue: Catalogue, entries: int = ENTRIES, posts: int = POSTS) -> bool:
    """Forget what is older than is kept; whether there was something."""
    old: list[int] = []
    total = 0
    for number, (entry, kept) in enumerate(
        catalogue.rows("SELECT entry, kept FROM journal WHERE kept >= 0 ORDER BY entry DESC")
    ):
        total += kept
        if old or number >= entries or (number and total > posts):
            old.append(entry)
    if old:
        with catalogue.transaction():
            _forget(catalogue, old)
    return bool(old)


def _forget(catalogue: Catalogue, entries: list[int]) -> None:
    for table in ("changes", *(f"former_{name}" for name in FORMER_ROWS)):
        catalogue.change(f"DELETE FROM {table} WHERE entry {INSIDE}", entries)
    catalogue.change(f"UPDATE journal SET kept = -1 WHERE entry {INSIDE}", entries)


def _actions(catalogue: Catalogue, which: str, *values: object) -> list[Action]:
    found = catalogue.rows(
        "SELECT entry, at, action, detail, posts, space, former_space, undone IS NOT NULL "
        f"FROM journal WHERE kept >= 0 AND {which}",
        *values,
    )
    return [Action._make((*row[:-1], bool(row[-1]))) for row in found]


def _vectors_of_same_pictures(catalogue: Catalogue, entry: int, keys: Sequence[int]) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = []
    for some in _parts(keys):
        found += catalogue.rows(
            "SELECT v.space, v.key, v.segment, v.row FROM vectors v JOIN posts p USING (key) "
            "JOIN former_posts f ON f.entry = ? AND f.key = v.key AND f.content_hash = p.content_hash "
            f"WHERE v.key {INSIDE}",
            entry, some,
        )  # fmt: skip
    return found


def _restore_rows(catalogue: Catalogue, name: str, entry: int) -> None:
    columns = _columns(catalogue, name)
    catalogue.change(
        f"INSERT OR IGNORE INTO {name} ({columns}) SELECT {columns} FROM former_{name} "
        "WHERE entry = ? AND was_there",
        entry,
    )


def _drop_new_rows(catalogue: Catalogue, name: str, entry: int, where: str = "TRUE") -> None:
    key = ", ".join(FORMER_ROWS[name])
    catalogue.change(
        f"DELETE FROM {name} WHERE {where} AND ({key}) IN "
        f"(SELECT {key} FROM former_{name} WHERE entry = ? AND NOT was_there)",
        entry,
    )


def _columns(catalogue: Catalogue, table: str) -> str:
    """The columns of a table whose values are of a post: a caption's number may be another's by now."""
    found = catalogue.rows("SELECT name FROM pragma_table_info(?)", table)
    return ", ".join(name for (name,) in found if name != "caption")


def _parts(keys: Sequence[int]) -> list[list[int]]:
    return [list(keys[start : start + AT_A_TIME]) for start in range(0, len(keys), AT_A_TIME)]
