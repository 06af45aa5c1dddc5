"""An album of plain colours (tests/album/tiny_world.py) on disk, and the command line to ask it with."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1] / "album"))

from tiny_world import painted, write_space

from cartolina.album import Album
from cartolina.cli.app import app

PHOTOS = ("red-1.png", "red-2.png", "green-1.png", "blue-1.png", "yellow-1.png", "purple-1.png")


@pytest.fixture(scope="session")
def space(tmp_path_factory):
    return write_space(tmp_path_factory.mktemp("cli") / "colours")


@pytest.fixture
def album(tmp_path, space):
    """The path of an album of six photos."""
    with Album.create(tmp_path / "A") as made:
        made.activate(space)
        made.add(painted(tmp_path / "photos", PHOTOS))
    return tmp_path / "A"


@pytest.fixture
def cartolina():
    """Run the command in this process: cartolina("info", album).stdout."""

    def run(*args):
        return CliRunner().invoke(app, [str(arg) for arg in args], prog_name="cartolina")

    return run
