"""The part of the catalogue's tables that remembers how things were: `former_…` tables and their triggers.

Whatever statement changes a post, its copies, edits or words while an entry is being recorded, the schema
keeps what was there. Nobody has to remember to. It is part of a migration: once released, it stays as it is.
"""

# ruff: noqa: S608 - the names that are put together are our own

from __future__ import annotations

__all__ = ["FORMER", "FORMER_ROWS", "remembering"]

FORMER = ("posts", "copies", "edits", "captions", "tags", "labels", "vectors")
"""Tables of what a post is made of: `former_posts` … hold its rows as they were before a journal entry.

A migration that gives one of them a column gives it to its `former_` table, too.
"""

FORMER_ROWS = {
    "sources": ("source",),
    "readings": ("source", "path", "format", "columns", "split"),
    "removed": ("source", "source_id"),
}
"""Tables whose rows are noted one by one, and their keys: `was_there` tells whether there was such a row."""


def remembering() -> str:
    """Triggers that note, once an entry, how a post or a row was before the entry changed anything of it.

    Conflict clauses of the outer statement reach into triggers (`REPLACE` would make `INSERT OR IGNORE` one),
    so what is noted already is asked for, not left to a clause; asking in WHEN costs half of asking inside.
    """

    def note(name: str, event: str, key: str, was_there: int = 1) -> str:
        noted = f"SELECT 1 FROM recording r JOIN changes c ON c.entry = r.entry AND c.key = {key}"
        return (
            f"CREATE TRIGGER {name} {event} WHEN NOT EXISTS ({noted}) BEGIN "
            f"INSERT INTO changes SELECT entry, {key}, {was_there} FROM recording; END;"
        )

    def after(name: str, event: str, steps: list[str]) -> str:
        return f"CREATE TRIGGER {name} AFTER {event} BEGIN {' '.join(steps)} END;"

    # Without the cast the column has no affinity, and a comparison with an integer column uses no index.
    tables = [
        f"CREATE TABLE former_{name} AS SELECT CAST(0 AS INTEGER) AS entry, * FROM {name} WHERE 0;"
        for name in FORMER
    ]
    tables += [f"CREATE INDEX former_{name}_by_entry ON former_{name} (entry, key);" for name in FORMER]
    triggers = [
        note("post_entered", "AFTER INSERT ON posts", "new.key", was_there=0),
        note("post_changes", "BEFORE UPDATE ON posts", "old.key"),
        note("post_goes", "BEFORE DELETE ON posts", "old.key"),
    ]
    for name in FORMER[1:-1]:
        triggers += [
            note(f"{name}_enter", f"BEFORE INSERT ON {name}", "new.key"),
            note(f"{name}_change", f"BEFORE UPDATE ON {name}", "old.key"),
            note(f"{name}_move", f"BEFORE UPDATE OF key ON {name}", "new.key"),
            note(f"{name}_go", f"BEFORE DELETE ON {name}", "old.key"),
        ]
    keep = [
        f"INSERT INTO former_{name} SELECT new.entry, * FROM {name} WHERE key = new.key;" for name in FORMER
    ]
    drop = [f"DELETE FROM former_{name} WHERE entry = old.entry AND key = old.key;" for name in FORMER]
    count = "UPDATE journal SET posts = posts + 1, kept = kept + new.was_there WHERE entry = new.entry;"
    triggers += [
        after("change_counted", "INSERT ON changes", [count]),
        after("change_noted", "INSERT ON changes WHEN new.was_there", keep),
        after("change_forgotten", "DELETE ON changes WHEN old.was_there", drop),
    ]
    for name, columns in FORMER_ROWS.items():
        tables.append(
            f"CREATE TABLE former_{name} AS "
            f"SELECT CAST(0 AS INTEGER) AS entry, 0 AS was_there, * FROM {name} WHERE 0;"
        )
        tables.append(f"CREATE INDEX former_{name}_by_entry ON former_{name} (entry, {', '.join(columns)});")
        triggers += _row_triggers(name, columns)
    return "\n".join([*tables, *triggers])


def _row_triggers(name: str, columns: tuple[str, ...]) -> list[str]:
    def same(one: str, other: str) -> str:
        return " AND ".join(f"{one}.{column} = {other}.{column}" for column in columns)

    # A source's number is known only once it is there; of the others, REPLACE may find one that was there.
    when = "AFTER" if name == "sources" else "BEFORE"
    was_there = "0" if name == "sources" else f"EXISTS (SELECT 1 FROM {name} t WHERE {same('t', 'new')})"
    noted = f"EXISTS (SELECT 1 FROM former_{name} f WHERE f.entry = r.entry AND {{}})"
    keys, new = ", ".join(columns), ", ".join(f"new.{column}" for column in columns)
    return [
        f"CREATE TRIGGER {name}_come {when} INSERT ON {name} WHEN NOT {was_there} BEGIN "
        f"INSERT INTO former_{name} (entry, was_there, {keys}) SELECT entry, 0, {new} FROM recording r "
        f"WHERE NOT {noted.format(same('f', 'new'))}; END;",
        f"CREATE TRIGGER {name}_go BEFORE DELETE ON {name} BEGIN "
        f"INSERT INTO former_{name} SELECT entry, 1, t.* FROM recording r JOIN {name} t "
        f"ON {same('t', 'old')} WHERE NOT {noted.format(same('f', 'old'))}; END;",
    ]
