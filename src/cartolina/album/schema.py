"""The catalogue's tables, a migration per format version. One that was released is never edited again."""

from __future__ import annotations

from cartolina.album.remembering import remembering

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

    -- What is said of each post, as told() spells it (album/spelt.py), and its index: one document a post
    -- that has any words, so that captions and tags have one relevance. It is cut at spaces and stemmed.
    DROP TRIGGER caption_added;
    DROP TRIGGER caption_removed;
    DROP TABLE words;
    CREATE VIEW wording AS SELECT
        key,
        told((SELECT json_group_array(text) FROM (
            SELECT text FROM captions WHERE captions.key = posts.key ORDER BY position))) AS captions,
        told((SELECT json_group_array(tag) FROM (
            SELECT tag FROM tags WHERE tags.key = posts.key ORDER BY position))) AS tags
        FROM posts;
    CREATE VIRTUAL TABLE words USING fts5 (captions, tags, tokenize = 'porter ascii');
    CREATE TRIGGER post_removed AFTER DELETE ON posts BEGIN
        DELETE FROM words WHERE rowid = old.key;
    END;
    INSERT INTO words (rowid, captions, tags) SELECT * FROM wording WHERE captions != '' OR tags != '';

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

    -- What an action changed, so that it can be taken back (album/history.py).
    ALTER TABLE journal ADD COLUMN undone INTEGER REFERENCES journal ON DELETE SET NULL;  -- by this entry
    ALTER TABLE journal ADD COLUMN kept INTEGER NOT NULL DEFAULT -1;  -- former posts kept; -1: nothing is
    ALTER TABLE journal ADD COLUMN space TEXT;          -- the space it made the active one,
    ALTER TABLE journal ADD COLUMN former_space TEXT;   -- and the one before
    UPDATE journal SET space = detail WHERE action = 'activate';
    CREATE TABLE recording (entry INTEGER NOT NULL);    -- of the transaction under way; empty outside
    CREATE TABLE changes (
        entry INTEGER NOT NULL REFERENCES journal ON DELETE CASCADE,
        key INTEGER NOT NULL,
        was_there INTEGER NOT NULL,         -- whether there was such a post before
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

    -- The album's own pictures are named relative to it, so that it can be moved.
    UPDATE posts SET image = 'pictures/' || content_hash, within = source_id
    WHERE image = own_pictures() || '/' || content_hash;

    -- A compaction gives the numbers of segments anew: no former vector may outlive its segment.
    CREATE TRIGGER segment_goes BEFORE DELETE ON segments BEGIN
        DELETE FROM former_vectors WHERE space = old.space AND segment = old.segment;
    END;
    """  # noqa: S608 - our own names
    + remembering(),
)
