"""The catalogue's tables, a migration per format version. One that was released is never edited again."""

from __future__ import annotations

__all__ = ["MIGRATIONS"]

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

    CREATE TABLE sources (
        source INTEGER PRIMARY KEY,
        root TEXT NOT NULL UNIQUE,          -- absolute
        format TEXT NOT NULL,               -- the reader that read it last
        stable_ids INTEGER NOT NULL,        -- whether its ids are the data's own
        added TEXT NOT NULL
    );

    -- AUTOINCREMENT: a removed post's key is never given again, so that whatever was derived from it
    -- (a vector in an index that lags behind) cannot be taken for another post's.
    CREATE TABLE posts (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        source INTEGER NOT NULL REFERENCES sources,
        source_id TEXT NOT NULL,            -- the id the source gave, where `id` had to differ
        image TEXT NOT NULL,                -- absolute path (bytes where it is not UTF-8)
        within TEXT NOT NULL,               -- the same relative to the source's root
        content_hash TEXT NOT NULL,
        size INTEGER NOT NULL,              -- bytes
        mtime INTEGER NOT NULL,             -- ns
        digest TEXT NOT NULL,               -- of the words, place, date and labels
        taken TEXT,                         -- ISO 8601
        lat REAL, lon REAL,                 -- degrees, WGS 84
        added TEXT NOT NULL,
        UNIQUE (source, source_id)
    );
    CREATE INDEX posts_by_place ON posts (lat, lon) WHERE lat IS NOT NULL;
    CREATE INDEX posts_by_date ON posts (taken) WHERE taken IS NOT NULL;

    CREATE TABLE captions (
        caption INTEGER PRIMARY KEY,
        key INTEGER NOT NULL REFERENCES posts ON DELETE CASCADE,
        position INTEGER NOT NULL,
        text TEXT NOT NULL,
        UNIQUE (key, position)
    );
    CREATE VIRTUAL TABLE words USING fts5 (
        text, content = 'captions', content_rowid = 'caption', tokenize = 'unicode61 remove_diacritics 2'
    );
    CREATE TRIGGER caption_added AFTER INSERT ON captions BEGIN
        INSERT INTO words (rowid, text) VALUES (new.caption, new.text);
    END;
    CREATE TRIGGER caption_removed AFTER DELETE ON captions BEGIN
        INSERT INTO words (words, rowid, text) VALUES ('delete', old.caption, old.text);
    END;

    CREATE TABLE tags (
        key INTEGER NOT NULL REFERENCES posts ON DELETE CASCADE,
        position INTEGER NOT NULL,
        tag TEXT NOT NULL,                  -- as given
        folded TEXT NOT NULL,               -- as compared
        PRIMARY KEY (key, position)
    ) WITHOUT ROWID;
    CREATE INDEX tags_by_name ON tags (folded);

    CREATE TABLE labels (
        key INTEGER NOT NULL REFERENCES posts ON DELETE CASCADE,
        position INTEGER NOT NULL,
        label TEXT NOT NULL,
        PRIMARY KEY (key, position)
    ) WITHOUT ROWID;

    CREATE TABLE spaces (
        space INTEGER PRIMARY KEY,
        fingerprint TEXT NOT NULL UNIQUE,   -- also its folder's name
        dim INTEGER NOT NULL,
        added TEXT NOT NULL
    );
    CREATE TABLE segments (
        space INTEGER NOT NULL REFERENCES spaces ON DELETE CASCADE,
        segment INTEGER NOT NULL,           -- 3: vectors/0003.npy
        rows INTEGER NOT NULL,              -- how many of the file's rows count
        PRIMARY KEY (space, segment)
    ) WITHOUT ROWID;
    CREATE TABLE vectors (
        space INTEGER NOT NULL,
        key INTEGER NOT NULL REFERENCES posts ON DELETE CASCADE,
        segment INTEGER NOT NULL,
        row INTEGER NOT NULL,
        PRIMARY KEY (space, key),
        UNIQUE (space, segment, row),
        FOREIGN KEY (space, segment) REFERENCES segments ON DELETE CASCADE
    ) WITHOUT ROWID;
    CREATE INDEX vectors_by_post ON vectors (key);

    CREATE TABLE journal (
        entry INTEGER PRIMARY KEY,
        at TEXT NOT NULL,
        action TEXT NOT NULL,               -- add, remove, activate, compact
        posts INTEGER NOT NULL,
        detail TEXT NOT NULL DEFAULT ''
    );
    """,
    """
    ALTER TABLE posts ADD COLUMN offline TEXT;  -- since when its picture is missing; NULL: it is there
    ALTER TABLE posts ADD COLUMN said TEXT;     -- JSON: what its own file says, where copies say more
    ALTER TABLE posts ADD COLUMN beside TEXT;   -- the sidecars when they were read (names, sizes, times)
    CREATE INDEX posts_offline ON posts (offline) WHERE offline IS NOT NULL;
    CREATE INDEX posts_by_content ON posts (content_hash);

    -- Further files with the very bytes of a post's picture: they share its row.
    CREATE TABLE copies (
        source INTEGER NOT NULL REFERENCES sources,
        source_id TEXT NOT NULL,
        key INTEGER NOT NULL REFERENCES posts ON DELETE CASCADE,
        image TEXT NOT NULL,
        within TEXT NOT NULL,
        size INTEGER NOT NULL,
        mtime INTEGER NOT NULL,
        digest TEXT NOT NULL,
        said TEXT NOT NULL,                 -- JSON: what this file alone says (words, place, date, labels)
        beside TEXT,
        PRIMARY KEY (source, source_id)
    ) WITHOUT ROWID;
    CREATE INDEX copies_by_post ON copies (key);

    -- What a person said of a post; no reading of its source takes it back.
    CREATE TABLE edits (
        key INTEGER NOT NULL REFERENCES posts ON DELETE CASCADE,
        field TEXT NOT NULL,                -- tag, untag, caption, place
        value TEXT NOT NULL,
        at TEXT NOT NULL,
        PRIMARY KEY (key, field, value)
    ) WITHOUT ROWID;

    -- How a post was before a journal entry's first change to it; NULL: it was not there.
    ALTER TABLE journal ADD COLUMN undone INTEGER REFERENCES journal ON DELETE SET NULL;
    CREATE TABLE changes (
        entry INTEGER NOT NULL REFERENCES journal ON DELETE CASCADE,
        key INTEGER NOT NULL,
        before TEXT,                        -- JSON
        PRIMARY KEY (entry, key)
    ) WITHOUT ROWID;

    -- Perceptual hashes by content; derived, may be emptied.
    CREATE TABLE looks (
        content_hash TEXT PRIMARY KEY,
        phash BLOB,                         -- 16 bytes (vision/looks.py); NULL: it is flat
        width INTEGER NOT NULL,             -- pixels, upright
        height INTEGER NOT NULL
    ) WITHOUT ROWID;

    -- How a source was read, so that sync reads what add did; split '' is all of it.
    CREATE TABLE readings (
        source INTEGER NOT NULL REFERENCES sources ON DELETE CASCADE,
        path TEXT NOT NULL,                 -- absolute
        format TEXT NOT NULL,
        columns TEXT NOT NULL,              -- JSON: role -> column
        split TEXT NOT NULL,
        at TEXT NOT NULL,
        PRIMARY KEY (source, path, format, columns, split)
    ) WITHOUT ROWID;

    -- Files whose posts a person removed: sync leaves them out, add takes them in again.
    CREATE TABLE removed (
        source INTEGER NOT NULL REFERENCES sources ON DELETE CASCADE,
        source_id TEXT NOT NULL,
        content_hash TEXT NOT NULL,
        size INTEGER NOT NULL,
        mtime INTEGER NOT NULL,
        PRIMARY KEY (source, source_id)
    ) WITHOUT ROWID;
    CREATE INDEX removed_by_content ON removed (content_hash);
    """,
)
