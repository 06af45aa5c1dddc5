"""From a query to a ranking."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tiny_world import COLOURS, dataset, paint

from cartolina.album import Album
from cartolina.errors import InputError, QueryError
from cartolina.post import Place, Post
from cartolina.query import ImageRef, Near, Text

BARCELONA, SYDNEY, FIJI = Place(41.39, 2.16), Place(-33.87, 151.21), Place(-17.7, 178.1)
PLACES = {"red": BARCELONA, "green": SYDNEY, "blue": BARCELONA, "yellow": None, "purple": FIJI}


@pytest.fixture(scope="module")
def album(tmp_path_factory, space_folder):
    folder = tmp_path_factory.mktemp("answers")
    posts = [
        Post(
            colour,
            paint(folder / f"{colour}.png", colour),
            (f"a {colour} thing",),
            (colour[0],),
            PLACES[colour],
        )
        for colour in COLOURS
    ]
    with Album.create(folder / "a.album") as made:
        made.activate(space_folder)
        made.add(dataset(folder, posts))
        yield made


def ids(ranking):
    return [hit.id for hit in ranking]


def expected_score(colour, **weights):
    total = sum(w * np.array(COLOURS[c]) / np.linalg.norm(COLOURS[c]) for c, w in weights.items())
    return float(total @ COLOURS[colour] / np.linalg.norm(total) / np.linalg.norm(COLOURS[colour]))


@pytest.mark.parametrize(
    ("query", "weights"),
    [
        ("red", {"red": 1}),
        ("red + green", {"red": 1, "green": 1}),
        ("yellow - red", {"yellow": 1, "red": -1}),
        ("2*purple - 0.5*blue", {"purple": 2, "blue": -0.5}),
        ("like:yellow - green", {"yellow": 1, "green": -1}),
        ("-red", {"red": -1}),
    ],
)
def test_a_sum_of_unit_vectors_is_compared_by_cosine(album, query, weights):
    ranking = album.search(query, by="picture")
    scores = {colour: expected_score(colour, **weights) for colour in COLOURS}
    assert {hit.id: hit.score for hit in ranking} == pytest.approx(scores, abs=4e-3)
    assert all(hit.cosine == hit.score and hit.matched == ("picture",) for hit in ranking)
    given = [hit.score for hit in ranking]
    assert given == sorted(given, reverse=True)


def test_a_query_of_values_is_the_same_as_its_text(album):
    values = Text("yellow") - Text("red")
    assert album.search(values, 3).to_json() == album.search("yellow - red", 3).to_json()


def test_by_the_example_of_a_file(album, tmp_path):
    path = paint(tmp_path / "not in the album.png", (0, 250, 5))
    assert ids(album.search(ImageRef(str(path), "path"), 1)) == ["green"]
    assert ids(album.search(f'@"{path}" + red', 1, by="picture")) == ["yellow"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("like:yelow", "did you mean like:yellow"),
        ("@/no/such/file.jpg", "no picture's file"),
        ("red - like:red", "cancel"),
        ("xyzzy", "knows none of these words: 'xyzzy'"),
        ("near:Nowhereville", "no place is called"),
        ("", "empty"),
    ],
)
def test_what_means_nothing_is_told_with_what_to_write(album, query, message):
    with pytest.raises(QueryError, match=message):
        album.search(query)


@pytest.mark.parametrize("k", [0, -1])
def test_k_is_one_or_more(album, k):
    with pytest.raises(InputError, match="1 or more"):
        album.search("red", k)


def test_an_example_that_is_no_picture_is_told(album, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("no picture")
    from cartolina.vision import UnreadableImage

    with pytest.raises(UnreadableImage, match="not an image"):
        album.search(ImageRef(str(path), "path"))


def test_unknown_words_are_named_with_the_nearest_known(album):
    ranking = album.search("gren or red", 1)
    answer = ranking.to_json()
    assert ids(ranking) == ["red"]
    assert answer["unknown_words"] == ["gren"]
    assert answer["nearest_words"] == {"gren": "green"}


def test_near_a_place_by_name_says_how_it_was_read(album):
    ranking = album.search("red near:Barcelona")
    assert ids(ranking) == ["red", "blue"]
    (place,) = ranking.to_json()["places"]
    assert place["name"] == "Barcelona, Catalonia, Spain"
    assert (place["lat"], place["lon"], place["radius_km"]) == pytest.approx((41.39, 2.16, 25), abs=0.05)
    assert "Barcelona" in ranking.read_as
    assert any("25 km" in note for note in ranking.notes)
    assert all(0 <= hit.distance_km < 5 for hit in ranking)


def test_near_in_words_is_words_where_there_is_no_such_place(album):
    ranking = album.search("red near water")
    assert len(ranking) == 5
    assert ranking.places == ()
    assert any("read as words" in note for note in ranking.notes)


def test_a_circle_over_the_date_line(album):
    ranking = album.search("blue near:-17,-179 within 400km")
    assert ids(ranking) == ["purple"]


def test_only_a_place_ranks_by_distance(album):
    ranking = album.search(Near(Place(-30, 151), 6000))
    assert ids(ranking) == ["green", "purple"]
    assert [hit.score for hit in ranking] == pytest.approx([-hit.distance_km for hit in ranking], rel=1e-6)


def test_only_filters_list_in_the_order_of_the_album(album):
    ranking = album.search("-tag:r -tag:b", 2)
    assert ids(ranking) == ["green", "yellow"]
    assert [hit.score for hit in ranking] == [0, 0]


def test_filters_restrict_what_is_ranked(album):
    assert ids(album.search("red text:thing -has:place")) == ["yellow"]
    nothing = album.search("red tag:nothing")
    assert ids(nothing) == []
    assert "no post passes the filters" in nothing.notes


def test_as_json_it_has_the_promised_keys(album):
    answer = json.loads(json.dumps(album.search("red", 2).to_json()))
    assert {"query", "results", "unknown_words", "places"} <= set(answer)
    assert (answer["query"], answer["by"]) == ("red", "both")
    first = answer["results"][0]
    assert first.pop("score") == pytest.approx(1, abs=1e-3)
    image = first.pop("image")
    assert image.endswith("/red.png")
    assert first.pop("cosine") == pytest.approx(1, abs=1e-3)
    assert first == {
        "id": "red",
        "relevant": True,
        "matched": ["picture", "words"],
        "text": "a red thing",
        "captions": ["a red thing"],
        "tags": ["r"],
        "place": {"lat": 41.39, "lon": 2.16},
        "distance_km": None,
        "taken": None,
    }
    assert album.search("yellow", 1).to_json()["results"][0]["place"] is None


def test_words_alone_never_ask_the_gazetteer(album, monkeypatch):
    def opened(*_):
        raise AssertionError("the gazetteer was opened")

    monkeypatch.setattr("cartolina.album.answer.Gazetteer.open", opened)
    assert len(album.search("red near:41.39,2.16")) == 2
    assert len(album.search("red")) == 5
