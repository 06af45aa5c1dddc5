"""`sync` and `remove` as people and programs see them."""

import json

import pytest
from tiny_world import paint

from cartolina.album import Album
from cartolina.datasets import open_dataset


@pytest.fixture
def album(tmp_path, space):
    """An album that read its twelve photos from a folder."""
    for number in range(6):
        for colour in ("red", "blue"):
            paint(tmp_path / "photos" / f"{colour}-{number}.png", colour)
    with Album.create(tmp_path / "A") as made:
        made.activate(space)
        made.add(open_dataset(tmp_path / "photos"))
    return tmp_path / "A"


def answer(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_sync_says_what_changed_and_where(cartolina, album):
    photos = album.parent / "photos"
    (photos / "red-1.png").unlink()
    paint(photos / "green-1.png", "green")
    report = answer(cartolina("sync", album, "--json", "--quiet"))
    assert (report["added"], report["offline"], report["unchanged"], report["posts"]) == (1, 1, 11, 12)
    assert report["sources"] == [
        {"root": str(photos), "state": "read", "why": "", "posts": 13, "offline": 1, "may_be_pruned": True}
    ]
    assert "1 of 13 posts are offline" in cartolina("sync", album).stdout
    assert answer(cartolina("sync", album, "--prune", "--json"))["pruned"] == 1
    assert "Nothing has changed; 12 unchanged" in cartolina("sync", album).stdout


def test_sync_says_what_to_do_about_what_it_does_not_prune(cartolina, album):
    for number in range(4):
        (album.parent / "photos" / f"red-{number}.png").unlink()
    said = cartolina("sync", album, "--prune").stdout
    assert "not forgotten: that is 33%" in said
    assert f"cartolina remove {album} --offline" in said
    assert answer(cartolina("remove", album, "--offline", "--json")) == {"removed": 4, "posts": 8}


def test_a_source_that_cannot_be_read_any_more_exits_with_2(cartolina, album, tmp_path):
    table = tmp_path / "posts.csv"
    table.write_text(f"image\n{paint(tmp_path / 'white.png', (255, 255, 255))}\n")
    cartolina("add", album, table)
    table.write_text("nothing\nhere\n")
    paint(album.parent / "photos" / "new.png", "green")
    result = cartolina("sync", album)
    assert result.exit_code == 2
    assert "1 added" in result.stdout
    assert str(tmp_path) in result.stderr


def test_remove_wants_ids_or_offline(cartolina, album):
    assert cartolina("remove", album).exit_code == 2
    assert cartolina("remove", album, "red-1.png", "--offline").exit_code == 2
