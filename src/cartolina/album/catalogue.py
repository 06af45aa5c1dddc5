"""The catalogue: one SQLite file that is the truth about an album.

Write-ahead logging lets readers go on while one writer writes; `synchronous = FULL` makes a committed
transaction survive a power cut; foreign keys see to it that nothing outlives its post. Every write happens
inside `transaction()`, reads that belong together inside `snapshot()`.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cartolina.album.edits import OPPOSITE, Edits
from cartolina.album.entry import (
    Entry,
    Known,
    Lacking,
    Stored,
    folded,
    path_from,
    path_value,
    said_by,
    saying,
    storable,
    united,
    way,
)
from cartolina.album.remembering import FORMER_ROWS
from cartolina.album.schema import MIGRATIONS
from cartolina.album.spelt import told
from cartolina.datasets import Dataset
from cartolina.errors import AlbumError
from cartolina.post import Place, Post
from cartolina.store.contract import Keys
from cartolina.store.segments import CAPACITY

__all__ = ["Catalogue", "Reading", "SourceRow", "folded", "now"]


class SourceRow(NamedTuple):
    """A source: its number, where it is, and the reader that read it last."""

    number: int
    root: Path
    format: str


class Reading(NamedTuple):
    """How a source was read: what `open_dataset` was given, and the split (None: all of it)."""

    path: Path
    format: str
    columns: tuple[tuple[str, str], ...]
    split: str | None


class Catalogue:
    """The SQLite file at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = _connect(path)
        self._action: tuple[str, str] | None = None
        self._entry: int | None = None

    @classmethod
    def create(cls, path: Path) -> Catalogue:
        """A new, empty catalogue."""
        path.touch()
        catalogue = cls(path)
        catalogue._connection.execute("PRAGMA journal_mode = WAL")
        catalogue._migrate()
        return catalogue

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection itself, for a copy of the whole file."""
        return self._connection

    @property
    def version(self) -> int:
        """The format version of the file; ours is `len(MIGRATIONS)`."""
        return int(self._value("PRAGMA user_version"))

    def migrate(self) -> None:
        """Bring the file to our version, one migration a transaction. Only under the album's lock.

        Raises `AlbumError` for an empty file: what was in it is lost, and nothing may look like an album.
        """
        if self.version == 0:
            raise AlbumError(f"{self.path} is empty, its posts are lost: restore it from a backup")
        self._migrate()

    def _migrate(self) -> None:
        self._connection.create_function("own_pictures", 0, lambda: str(self.path.parent / "pictures"))
        for number in range(self.version, len(MIGRATIONS)):
            steps = f"BEGIN IMMEDIATE;\n{MIGRATIONS[number]};\nPRAGMA user_version = {number + 1};\nCOMMIT;"
            try:
                self._connection.executescript(steps)
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside becomes true together, durably, at its end; or nothing does."""
        entry = self._entry
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._begin_recording()
            yield
            self._end_recording()
            self._connection.execute("COMMIT")
        except BaseException:
            self._entry = entry
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def action(self, name: str, detail: str = "") -> Iterator[None]:
        """What is changed inside, in however many transactions, is one journal entry and can be undone.

        An action inside an action is part of it. Killed on the way, the entry has what was acknowledged.
        """
        if self._action:
            yield
            return
        self._action = (name, detail)
        try:
            yield
        finally:
            self._action = self._entry = None

    def _begin_recording(self) -> None:
        """Let the schema's triggers note what is changed as part of the action under way."""
        if self._action is None:
            return
        # What another process did meanwhile was done to what we left: it is taken back before the rest of us.
        if self._entry is None or self._value(
            "SELECT 1 FROM journal WHERE entry > ? AND kept >= 0", self._entry
        ):
            self._connection.execute(
                "INSERT INTO journal (at, action, posts, detail, kept) VALUES (?, ?, 0, ?, 0)",
                (now(), *self._action),
            )
            self._entry = int(self._value("SELECT max(entry) FROM journal"))
        self._connection.execute("INSERT INTO recording VALUES (?)", (self._entry,))

    def _end_recording(self) -> None:
        if self._action is None:
            return
        self._connection.execute("DELETE FROM recording")
        nothing = " AND ".join(
            f"NOT EXISTS (SELECT 1 FROM former_{name} WHERE entry = ?1)"  # noqa: S608 - our own names
            for name in FORMER_ROWS
        )
        idle = self._connection.execute(
            f"DELETE FROM journal WHERE entry = ?1 AND posts = 0 AND space IS NULL AND action != 'undo' AND {nothing}",  # noqa: S608, E501
            (self._entry,),
        )
        if idle.rowcount:
            self._entry = None

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Everything read inside is of one moment, whatever a writer commits meanwhile; may be nested."""
        if self._connection.in_transaction:
            yield
            return
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("COMMIT")

    def moment(self) -> int:
        """A number that changes when another connection has committed something. Within a snapshot."""
        # The first read of a snapshot fixes it; data_version alone would not.
        self._connection.execute("SELECT 1 FROM settings LIMIT 1").fetchone()
        return int(self._value("PRAGMA data_version"))

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """All rows of a SELECT; lists among the parameters are for `IN (SELECT value FROM json_each(?))`."""
        given = [json.dumps(p) if isinstance(p, list) else p for p in parameters]
        return self._connection.execute(sql, given).fetchall()

    def change(self, sql: str, *parameters: object) -> None:
        """Run a statement that writes; lists among the parameters as in `rows`. Within a transaction."""
        self._connection.execute(sql, [json.dumps(p) if isinstance(p, list) else p for p in parameters])

    def _value(self, sql: str, *parameters: object) -> Any:  # noqa: ANN401 - SQLite is dynamically typed
        row = self._connection.execute(sql, parameters).fetchone()
        return None if row is None else row[0]

    def identify(self, uuid: str, created: str) -> None:
        """Keep what album.json says of the album, so that it can be written again should it be lost."""
        with self.transaction():
            self.set_setting("uuid", uuid)
            self.set_setting("created", created)

    def identity(self) -> dict[str, str]:
        """What `identify` kept; an album of the first format may have nothing."""
        return dict(self.rows("SELECT name, value FROM settings WHERE name IN ('uuid', 'created')"))

    def settings(self) -> dict[str, str]:
        """What the album's owner has set, as text by name."""
        own = "('active_space', 'uuid', 'created')"
        return dict(self.rows(f"SELECT name, value FROM settings WHERE name NOT IN {own}"))  # noqa: S608

    def set_setting(self, name: str, value: str | None) -> None:
        """Set one; None forgets it."""
        if value is None:
            self._connection.execute("DELETE FROM settings WHERE name = ?", (name,))
        else:
            self._connection.execute("REPLACE INTO settings VALUES (?, ?)", (name, value))

    # Posts

    def source(self, root: Path, name: str, stable_ids: bool) -> tuple[int, bool]:
        """The number of the source at `root`, read as format `name`, and whether it has no posts yet."""
        self._connection.execute(
            "INSERT INTO sources (root, format, stable_ids, added) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (root) DO UPDATE SET format = excluded.format, stable_ids = excluded.stable_ids",
            (path_value(root), name, stable_ids, now()),
        )
        source = int(self._value("SELECT source FROM sources WHERE root = ?", path_value(root)))
        return source, self._value("SELECT 1 FROM posts WHERE source = ?", source) is None

    def root(self, source: int) -> Path:
        """Where a source is."""
        return path_from(self._value("SELECT root FROM sources WHERE source = ?", source))

    def remember_reading(self, source: int, dataset: Dataset, split: str | None) -> None:
        """Note how a source is read, so that it can be read again likewise."""
        if dataset.path is not None:
            self.change(
                "INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?, ?, ?)",
                source, path_value(dataset.path), dataset.format,
                json.dumps(dict(dataset.columns or {}), sort_keys=True), split or "", now(),
            )  # fmt: skip

    def sources(self) -> list[SourceRow]:
        """All sources, in the order they came."""
        found = self.rows("SELECT source, root, format FROM sources ORDER BY source")
        return [SourceRow(number, path_from(root), name) for number, root, name in found]

    def readings(self, source: SourceRow) -> list[Reading]:
        """How a source was read, oldest first; of albums older than that is noted, what it must have been."""
        found = self.rows(
            "SELECT path, format, columns, split FROM readings WHERE source = ? ORDER BY at, path, split",
            source.number,
        )
        if not found:
            return [Reading(source.root, source.format, (), None)]
        return [
            Reading(path_from(path), name, tuple(json.loads(columns).items()), split or None)
            for path, name, columns, split in found
        ]

    def source_counts(self, source: int) -> tuple[int, int]:
        """How many posts have their own file in a source, and how many of them are offline."""
        sql = "SELECT count(*), count(offline) FROM posts WHERE source = ?"
        posts, offline = self.rows(sql, source)[0]
        return posts, offline

    def forget_empty_source(self, source: int) -> None:
        """Look no more for a source of which the album has no file."""
        if not self.files_of(source):
            with self.transaction():
                self.change("DELETE FROM sources WHERE source = ?", source)

    def files_of(self, source: int) -> list[tuple[str, int, bool]]:
        """A source's files: id there, key of the post, whether it is a copy."""
        found = self.rows(
            "SELECT source_id, key, 0 FROM posts WHERE source = ?1 "
            "UNION ALL SELECT source_id, key, 1 FROM copies WHERE source = ?1",
            source,
        )
        return [(name, key, bool(is_copy)) for name, key, is_copy in found]

    def with_copies(self, source: int) -> list[int]:
        """The posts whose own file is in a source and which have copies."""
        sql = "SELECT key FROM posts WHERE source = ? AND key IN (SELECT key FROM copies) ORDER BY key"
        return [key for (key,) in self.rows(sql, source)]

    def offline_of(self, source: int | None = None) -> list[int]:
        """The posts of a source (None: of all) whose pictures are missing, ascending."""
        sql = "SELECT key FROM posts WHERE offline IS NOT NULL AND ?1 IN (source, -1) ORDER BY key"
        return [key for (key,) in self.rows(sql, -1 if source is None else source)]

    def online(self, keys: Sequence[int]) -> list[int]:
        """Those of `keys` that are not offline."""
        inside = "key IN (SELECT value FROM json_each(?))"
        sql = f"SELECT key FROM posts WHERE offline IS NULL AND {inside}"  # noqa: S608
        return [key for (key,) in self.rows(sql, list(keys))]

    def known(self, source: int, source_ids: Sequence[str], space: int | None) -> dict[str, Known]:
        """Those of a source's files that are in the album already, by the id the source gives them."""
        wanted = [storable(name) for name in source_ids]
        has_vector = "EXISTS (SELECT 1 FROM vectors WHERE vectors.key = posts.key AND space = ?)"
        inside = "IN (SELECT value FROM json_each(?))"
        found = self.rows(
            f"SELECT source_id, size, mtime, digest, beside, key, id, offline, 0, {has_vector} "  # noqa: S608
            f"FROM posts WHERE source = ? AND source_id {inside} "
            "UNION ALL "
            "SELECT c.source_id, c.size, c.mtime, c.digest, c.beside, key, id, offline, 1, "
            f"{has_vector} FROM copies c JOIN posts USING (key) "
            f"WHERE c.source = ? AND c.source_id {inside}",
            space, source, wanted, space, source, wanted,
        )  # fmt: skip
        return {
            name: Known(size, mtime, digest, beside, key, post, offline is not None, bool(is_copy), bool(has))
            for name, size, mtime, digest, beside, key, post, offline, is_copy, has in found
        }

    def put(self, entry: Entry) -> Stored:
        """Insert or replace a post; its picture is there.

        An id of another source is taken over where ids are the data's own (`stable_ids`); elsewhere it is
        chance (two folders with a `photo1.jpg`), and the new post is called `<source folder>/<id>`.
        """
        former = self._former(entry)
        key, name, former_hash = former or (None, self._free_id(entry), None)
        values = {
            "id": name,
            "source": entry.source,
            "source_id": entry.post.id,
            "image": self.image_value(entry.image),
            "within": self.image_value(self.within(entry)),
            "content_hash": entry.content_hash,
            "size": entry.size,
            "mtime": entry.mtime,
            "digest": entry.digest,
            "beside": entry.beside,
            "offline": None,
        }
        if key is None:
            values["added"] = now()
            marks = ", ".join("?" * len(values))
            cursor = self._connection.execute(
                f"INSERT INTO posts ({', '.join(values)}) VALUES ({marks})",  # noqa: S608 - our own names
                tuple(values.values()),
            )
            key = int(cursor.lastrowid or 0)
        else:
            changes = ", ".join(f"{column} = ?" for column in values)
            self._connection.execute(
                f"UPDATE posts SET {changes} WHERE key = ?",  # noqa: S608 - our own names
                (*values.values(), key),
            )
        self.say(key, entry.post)
        return Stored(key, name, former_hash)

    def say(self, key: int, own: Post) -> None:
        """Write what is said of a post: by its `own` file, by its copies, by hand."""
        copies = self.rows("SELECT said FROM copies WHERE key = ? ORDER BY source, source_id", key)
        assert isinstance(own.image, Path)
        post = united([own, *(said_by(own.id, own.image, said) for (said,) in copies)]) if copies else own
        edits = self.edits([key])[key]
        post = edits.applied(post)
        place = post.place
        self._connection.execute(
            "UPDATE posts SET taken = ?, lat = ?, lon = ?, said = ? WHERE key = ?",
            (
                post.taken.isoformat() if post.taken else None,
                place.lat if place else None,
                place.lon if place else None,
                saying(own) if copies or edits != Edits() else None,
                key,
            ),
        )
        for table in ("captions", "tags", "labels"):
            self._connection.execute(f"DELETE FROM {table} WHERE key = ?", (key,))  # noqa: S608
        self._put_words(key, post)

    def own(self, key: int) -> Post:
        """A post as its own file has it, without what copies add or was said by hand."""
        post = self.posts([key])[key]
        said = self._value("SELECT said FROM posts WHERE key = ?", key)
        assert isinstance(post.image, Path)
        return post if said is None else said_by(post.id, post.image, said)

    def is_own(self, image: Path) -> bool:
        """Whether a picture is the album's own, a copy of what came as bytes."""
        return image.parent == self.path.parent / "pictures"

    def image_value(self, image: Path) -> str | bytes:
        """A picture's path for SQLite; the album's own are named relative to it, so that it can be moved."""
        return f"pictures/{image.name}" if self.is_own(image) else path_value(image)

    def image_from(self, value: str | bytes) -> Path:
        """The path `image_value` wrote."""
        return self.path.parent / path_from(value)

    def within(self, entry: Entry) -> Path:
        """The picture's path, relative to the source's root where it lies there, also in an archive."""
        if self.is_own(entry.image):
            return Path(entry.post.id)
        root = self.root(entry.source)
        return entry.image.relative_to(root) if entry.image.is_relative_to(root) else entry.image

    def _former(self, entry: Entry) -> tuple[int, str, str] | None:
        rows = self.rows(
            "SELECT key, id, content_hash FROM posts WHERE source = ? AND source_id = ?",
            entry.source, entry.post.id,
        ) or self.rows(
            "SELECT key, id, content_hash FROM posts WHERE id = ? "
            "AND (SELECT stable_ids FROM sources WHERE source = ?)",
            entry.post.id, entry.source,
        )  # fmt: skip
        return (int(rows[0][0]), rows[0][1], rows[0][2]) if rows else None

    def _free_id(self, entry: Entry) -> str:
        def taken(name: str) -> bool:
            return self._value("SELECT 1 FROM posts WHERE id = ?", name) is not None

        if not taken(entry.post.id):
            return entry.post.id
        root = self.root(entry.source)
        name = wanted = storable(f"{root.name}/{entry.post.id}")
        number = 2
        while taken(name):
            name, number = f"{wanted} ({number})", number + 1
        return name

    def edits(self, keys: Sequence[int]) -> dict[int, Edits]:
        """What was said by hand of each of `keys`."""
        said: dict[int, list[tuple[str, str]]] = {key: [] for key in keys}
        sql = "SELECT key, field, value FROM edits WHERE key IN (SELECT value FROM json_each(?)) ORDER BY at"
        for key, *row in self.rows(sql, list(keys)):
            said[key].append((row[0], row[1]))
        return {key: Edits.of_rows(rows) for key, rows in said.items()}

    def edited(self) -> list[int]:
        """The keys of posts of which something was said by hand, ascending."""
        return [row[0] for row in self.rows("SELECT DISTINCT key FROM edits ORDER BY key")]

    def edit(self, keys: Sequence[int], edits: Edits) -> None:
        """Say something of posts by hand; it takes back what was said to the contrary before."""
        for key in keys:
            own = self.own(key)
            for field, value in edits.rows():
                if field == "place":
                    self._connection.execute("DELETE FROM edits WHERE key = ? AND field = ?", (key, field))
                else:
                    self._connection.execute(
                        "DELETE FROM edits WHERE key = ? AND field = ? AND value = ?",
                        (key, OPPOSITE[field], value),
                    )
                self._connection.execute("REPLACE INTO edits VALUES (?, ?, ?, ?)", (key, field, value, now()))
            self.say(key, own)

    def _put_words(self, key: int, post: Post) -> None:
        self._connection.executemany(
            "INSERT INTO captions (key, position, text) VALUES (?, ?, ?)",
            [(key, i, text) for i, text in enumerate(post.captions)],
        )
        self._connection.executemany(
            "INSERT INTO tags (key, position, tag, folded) VALUES (?, ?, ?, ?)",
            [(key, i, tag, folded(tag)) for i, tag in enumerate(post.tags)],
        )
        self._connection.executemany(
            "INSERT INTO labels (key, position, label) VALUES (?, ?, ?)",
            [(key, i, label) for i, label in enumerate(post.labels)],
        )
        self.index_words([key])

    def index_words(self, keys: Sequence[int]) -> None:
        """Bring the full-text index in step with the captions and tags of posts, whoever wrote them."""
        inside = "IN (SELECT value FROM json_each(?))"
        self.change(f"DELETE FROM words WHERE rowid {inside}", list(keys))  # noqa: S608
        self.change(
            "INSERT INTO words (rowid, captions, tags) "  # noqa: S608
            f"SELECT * FROM wording WHERE key {inside} AND (captions != '' OR tags != '')",
            list(keys),
        )

    def remove(self, keys: Iterable[int]) -> None:
        """Forget posts, their words and where their vectors are."""
        self._connection.execute(
            "DELETE FROM posts WHERE key IN (SELECT value FROM json_each(?))", (json.dumps(list(keys)),)
        )

    def keys_of(self, ids: Iterable[str]) -> dict[str, int]:
        """The keys of those of `ids` that are in the album."""
        stored = {name: storable(name) for name in ids}
        sql = "SELECT id, key FROM posts WHERE id IN (SELECT value FROM json_each(?))"
        keys = dict(self.rows(sql, list(stored.values())))
        return {given: keys[name] for given, name in stored.items() if name in keys}

    def ids_like(self, name: str, limit: int = 2000) -> list[str]:
        """Some ids that begin or contain what `name` does, for suggestions."""
        start, inside = storable(name)[:2], storable(name)[1:5]
        return [row[0] for row in self.rows(
            "SELECT id FROM posts WHERE substr(id, 1, 2) = ? OR instr(id, ?) LIMIT ?", start, inside, limit
        )]  # fmt: skip

    def posts(self, keys: Iterable[int]) -> dict[int, Post]:
        """The posts of `keys`, by key; those not there are left out."""
        wanted = [int(key) for key in keys]
        inside = "WHERE key IN (SELECT value FROM json_each(?))"
        words: dict[str, dict[int, list[str]]] = {}
        for table, column in (("captions", "text"), ("tags", "tag"), ("labels", "label")):
            words[table] = {}
            sql = f"SELECT key, {column} FROM {table} {inside} ORDER BY key, position"  # noqa: S608
            for key, text in self.rows(sql, wanted):
                words[table].setdefault(key, []).append(text)
        found = self.rows(f"SELECT key, id, image, taken, lat, lon FROM posts {inside}", wanted)  # noqa: S608
        return {
            key: Post(
                name,
                self.image_from(image),
                tuple(words["captions"].get(key, ())),
                tuple(words["tags"].get(key, ())),
                None if lat is None else Place(lat, lon),
                None if taken is None else datetime.fromisoformat(taken),
                tuple(words["labels"].get(key, ())),
            )
            for key, name, image, taken, lat, lon in found
        }

    def hashes(self, keys: Iterable[int]) -> dict[int, str]:
        """The content hashes of the pictures of `keys`."""
        sql = "SELECT key, content_hash FROM posts WHERE key IN (SELECT value FROM json_each(?))"
        return dict(self.rows(sql, list(keys)))

    def set_hashes(self, hashes: Mapping[int, str]) -> None:
        """Correct the content hashes of posts whose pictures changed after they were entered."""
        self._connection.executemany(
            "UPDATE posts SET content_hash = ? WHERE key = ? AND content_hash != ?",
            [(content, key, content) for key, content in hashes.items()],
        )

    def shows(self, image: Path) -> bool:
        """Whether a post, or a copy of one, has this picture."""
        sql = "SELECT 1 FROM posts WHERE image = ?1 UNION ALL SELECT 1 FROM copies WHERE image = ?1"
        return self._value(sql, self.image_value(image)) is not None

    def own_pictures(self) -> set[str]:
        """The names of the album's own pictures that posts and copies show, or did and may again."""
        tables = ("posts", "copies", "former_posts", "former_copies")
        sql = " UNION ".join(f"SELECT image FROM {name} WHERE image LIKE '%pictures/%'" for name in tables)  # noqa: S608
        images = [self.image_from(image) for (image,) in self.rows(sql)]
        return {image.name for image in images if self.is_own(image)}

    def all_keys(self) -> Keys:
        """The keys of all posts whose pictures are there, ascending."""
        return _column(self.rows("SELECT key FROM posts WHERE offline IS NULL ORDER BY key"))

    def __len__(self) -> int:
        """How many posts there are whose pictures are there."""
        return int(self._value("SELECT count(*) FROM posts WHERE offline IS NULL"))

    # Spaces and vectors

    def space(self, fingerprint: str, dim: int) -> int:
        """The number of the space in `spaces/<fingerprint>`; entered if it is new."""
        self._connection.execute(
            "INSERT INTO spaces (fingerprint, dim, added) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (fingerprint, dim, now()),
        )
        return int(self._value("SELECT space FROM spaces WHERE fingerprint = ?", fingerprint))

    def space_number(self, fingerprint: str) -> int | None:
        """The number of a space, or None if the album has none of this fingerprint."""
        found = self._value("SELECT space FROM spaces WHERE fingerprint = ?", fingerprint)
        return None if found is None else int(found)

    def active_space(self) -> tuple[int, str] | None:
        """Number and fingerprint of the space that is searched, or None if there is none yet."""
        rows = self.rows(
            "SELECT space, fingerprint FROM spaces "
            "WHERE fingerprint = (SELECT value FROM settings WHERE name = 'active_space')"
        )
        return (int(rows[0][0]), rows[0][1]) if rows else None

    def set_active_space(self, fingerprint: str | None) -> None:
        """Swap the space that is searched."""
        self.change(
            "UPDATE journal SET former_space = CASE WHEN space IS NULL THEN "
            "(SELECT value FROM settings WHERE name = 'active_space') ELSE former_space END, space = ? "
            "WHERE entry IN (SELECT entry FROM recording)",
            fingerprint or "",
        )
        self.set_setting("active_space", fingerprint)

    def placement(self, space: int, *, also_offline: bool = False) -> tuple[dict[int, int], Keys, Keys]:
        """Where a space's vectors are: rows of each segment, keys (N,) ascending, positions (N,).

        Those of posts that are offline are left out unless asked for: to a store they are holes.
        """
        with self.snapshot():
            segments = dict(self.rows("SELECT segment, rows FROM segments WHERE space = ?", space))
            found = self.rows(
                f"SELECT key, segment * {CAPACITY} + row FROM vectors WHERE space = ? AND key NOT IN "  # noqa: S608
                "(SELECT key FROM posts WHERE offline IS NOT NULL AND NOT ?) ORDER BY key",
                space,
                also_offline,
            )
        both = np.array(found, np.int64).reshape(-1, 2)
        return segments, both[:, 0].copy(), both[:, 1].copy()

    def place(self, space: int, segments: Mapping[int, int], keys: Keys, positions: Keys) -> None:
        """Vectors of `keys` (N,) now lie at `positions` (N,) of a space whose segments have so many rows."""
        self._connection.executemany(
            "INSERT INTO segments VALUES (?, ?, ?) "
            "ON CONFLICT (space, segment) DO UPDATE SET rows = excluded.rows",
            [(space, number, rows) for number, rows in segments.items()],
        )
        self._connection.executemany(
            "INSERT INTO vectors VALUES (?, ?, ?, ?) "
            "ON CONFLICT (space, key) DO UPDATE SET segment = excluded.segment, row = excluded.row",
            [
                (space, key, position // CAPACITY, position % CAPACITY)
                for key, position in zip(keys.tolist(), positions.tolist(), strict=True)
            ],
        )

    def forget_segments(self, space: int, kept: Iterable[int]) -> None:
        """Drop a space's segments that are not `kept` (no vector lies there any more)."""
        self._connection.execute(
            "DELETE FROM segments WHERE space = ? AND segment NOT IN (SELECT value FROM json_each(?))",
            (space, json.dumps(list(kept))),
        )

    def has_vector(self, space: int, key: int) -> bool:
        """Whether a post has a vector in a space."""
        return self._value("SELECT 1 FROM vectors WHERE space = ? AND key = ?", space, key) is not None

    def forget_vectors(self, key: int) -> None:
        """A post's picture has changed: its vectors, in every space, are no longer its own."""
        self._connection.execute("DELETE FROM vectors WHERE key = ?", (key,))

    def without_vector(self, space: int) -> list[Lacking]:
        """The posts that have no vector in a space though their pictures are there, oldest first."""
        found = self.rows(
            "SELECT key, id, image, content_hash FROM posts WHERE key NOT IN "
            "(SELECT key FROM vectors WHERE space = ?) AND offline IS NULL ORDER BY key",
            space,
        )
        return [Lacking(key, name, self.image_from(image), content) for key, name, image, content in found]

    def note(self, action: str, posts: int, detail: str = "") -> None:
        """Write a line into the journal of what cannot be taken back."""
        self._connection.execute(
            "INSERT INTO journal (at, action, posts, detail) VALUES (?, ?, ?, ?)",
            (now(), action, posts, detail),
        )


def now() -> str:
    """The time as the catalogue writes it: ISO 8601, UTC, seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _connect(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise AlbumError(f"{path} is missing: restore it from a backup or build the album again")
    # SQLite writes beside the file even to read it; where nobody may write, nobody else does either.
    frozen = not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists()
    address = path.absolute().as_uri() + ("?immutable=1" if frozen else "")
    try:
        connection = sqlite3.connect(address, uri=True, timeout=60, isolation_level=None)
        connection.create_function("told", 1, lambda texts: told(json.loads(texts)), deterministic=True)
        connection.create_function("way", 2, way, deterministic=True)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise AlbumError(f"{path} cannot be read as SQLite ({error}): restore it from a backup") from error
    return connection


def _column(rows: list[tuple[Any, ...]]) -> Keys:
    return np.fromiter((row[0] for row in rows), np.int64, len(rows))
