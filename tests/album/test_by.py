"""By picture, by words, by both: in a world of plain colours whose captions need not be true."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_world import COLOURS, dataset, paint

from cartolina.album import Album
from cartolina.album.fusion import FIRST
from cartolina.errors import AlbumError, QueryError, UnknownName
from cartolina.post import Place, Post
from cartolina.query import Text

# name: what it shows, what is said of it
SAID = {
    "red": ((), ()),
    "green": (("Erna in Málaga",), ("trip",)),
    "blue": (("a red boat", "the sea"), ()),
    "yellow": (("a yellow boat",), ("Erna",)),
    "purple": (("a boat",), ()),
}


@pytest.fixture(scope="module")
def album(tmp_path_factory, space_folder):
    folder = tmp_path_factory.mktemp("said")
    posts = [
        Post(
            name, paint(folder / f"{name}.png", name), captions, tags, Place(1, 1) if name == "blue" else None
        )
        for name, (captions, tags) in SAID.items()
    ]
    with Album.create(folder / "a.album") as made:
        made.activate(space_folder)
        made.add(dataset(folder, posts))
        yield made


@pytest.fixture(scope="module")
def unlearnt(album):
    """The same posts, and nothing learnt."""
    with Album.create(album.path.parent / "unlearnt.album") as made:
        made.add(dataset(album.path.parent, list(album.posts())))
        yield made


def ids(ranking):
    return [hit.id for hit in ranking]


def cosine(name, colour):
    one, other = np.array(COLOURS[name], float), np.array(COLOURS[colour], float)
    return one @ other / np.linalg.norm(one) / np.linalg.norm(other)


def test_by_words_only_what_is_written_counts(album):
    ranking = album.search("red boat", by="words")
    assert (ids(ranking)[0], set(ids(ranking))) == ("blue", {"blue", "yellow", "purple"})
    assert (ranking.by, ranking[0].matched, ranking[0].cosine) == ("words", ("words",), None)
    assert [hit.score for hit in ranking] == sorted((hit.score for hit in ranking), reverse=True)
    assert ids(album.search("MALAGA", by="words")) == ["green"]
    assert ids(album.search("purple", by="words")) == []


def test_by_both_the_shown_and_the_said_come_before_the_others(album):
    ranking = album.search("red")
    assert set(ids(ranking)[:2]) == {"red", "blue"}
    found = {hit.id: hit for hit in ranking}
    assert found["blue"].matched == ("picture", "words")
    assert found["red"].matched == ("picture",)
    assert ranking.by == "both"
    assert {hit.id: hit.cosine for hit in ranking} == pytest.approx(
        {name: cosine(name, "red") for name in COLOURS}, abs=4e-3
    )


def test_the_score_of_both_is_the_sum_of_reciprocal_ranks(album):
    """By hand: red is shown by red, purple and yellow (equal), green and blue (equal); said of blue alone."""
    said = album.search("red", by="words")[0].score * FIRST
    share = np.quantile([0, 0, 0, said], 0.9)  # of the four that have words
    parts = {
        "red": 1 / 61 + share,
        "blue": 1 / 64 + said,
        "yellow": 1 / 62,
        "purple": 1 / 62,
        "green": 1 / 64,
    }
    got = {hit.id: hit.score for hit in album.search("red")}
    assert got == pytest.approx({name: part / (2 * FIRST) for name, part in parts.items()}, abs=2e-4)


def test_where_nobody_says_it_both_is_by_picture(album):
    by_picture, both = album.search("green", by="picture"), album.search("green")
    assert both == by_picture
    assert both.by == "picture"


def test_a_word_taken_away_pushes_down_and_hides_nothing(album):
    assert ids(album.search("boat - red", by="words"))[-1] == "blue"
    assert set(ids(album.search("boat - red", by="words"))) == {"blue", "yellow", "purple"}
    assert set(ids(album.search("boat -text:red", by="words"))) == {"yellow", "purple"}
    without, pushed = album.search("blue", by="picture"), album.search("blue - boat")
    assert ids(without)[0] == "blue"
    assert set(ids(pushed)) == set(COLOURS)
    assert {"blue", "yellow", "purple"} == set(ids(pushed)[2:])


def test_what_is_said_counts_as_far_as_it_goes(album):
    def first(query):
        return album.search(query, by="words")[0]

    assert first("Erna").score == pytest.approx(first("2*Erna").score)
    assert first("Erna zebra").score < first("Erna").score / 2  # rarer, and nobody says it
    assert first("red boat").score > first("red boat Erna zebra").score


def test_weights_share_the_words_out(album):
    def said(query):
        return {hit.id: hit.score for hit in album.search(query, by="words")}

    boat, erna = said("boat"), said("Erna")
    both = said("3*boat + Erna")
    assert both == pytest.approx(
        {name: 0.75 * boat.get(name, 0) + 0.25 * erna.get(name, 0) for name in {*boat, *erna}}, abs=1e-6
    )
    assert said("2*boat") == boat
    with_picture = said("boat + like:red")
    assert with_picture == pytest.approx({name: 0.5 * score for name, score in boat.items()})


def test_a_word_the_model_does_not_know_is_found_where_it_is_written(album):
    with pytest.raises(QueryError, match="knows none"):
        album.search("Erna", by="picture")
    ranking = album.search("Erna")
    assert set(ids(ranking)) == {"green", "yellow"}
    assert (ranking.by, dict(ranking.unknown_words)) == ("words", {})
    assert any("only captions and tags" in note for note in ranking.notes)
    with pytest.raises(QueryError, match="knows none of these words: 'zzyzx'"):
        album.search("zzyzx")
    mixed = album.search("Erna gren + red")
    assert (mixed.by, dict(mixed.unknown_words)) == ("both", {"gren": "green"})
    assert dict(album.search("Erna + red", by="picture").unknown_words) == {"erna": None}
    assert dict(album.search("Erna zzyzx", by="words").unknown_words) == {"zzyzx": None}


def test_filters_and_places_hold_for_words(album):
    assert ids(album.search("boat -tag:erna has:place", by="words")) == ["blue"]
    assert ids(album.search("boat near:1,1 within 5km")) == ["blue"]
    assert ids(album.search("boat tag:nobody", by="words")) == []
    assert ids(album.search("Erna tag:trip")) == ["green"]


def test_whoever_is_found_by_words_alone_still_has_a_cosine(album, monkeypatch):
    for module in ("order", "answer"):
        monkeypatch.setattr(f"cartolina.album.{module}.DEPTH", 1)
    found = {hit.id: hit for hit in album.search("0.01*red + Málaga", 2)}
    assert {name: hit.matched for name, hit in found.items()} == {"red": ("picture",), "green": ("words",)}
    assert found["green"].cosine == pytest.approx(cosine("green", "red"), abs=4e-3)


def test_k_is_how_many_and_the_first_stay_first(album):
    for by in ("words", "both"):
        every = album.search("red boat Erna", by=by)
        for k in (1, 2, 3):
            assert album.search("red boat Erna", k, by=by).hits == every.hits[:k]


def test_a_post_without_a_vector_is_found_by_its_words(tmp_path, space_folder):
    photos = tmp_path / "photos"
    posts = [Post(name, paint(photos / f"{name}.png", name), (f"{name} Erna",)) for name in ("red", "green")]
    with Album.create(tmp_path / "a.album") as made:
        made.ingest(dataset(photos, posts))
        (photos / "green.png").write_bytes(b"no picture any more")
        made.activate(space_folder)
        ranking = made.search("red Erna")
        assert ids(ranking) == ["red", "green"]
        assert (ranking[1].cosine, ranking[1].matched) == (None, ("words",))
        assert ids(made.search("Erna", by="words")) == ["red", "green"]
        (photos / "green.png").unlink()
        made._catalogue.change("UPDATE posts SET offline = 'now' WHERE id = 'green'")
        assert ids(made.search("Erna", by="words")) == ids(made.search("red Erna")) == ["red"]


def test_an_album_that_has_learnt_nothing_is_searched_by_words(unlearnt):
    assert ids(unlearnt.search("red boat", by="words"))[0] == "blue"
    both = unlearnt.search("red boat")
    assert both.by == "words"
    assert any("cartolina build" in note for note in both.notes)
    assert ids(unlearnt.search("has:place")) == ["blue"]
    for query, by in (("red", "picture"), ("like:red", "both"), ("red + like:red", "both"), ("-red", "both")):
        with pytest.raises(AlbumError, match="learnt nothing yet"):
            unlearnt.search(query, by=by)


def test_by_words_no_model_is_opened(album, monkeypatch):
    def opened(*_):
        raise AssertionError("a model was opened")

    monkeypatch.setattr("cartolina.album.space.Space.encode_texts", opened)
    monkeypatch.setattr("cartolina.album.space.Space.unknown", opened)
    assert ids(album.search("Málaga", by="words")) == ["green"]


@pytest.mark.parametrize("query", ["like:red", "-red", "like:red - boat"])
def test_by_words_needs_words_to_look_for(album, query):
    with pytest.raises(QueryError, match="write words"):
        album.search(query, by="words")


def test_another_way_is_told_with_the_nearest(album):
    with pytest.raises(UnknownName, match=r"did you mean 'picture'.*both, picture, words"):
        album.search(Text("red"), by="pictures")


def test_to_json_says_by_what(album):
    answer = album.search("Erna + red").to_json()
    assert answer["by"] == "both"
    assert {"cosine", "matched"} <= answer["results"][0].keys()
    assert album.search("tag:trip").to_json()["by"] is None
