import os
from pathlib import Path

import pytest

from cartolina import durable


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path):
    target = tmp_path / "a.json"
    durable.write_bytes(target, b"old")
    durable.write_bytes(target, b"new")
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "a.json"
    durable.write_bytes(target, b"old")

    def full_disk(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        durable.write_bytes(target, b"new")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_the_cache_folder_follows_the_environment(monkeypatch):
    monkeypatch.setenv("CARTOLINA_CACHE", "/c")
    assert durable.cache_folder() == Path("/c")
    monkeypatch.delenv("CARTOLINA_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert durable.cache_folder() == Path("/x/cartolina")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/h")
    assert durable.cache_folder() == Path("/h/.cache/cartolina")
