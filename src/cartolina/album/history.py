"""What was done to an album, and how it was before: a stack, of which the last action is taken back first.

An action (`Catalogue.action`) is one journal entry. The schema's triggers keep every post as it was before
the entry's first change to it (`changes`, `former_posts` …). To take an entry back is to put those rows in
place again; that is an entry, too (`undo`), so that it can be taken back itself (redo).

The last 1,000 entries are kept, and of those no more than hold 200,000 former posts (the last entry always).
All that writes happens within the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cartolina.album.catalogue import Catalogue
from cartolina.album.copies import remember_removal
from cartolina.album.schema import FORMER
from cartolina.progress import Step

__all__ = [
    "Action",
    "Changes",
    "actions",
    "changes",
    "few",
    "forget_readings",
    "former_ids",
    "last_action",
    "last_undo",
    "prune",
    "redone",
    "remember_readings",
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
    sql = f"SELECT id FROM former_posts WHERE entry = ? AND key {INSIDE} ORDER BY key"  # noqa: S608
    return [name for (name,) in catalogue.rows(sql, entry, list(keys))]


def restore(catalogue: Catalogue, entry: int, todo: Changes, step: Step) -> None:
    """Make every post that an entry changed what it was before: the same key, id, words and files.

    Vectors whose picture is the same stay; former ones come back where their rows are still on disk. What
    goes out is remembered as removed, so that sync leaves it out; what comes back is not any more.
    """
    keys = sorted([*todo.out, *todo.back, *todo.restored])
    remember_removal(catalogue, todo.out)
    vectors = []
    for some in _parts(todo.restored):
        vectors += catalogue.rows(
            f"SELECT v.space, v.key, v.segment, v.row FROM vectors v JOIN posts p USING (key) "  # noqa: S608
            f"JOIN former_posts f ON f.entry = ? AND f.key = v.key AND f.content_hash = p.content_hash "
            f"WHERE v.key {INSIDE}",
            entry, some,
        )  # fmt: skip
    for some in _parts(keys):
        catalogue.remove(some)
        step.advance(len(some))
    for name in FORMER[:-1]:
        columns = _columns(catalogue, name)
        catalogue.change(
            f"INSERT INTO {name} ({columns}) SELECT {columns} FROM former_{name} WHERE entry = ?",  # noqa: S608
            entry,
        )
    for vector in vectors:
        catalogue.change("INSERT OR IGNORE INTO vectors (space, key, segment, row) VALUES (?, ?, ?, ?)", *vector)
    catalogue.change(
        "INSERT OR IGNORE INTO vectors (space, key, segment, row) "
        "SELECT space, key, segment, row FROM former_vectors WHERE entry = ?",
        entry,
    )
    catalogue.change(
        "DELETE FROM removed WHERE content_hash IN "
        f"(SELECT content_hash FROM former_posts WHERE entry = ?1 AND key {INSIDE.replace('?', '?2')}) "
        "OR (source, source_id) IN (SELECT source, source_id FROM former_posts WHERE entry = ?1 "
        "UNION ALL SELECT source, source_id FROM former_copies WHERE entry = ?1)",
        entry, todo.back,
    )  # fmt: skip


def undone(catalogue: Catalogue, entry: int) -> None:
    """The transaction under way takes an action back."""
    catalogue.change("UPDATE journal SET undone = (SELECT entry FROM recording) WHERE entry = ?", entry)


def redone(catalogue: Catalogue, undo: int) -> None:
    """The entry written last took an undo back: what that one had undone can be undone again."""
    catalogue.change("UPDATE journal SET undone = NULL WHERE undone = ?", undo)
    catalogue.change("DELETE FROM changes WHERE entry = ?", undo)
    catalogue.change(
        "UPDATE journal SET kept = -1, undone = (SELECT max(entry) FROM journal) WHERE entry = ?", undo
    )


def forget_readings(catalogue: Catalogue, entry: int) -> None:
    """An entry's sources are not read any more as it did first."""
    same = "(source, path, format, columns, split)"
    catalogue.change(
        f"DELETE FROM readings WHERE {same} IN "  # noqa: S608
        "(SELECT source, path, format, columns, split FROM new_readings WHERE entry = ?)",
        entry,
    )


def remember_readings(catalogue: Catalogue, entry: int) -> None:
    """An entry's sources are read again as it did first."""
    columns = _columns(catalogue, "readings")
    catalogue.change(
        f"INSERT OR IGNORE INTO readings ({columns}) SELECT {columns} FROM new_readings WHERE entry = ?",  # noqa: S608
        entry,
    )


def prune(catalogue: Catalogue, entries: int = ENTRIES, posts: int = POSTS) -> bool:
    """Forget what is older than is kept; whether there was something."""
    old, total = [], 0
    for number, (entry, kept) in enumerate(
        catalogue.rows("SELECT entry, kept FROM journal WHERE kept >= 0 ORDER BY entry DESC")
    ):
        total += kept
        if old or number >= entries or (number and total > posts):
            old.append(entry)
    if old:
        with catalogue.transaction():
            for table in ("changes", "new_readings"):
                catalogue.change(f"DELETE FROM {table} WHERE entry {INSIDE}", old)  # noqa: S608
            catalogue.change(f"UPDATE journal SET kept = -1 WHERE entry {INSIDE}", old)  # noqa: S608
    return bool(old)


def _actions(catalogue: Catalogue, which: str, *values: object) -> list[Action]:
    found = catalogue.rows(
        "SELECT entry, at, action, detail, posts, space, former_space, undone IS NOT NULL "  # noqa: S608
        f"FROM journal WHERE kept >= 0 AND {which}",
        *values,
    )
    return [Action(*row[:-1], bool(row[-1])) for row in found]


def _columns(catalogue: Catalogue, table: str) -> str:
    """The columns of a table whose values are of a post: a caption's number may be another's by now."""
    found = catalogue.rows("SELECT name FROM pragma_table_info(?)", table)
    return ", ".join(name for (name,) in found if name != "caption")


def _parts(keys: Sequence[int]) -> list[list[int]]:
    return [list(keys[start : start + AT_A_TIME]) for start in range(0, len(keys), AT_A_TIME)]
