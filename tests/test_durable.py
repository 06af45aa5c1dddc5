import os
from pathlib import Path

import pytest

from cartolina import durable
from cartolina.errors import InputError


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


@pytest.mark.parametrize("folder", [True, False])
def test_what_is_staged_is_there_whole_or_not_at_all(tmp_path, folder):
    target = tmp_path / "new" / "made"

    def fill(made, error=None):
        if folder:
            (made / "deep").mkdir()
            (made / "deep" / "a").write_text("a")
        else:
            made.write_text("a")
        if error:
            raise error

    with pytest.raises(OSError, match="full"), durable.staged(target, folder=folder) as made:
        fill(made, OSError(28, "full"))
    assert list(target.parent.iterdir()) == []
    with durable.staged(target, folder=folder) as made:
        fill(made)
        assert not target.exists()
    assert list(target.parent.iterdir()) == [target]
    assert (target / "deep" / "a" if folder else target).read_text() == "a"
    with pytest.raises(InputError, match="is there already"), durable.staged(target, folder=folder):
        pass
    if not folder:
        with durable.staged(target, replace=True) as made:
            made.write_text("b")
        assert target.read_text() == "b"


def test_an_empty_folder_may_be_filled(tmp_path):
    (tmp_path / "made").mkdir()
    with durable.staged(tmp_path / "made", folder=True) as made:
        (made / "a").write_text("a")
    assert (tmp_path / "made" / "a").read_text() == "a"


def test_leftovers_of_the_dead_are_swept_and_those_of_the_living_are_not(tmp_path):
    dead, living = tmp_path / ".made.4194305.tmp", tmp_path / f".made.{os.getppid()}.tmp"
    for left in (dead, living):
        left.write_text("half")
    with durable.staged(tmp_path / "made") as made:
        made.write_text("a")
    assert sorted(tmp_path.iterdir()) == [living, tmp_path / "made"]
