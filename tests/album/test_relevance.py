"""What is relevant, and what is only the nearest."""

import numpy as np
import pytest
from tiny_world import COLOURS, dataset, paint, painted

from cartolina.album import Album
from cartolina.album.relevance import FEWEST, Background, spread
from cartolina.post import Post
from cartolina.query import ImageRef, Term, Text

WORDS = (Term(1.0, Text("words")),)


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def test_spread_is_about_each_ones_own_median():
    asked, posts = np.eye(2, dtype=np.float32), unit(np.random.default_rng(0).normal(size=(7, 2)))
    away = []
    for one in asked:
        cosines = [float(one @ post) for post in posts]
        away += [cosine - sorted(cosines)[3] for cosine in cosines]
    assert spread(asked, posts) == pytest.approx(np.sqrt(np.mean(np.square(away))), rel=1e-5)


def test_excess_is_over_the_querys_own_background():
    posts = np.array([[1, 0], [0, 1], [0, 1]], np.float32)
    background = Background(posts, of_texts=0.25, of_pictures=0.5, among=3)
    query = np.array([0.6, 0.8], np.float32)  # its median cosine is .8
    np.testing.assert_allclose(background.excess(query, np.array([0.8, 0.9]), WORDS), [0, 0.4], atol=1e-6)
    like = (Term(-1.0, ImageRef("a", "id")),)
    np.testing.assert_allclose(background.excess(query, np.array([0.9]), like), [0.2], atol=1e-6)
    both = (*WORDS, *like)
    np.testing.assert_allclose(background.excess(query, np.array([0.9]), both), [0.1 / 0.375], atol=1e-6)


def test_no_shift_of_a_querys_cosines_makes_a_difference():
    chance = np.random.default_rng(1)
    posts = unit(chance.normal(size=(500, 8)))
    shifted = unit(np.concatenate([posts, np.full((500, 1), 3.0)], axis=1))
    query = unit(chance.normal(size=8))
    aside = unit(np.append(query, 1.0))
    plain = Background(posts, 1.0, 1.0, 500).excess(query, posts @ query, WORDS)
    moved = Background(shifted, 1.0, 1.0, 500).excess(aside, shifted @ aside, WORDS)
    assert np.corrcoef(plain, moved)[0, 1] == pytest.approx(1, abs=1e-4)
    assert abs(np.median(moved)) < 1e-4


@pytest.fixture
def many(album, tmp_path):
    """Forty greenish and bluish photos, and one that is red, without words that say so."""
    chance = np.random.default_rng(0)
    posts = []
    for number in range(40):
        low, high = chance.integers(0, 12, 2), chance.integers(100, 255, 2)
        path = paint(tmp_path / "photos" / f"{number}.png", (int(low[0]), int(high[0]), int(high[1])))
        posts.append(Post(path.name, path))
    posts.append(Post("red.png", paint(tmp_path / "photos" / "red.png", "red")))
    posts.append(
        Post("said.png", paint(tmp_path / "photos" / "said.png", "blue"), captions=("a purple thing",))
    )
    album.add(dataset(tmp_path / "photos", posts))
    return album


def test_the_one_that_stands_out_is_relevant_and_the_rest_is_not(many):
    hits = list(many.search("red", k=5, by="picture"))
    assert [hit.relevant for hit in hits] == [True, False, False, False, False]
    assert hits[0].id == "red.png"
    assert many.search("red", k=5).relevant


def test_a_query_with_nothing_behind_it_says_so(many):
    many.remove(["red.png"])
    answer = many.search("red", k=5)
    assert len(answer) == 5
    assert not answer.relevant
    assert any("nothing in the album seems to show this" in note for note in answer.notes)
    assert answer.to_json()["relevant"] is False


def test_what_is_relevant_does_not_depend_on_the_filters(many):
    answer = many.search("red type:png", k=3, by="picture")
    assert [hit.relevant for hit in answer] == [True, False, False]


def test_words_that_say_all_of_it_are_relevant(many):
    by = {hit.id: hit.relevant for hit in many.search("purple", k=42)}
    assert by["said.png"]
    by = {hit.id: hit.relevant for hit in many.search("a purple red", k=42, by="words")}
    assert not by["said.png"], "it does not say red"


def test_only_filters_and_places_are_met_by_all(many):
    assert all(hit.relevant for hit in many.search("type:png", k=42))


def test_the_same_query_is_judged_the_same_by_whoever_opens_the_album(many):
    before = [(hit.id, hit.relevant) for hit in many.search("red - green", k=42)]
    kept = many.space.folder / "index" / "background.npy"
    assert kept.exists()
    kept.write_bytes(b"damaged")
    with Album.open(many.path) as again:
        assert [(hit.id, hit.relevant) for hit in again.search("red - green", k=42)] == before


def test_few_posts_are_all_relevant(album, tmp_path):
    names = [f"{colour}-1.png" for colour in COLOURS]
    assert len(names) < FEWEST
    album.add(painted(tmp_path / "photos", names))
    assert all(hit.relevant for hit in album.search("red", k=10, by="picture"))


def test_the_example_itself_is_relevant(many):
    answer = many.search("like:red.png", k=2)
    assert [hit.relevant for hit in answer] == [True, False]


def test_an_example_is_relevant_to_itself_among_its_like(album, tmp_path):
    posts = []
    for number in range(40):
        path = paint(tmp_path / "photos" / f"{number}.png", (0, 200 + number, 10))
        posts.append(Post(path.name, path))
    album.add(dataset(tmp_path / "photos", posts))
    assert album.search("like:7.png", k=1)[0].relevant


def test_the_bar_rises_as_the_best_of_noise_does():
    chance = np.random.default_rng(0)
    for among in (100, 10_000):
        bar = Background(np.zeros((1, 2), np.float32), 1.0, 1.0, among).bar
        best = np.mean([chance.normal(size=among).max() for _ in range(200)])
        assert 0.85 * best < bar < 1.1 * best
