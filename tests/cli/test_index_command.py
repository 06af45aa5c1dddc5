"""`cartolina index`, `--store` and the setting, as people and programs see them."""

import json
import sys

import pytest
from tiny_world import COLOURS, painted

from cartolina.album import Album


@pytest.fixture
def album(tmp_path, space):
    with Album.create(tmp_path / "A") as made:
        made.activate(space)
        made.add(painted(tmp_path / "photos", [f"{name}-{n}.png" for name in COLOURS for n in range(8)]))
    return tmp_path / "A"


def answer(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_rebuild_says_how_well_the_index_finds(cartolina, album):
    said = cartolina("index", "rebuild", album)
    assert said.exit_code == 0, said.output
    assert "40 vectors in" in said.stdout
    assert "100.0% of the first 10" in said.stdout
    assert f"cartolina settings {album} store=qdrant" in said.stdout
    index = answer(cartolina("index", "rebuild", album, "--json"))
    assert (index["posts"], index["behind"], index["recall"]["sums"]["at_10"]) == (40, 0, 1.0)


def test_who_is_asked_is_a_flag_or_a_setting(cartolina, album):
    exactly = answer(cartolina("search", album, "red", "--json"))
    assert exactly["notes"] == []
    (note,) = answer(cartolina("search", album, "red", "--json", "--store", "qdrant"))["notes"]
    assert "cartolina index rebuild" in note
    cartolina("index", "rebuild", album)
    assert answer(cartolina("search", album, "red", "--json", "--store", "qdrant")) == exactly
    assert answer(cartolina("info", album, "--json"))["search"]["store"] == "exact"
    assert cartolina("settings", album, "store=qdrant").exit_code == 0
    assert answer(cartolina("info", album, "--json"))["search"]["store"] == "qdrant"
    assert "by an index of 40 vectors" in cartolina("info", album).stdout
    wrong = cartolina("search", album, "red", "--store", "qdrnt")
    assert wrong.exit_code == 2
    assert "did you mean 'qdrant'" in wrong.stderr


def test_add_tends_the_index_that_a_setting_asks_for(cartolina, album):
    cartolina("settings", album, "store=qdrant")
    painted(album.parent / "more", ["red-99.png"])
    assert cartolina("add", album, album.parent / "more").exit_code == 0
    index = answer(cartolina("info", album, "--json"))["search"]["index"]
    assert (index["posts"], index["behind"]) == (41, 0)


def test_drop(cartolina, album):
    cartolina("index", "rebuild", album)
    assert answer(cartolina("index", "drop", album, "--json")) == {"dropped": True}
    assert "There was no index" in cartolina("index", "drop", album).stdout


def test_without_the_package(cartolina, album, monkeypatch):
    monkeypatch.setitem(sys.modules, "qdrant_edge", None)
    said = cartolina("index", "rebuild", album)
    assert said.exit_code == 3
    assert "pip install 'cartolina[scale]'" in said.stderr
