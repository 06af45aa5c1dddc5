"""Albums of older formats open with this program, which says so in album.json; whatever stops it midway."""

from __future__ import annotations

import json
import sqlite3

import pytest

from cartolina.album import Album
from cartolina.album.album import FORMAT, OLDEST_READER
from cartolina.album.catalogue import Catalogue
from cartolina.album.schema import MIGRATIONS
from cartolina.errors import AlbumError, InputError


@pytest.fixture
def first_format(tmp_path):
    """An album as the first format had it, with one post that came as bytes."""
    path = tmp_path / "old.album"
    path.mkdir()
    own = path / "pictures" / "c0"
    data = sqlite3.connect(path / "album.sqlite")
    data.executescript(f"{MIGRATIONS[0]}; PRAGMA user_version = 1; PRAGMA journal_mode = WAL")
    data.execute("INSERT INTO sources VALUES (1, '/zip', 'folder', 0, '')")
    data.execute(
        "INSERT INTO posts "
        "(key, id, source, source_id, image, within, content_hash, size, mtime, digest, added) "
        "VALUES (1, 'a', 1, 'a', ?, ?, 'c0', 1, 1, '', '')",
        (str(own), str(own)),
    )
    data.execute("INSERT INTO journal (at, action, posts) VALUES ('', 'add', 1)")
    data.commit()
    data.close()
    about = {"format": 1, "oldest_reader": 1, "uuid": "u-1", "created": "2026-01-01", "settings": {"x": 1}}
    (path / "album.json").write_text(json.dumps(about))
    return path


def said(path):
    return json.loads((path / "album.json").read_text())


def test_it_is_migrated_and_says_so(first_format):
    with Album.open(first_format) as album:
        assert album.get("a").image == first_format / "pictures" / "c0"
        assert album.info()["format"] == FORMAT
        assert album._catalogue.identity() == {"uuid": "u-1", "created": "2026-01-01"}
        assert album.settings == {}
    now = {"format": FORMAT, "oldest_reader": OLDEST_READER}
    assert said(first_format) == {"uuid": "u-1", "created": "2026-01-01", "settings": {"x": 1}, **now}
    assert Catalogue(first_format / "album.sqlite").rows("SELECT image FROM posts") == [("pictures/c0",)]


def test_what_was_done_then_cannot_be_undone_but_what_is_done_now_can(first_format):
    with Album.open(first_format) as album:
        with pytest.raises(InputError, match="nothing to undo"):
            album.undo()
        album.edit(["a"], tags=["x"])
        album.undo()
        assert album.get("a").tags == ()


def test_killed_between_migrating_and_saying_so(first_format, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("cartolina.album.album.write_about", killed)
    with pytest.raises(KeyboardInterrupt):
        Album.open(first_format)
    assert said(first_format)["format"] == 1
    monkeypatch.undo()
    Album.open(first_format).close()
    assert said(first_format)["format"] == FORMAT


def test_while_another_writes_the_next_one_says_so(first_format):
    with Album.open(first_format) as album:
        stale = said(first_format) | {"format": 1}
        (first_format / "album.json").write_text(json.dumps(stale))
        with album._lock:
            Album.open(first_format).close()
            assert said(first_format)["format"] == 1
    Album.open(first_format).close()
    assert said(first_format)["format"] == FORMAT


def test_a_program_too_old_is_told(first_format, monkeypatch):
    Album.open(first_format).close()
    monkeypatch.setattr("cartolina.album.album.FORMAT", 1)
    with pytest.raises(AlbumError, match=f"reads format {OLDEST_READER}"):
        Album.open(first_format)
