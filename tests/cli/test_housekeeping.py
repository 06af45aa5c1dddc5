"""`duplicates` as people and programs ask for it."""

import json
import sys
from pathlib import Path

import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "vision"))

from test_looks import scene

from cartolina.album import Album
from cartolina.datasets import open_dataset


@pytest.fixture
def twice(tmp_path):
    """The path of an album with two pictures that are there twice and one that is not."""
    root = tmp_path / "photos"
    root.mkdir()
    for n in range(3):
        scene(n, (400, 300)).save(root / f"IMG {n}.jpg", quality=90)
    for n in range(2):
        scene(n, (400, 300)).resize((200, 150)).save(root / f"-small {n}.jpg", quality=90 - 60 * n)
    with Album.create(tmp_path / "A") as album:
        album.add(open_dataset(root))
    return tmp_path / "A"


def test_json_has_the_promised_keys(cartolina, twice):
    found = json.loads(cartolina("duplicates", twice, "--json", "-k", 1).stdout)
    assert (found["looked_at"], found["found"], found["by"], found["strict"]) == (5, 2, "looks", False)
    (group,) = found["groups"]
    assert group["best"]["id"] == "IMG 0.jpg"
    assert group["remove"] == ["-small 0.jpg"]
    (other,) = group["others"]
    assert (other["width"], other["height"], other["differs"]) == (200, 150, ["smaller"])
    assert other["differing_bits"] <= 2
    assert other["cosine"] is None
    assert other["bytes"] == group["spare_bytes"] == Path(other["image"]).stat().st_size
    assert found["unseen"] == []


def test_the_command_that_is_shown_removes_the_others(cartolina, twice):
    shown = cartolina("duplicates", twice).stdout
    assert "2 groups among 5 posts" in shown
    assert "Nothing was removed" in shown
    assert f"cartolina remove {twice} -- '-small 0.jpg'" in shown
    assert str(twice.parent / "photos" / "-small 0.jpg") in shown
    assert "1 removed" in cartolina("remove", twice, "--", "-small 0.jpg").stdout
    assert "1 groups among 4 posts" in cartolina("duplicates", twice, "--strict").stdout


def test_a_sheet_is_drawn(cartolina, twice, tmp_path):
    shown = cartolina("duplicates", twice, "--sheet", tmp_path / "out.png")
    assert f"Sheet: {tmp_path / 'out.png'}" in shown.stdout
    with Image.open(tmp_path / "out.png") as drawn:
        assert drawn.width > 1000
    found = json.loads(cartolina("duplicates", twice, "--sheet", tmp_path / "o.pdf", "--json").stdout)
    assert (found["sheet"], found["drawn"]) == (str(tmp_path / "o.pdf"), 2)


def test_a_sheet_without_a_format_is_told_before_any_work(cartolina, twice, tmp_path):
    refused = cartolina("duplicates", twice, "--sheet", tmp_path / "out.docx")
    assert refused.exit_code == 2
    assert "end its name in" in refused.stderr
    with Album.open(twice) as album:
        assert album._catalogue.rows("SELECT count(*) FROM looks") == [(0,)]


def test_no_duplicates(cartolina, album):
    assert "0 groups among 6 posts" in cartolina("duplicates", album).stdout
