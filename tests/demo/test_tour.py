"""The tour, on an album of plain colours in place of the one that would be learnt."""

import json
import sys
from types import SimpleNamespace

import pytest
from PIL import Image
from tiny_world import paint, write_space

from cartolina.album import Album
from cartolina.datasets import open_dataset
from cartolina.demo.tour import tour
from cartolina.errors import InputError


@pytest.fixture
def built(tmp_path, monkeypatch):
    """Stand in for learning; returns the albums built."""
    space = write_space(tmp_path / "space")
    made = []

    def build(source, where, *, progress):
        made.append(where)
        album = Album.create(where)
        album.activate(space)
        album.add(open_dataset(source))
        return album

    monkeypatch.setitem(sys.modules, "cartolina.album.build", SimpleNamespace(build=build))
    return made


@pytest.fixture
def photos(tmp_path):
    """Six photos of a person's own, two of which know their place."""
    folder = tmp_path / "my photos"
    rows = []
    for i, colour in enumerate(("red", "green", "blue", "yellow", "purple", "red")):
        paint(folder / f"{colour}-{i}.png", colour)
        row = {"id": f"{colour}-{i}", "image": f"{colour}-{i}.png", "text": f"a {colour} thing"}
        rows.append(row | ({"lat": 41.38, "lon": 2.17} if i > 3 else {}))
    (folder / "posts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder / "posts.jsonl"


@pytest.fixture
def own_words(monkeypatch):
    """The colours' text model knows no people and streets."""
    words = {"people outdoors": "red", "sunset + water": "red + green", "street - cars": "purple - blue"}
    words |= {"building": "green", "something to eat": "green"}

    class Answering(Album):
        def search(self, query, k=10):
            for general, colour in words.items():
                query = query.replace(general, colour)
            return super().search(query, k, by="picture")  # what is written says each colour

    monkeypatch.setattr("cartolina.album.album.Album", Answering)
    monkeypatch.setattr(sys.modules[__name__], "Album", Answering)


def test_five_questions_to_a_persons_own_photos(built, photos, own_words, tmp_path):
    done = tour(tmp_path / "out", photos)
    assert [stop.shows for stop in done.stops] == ["words", "sum", "difference", "example", "near a place"]
    words, total, difference, example, near = done.stops
    assert words.ranking[0].id.startswith("red")
    assert total.ranking[0].id == "yellow-3"
    assert difference.ranking[0].id.startswith("red")
    assert example.ranking[0].id == "yellow-3"  # the example finds itself first
    assert example.query == 'like:"yellow-3"'
    assert {hit.id for hit in near.ranking} == {"purple-4", "red-5"}
    for stop in done.stops:
        assert stop.sheet.parent == tmp_path / "out/sheets"
        with Image.open(stop.sheet) as page:
            assert page.width > 500
    assert done.posts == 6


def test_a_second_tour_asks_the_same_album(built, photos, own_words, tmp_path):
    first = tour(tmp_path / "out", photos)
    again = tour(tmp_path / "out", photos)
    assert built == [first.album] == [again.album]
    assert [stop.ranking.to_json() for stop in first.stops] == [
        stop.ranking.to_json() for stop in again.stops
    ]


def test_photos_that_know_no_place(built, photos, own_words, tmp_path):
    rows = [json.loads(line) for line in photos.read_text().splitlines()]
    photos.write_text("".join(json.dumps({**row, "lat": None, "lon": None}) + "\n" for row in rows))
    assert tour(tmp_path / "out", photos).stops[-1].query == "something to eat"


def test_no_photos_at_all(built, tmp_path):
    (tmp_path / "none.jsonl").write_text(json.dumps({"image": "gone.png", "text": "x"}) + "\n")
    with pytest.raises(InputError, match="nothing to ask"):
        tour(tmp_path / "out", tmp_path / "none.jsonl")
