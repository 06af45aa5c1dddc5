"""Is the catalogue whole: as SQLite sees it, and as its tables should belong together?"""

# ruff: noqa: S608 - the names that are put together are the schema's own

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress

from cartolina.album.catalogue import Catalogue
from cartolina.album.checks.findings import Checked, Finding

__all__ = ["is_whole", "look"]

WHERE = "album.sqlite"
RESTORE = "restore the album from a backup"


def is_whole(catalogue: Catalogue) -> list[str]:
    """What SQLite finds wrong with the file, nothing if it is whole."""
    try:
        found = [str(line) for (line,) in catalogue.rows("PRAGMA integrity_check(20)")]
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return [] if found == ["ok"] else [line for said in found for line in said.splitlines()]


def look(album: Checked) -> Iterator[Finding]:
    """Pages, then references, keys and the full-text index; a broken file is asked no further."""
    if broken := is_whole(album.catalogue):
        detail = f"{broken[0]}{f' and {len(broken) - 1} more' if len(broken) > 1 else ''}"
        yield Finding("catalogue", WHERE, detail, len(broken), lambda: _rewritten(album.catalogue))
        return
    yield from _ghosts(album.catalogue)
    yield from _sequence(album.catalogue)
    yield from _full_text(album)


def _rewritten(catalogue: Catalogue) -> str:
    """Indexes are made anew from the rows; fails where rows themselves cannot be read."""
    for statement in ("REINDEX", "VACUUM"):  # the second where pages of an index cannot even be given back
        with suppress(sqlite3.DatabaseError):
            catalogue.change(statement)
        if not (left := is_whole(catalogue)):
            return "its indexes were made anew"
    raise sqlite3.DatabaseError(f"{left[0]}: {RESTORE}")


def _ghosts(catalogue: Catalogue) -> Iterator[Finding]:
    counts: dict[tuple[str, str, int], int] = {}
    for table, _, parent, number in catalogue.rows("PRAGMA foreign_key_check"):
        counts[table, parent, number] = counts.get((table, parent, number), 0) + 1
    for (table, parent, number), count in sorted(counts.items()):
        detail = f"{count:,} rows of {table} belong to {parent} that are not there"
        if table == "posts":  # never thrown away
            yield Finding("ghost", WHERE, f"{detail}: {RESTORE}", count)
        else:
            yield Finding("ghost", WHERE, detail, count, _Exorcism(catalogue, table, parent, number))


class _Exorcism:
    """Takes out a table's rows whose parents are not there."""

    def __init__(self, catalogue: Catalogue, table: str, parent: str, number: int) -> None:
        self.catalogue, self.table, self.parent, self.number = catalogue, table, parent, number

    def __call__(self) -> str:
        """Do it; what was done."""
        found = self.catalogue.rows(
            'SELECT "from", "to", on_delete FROM pragma_foreign_key_list(?) WHERE id = ? ORDER BY seq',
            self.table, self.number,
        )  # fmt: skip
        own_key = self.catalogue.rows(
            "SELECT name FROM pragma_table_info(?) WHERE pk ORDER BY pk", self.parent
        )
        pairs = [
            (child, given or key)
            for (child, given, _), (key,) in zip(found, own_key[: len(found)], strict=True)
        ]
        alone = (
            f"{self.table}.{pairs[0][0]} IS NOT NULL "
            f"AND NOT EXISTS (SELECT 1 FROM {self.parent} AS parent WHERE "
            + " AND ".join(f"parent.{key} = {self.table}.{child}" for child, key in pairs)
            + ")"
        )
        with self.catalogue.transaction():
            if found[0][2] == "SET NULL":
                self.catalogue.change(f"UPDATE {self.table} SET {pairs[0][0]} = NULL WHERE {alone}")
            else:
                self.catalogue.change(f"DELETE FROM {self.table} WHERE {alone}")
        return "taken out"


def _sequence(catalogue: Catalogue) -> Iterator[Finding]:
    keys = "(SELECT key FROM posts UNION ALL SELECT key FROM changes)"
    last = catalogue.rows(f"SELECT coalesce(max(key), 0) FROM {keys}")[0][0]
    told = catalogue.rows("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'posts'")[0][0]

    def mend() -> str:
        with catalogue.transaction():
            catalogue.change("DELETE FROM sqlite_sequence WHERE name = 'posts'")
            catalogue.change("INSERT INTO sqlite_sequence VALUES ('posts', ?)", last)
        return f"the next key comes after {last}"

    if told < last:
        yield Finding("key-sequence", WHERE, f"keys up to {last} were given, {told} are counted", mend=mend)


def _full_text(album: Checked) -> Iterator[Finding]:
    catalogue = album.catalogue

    def mend() -> str:
        with catalogue.transaction():
            ((sql,),) = catalogue.rows("SELECT sql FROM sqlite_master WHERE name = 'words'")
            catalogue.change("DROP TABLE words")
            catalogue.change(sql)
            catalogue.change(f"INSERT INTO words (rowid, captions, tags) {WORDS}")
        return "made anew from the captions and tags"

    if (wrong := _full_text_is_wrong(album)) is not None:
        yield Finding("full-text", WHERE, wrong, mend=mend)


WORDS = "SELECT key, captions, tags FROM wording WHERE captions != '' OR tags != ''"


def _full_text_is_wrong(album: Checked) -> str | None:
    catalogue, indexed = album.catalogue, "SELECT rowid, captions, tags FROM words"
    try:
        if album.alone:  # it is asked by a statement that writes, though it writes nothing
            with catalogue.transaction():
                catalogue.change("INSERT INTO words (words) VALUES ('integrity-check')")
        with catalogue.snapshot():
            differ = sum(
                catalogue.rows(f"SELECT count(*) FROM ({one} EXCEPT {other})")[0][0]
                for one, other in ((indexed, WORDS), (WORDS, indexed))
            )
    except sqlite3.DatabaseError as error:
        return str(error)
    return f"{differ:,} posts' words are not as indexed" if differ else None
