"""Spaces are written once a session; every test gets an album of its own."""

from __future__ import annotations

import pytest
from tiny_world import write_space

from cartolina.album import Album


@pytest.fixture(scope="session")
def space_folder(tmp_path_factory):
    return write_space(tmp_path_factory.mktemp("spaces") / "colours")


@pytest.fixture(scope="session")
def turned_space_folder(tmp_path_factory):
    return write_space(tmp_path_factory.mktemp("spaces") / "turned", views=("plain", "mirror"), turned=True)


@pytest.fixture
def album(tmp_path, space_folder):
    """An empty album that has learnt the colours."""
    with Album.create(tmp_path / "test.album") as made:
        made.activate(space_folder)
        yield made
