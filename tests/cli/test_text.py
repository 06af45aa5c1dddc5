"""`cartolina text` as people give it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cartolina import text
from cartolina.text.word_vectors import WordVectors

pytest.importorskip("gensim")

LINES = ["a dog on the beach", "the sea and the beach", "a car in the street", "cars by a tower"] * 25


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_text("\n".join(LINES))
    return path


@pytest.fixture
def toy(tmp_path):
    """A model of words laid out by hand."""
    words = ["king", "queen", "man", "woman", "dog-house"]
    vectors = np.array([[3, 3, 1], [3, -3, 1], [0, 2, 1], [0, -2, 1], [1, 0, 0]], np.float32)
    WordVectors("toy", [*words[:4], "hound"], vectors).save(tmp_path / "toy")
    return tmp_path / "toy"


def test_train_writes_a_model(cartolina, lines, tmp_path):
    into = tmp_path / "w2v"
    done = cartolina("text", "train", lines, "--model", "word2vec:dim=8:epochs=2", "--into", into, "--json")
    said = json.loads(done.stdout)
    assert said.pop("seconds") >= 0
    assert said == {
        "model": "word2vec:dim=8:epochs=2", "folder": str(into), "texts": 100, "dim": 8, "words": 7,
    }  # fmt: skip
    assert text.load(into).embed(["a dog"]).shape == (1, 8)
    shown = cartolina("text", "train", lines, "--model", "lda:topics=2", "--into", tmp_path / "lda").stdout
    assert "dimensions" in shown
    assert "6" in shown  # "car" and "cars" are one stem


def test_train_says_what_is_wrong(cartolina, lines, tmp_path):
    for name, message in (
        ("fastext", "did you mean 'fasttext'"),
        ("word2vec:dmi=8", "did you mean 'dim'"),
        ("doc2vec:pooling=mean", "leave out the pooling"),
        ("lda:published", "seen 21 times"),
    ):
        done = cartolina("text", "train", tmp_path / "few.txt", "--model", name, "--into", tmp_path / "m")
        if name == "lda:published":
            (tmp_path / "few.txt").write_text("a dog\n")
            done = cartolina("text", "train", tmp_path / "few.txt", "--model", name, "--into", tmp_path / "m")
        assert done.exit_code == 2
        assert message in done.stderr
        assert done.stdout == ""
    assert not (tmp_path / "m").exists()


def test_a_vector(cartolina, toy):
    done = cartolina("text", "vector", toy, "king king queen zebra", "--json")
    assert json.loads(done.stdout) == {
        "model": "toy", "text": "king king queen zebra", "unknown": ["zebra"], "dim": 3, "vector": [3, 1, 1],
    }  # fmt: skip
    plain = cartolina("text", "vector", toy, "quene")
    assert plain.stdout == "0 0 0\n"
    assert plain.stderr == "unknown: quene (did you mean queen?)\n"


def test_neighbours_and_analogies(cartolina, toy, lines):
    shown = cartolina("text", "neighbours", toy, "king - man + woman", "-k", "1").stdout
    assert shown.split()[1] == "queen"
    said = json.loads(cartolina("text", "neighbours", toy, "-man + 2*woman", "--json", "--k", "2").stdout)
    assert said["terms"] == [{"weight": -1.0, "text": "man"}, {"weight": 2.0, "text": "woman"}]
    assert [one["word"] for one in said["neighbours"]] == ["queen", "hound"]
    assert said["neighbours"][0]["cosine"] > said["neighbours"][1]["cosine"]
    near = json.loads(cartolina("text", "neighbours", toy, "king near woman", "--json").stdout)
    assert near["terms"] == [{"weight": 1.0, "text": "king near woman"}]
    unknown = cartolina("text", "neighbours", toy, "quene")
    assert unknown.exit_code == 2
    assert "did you mean 'queen'" in unknown.stderr
    for query in ("king + @dog.jpg", "king near:Rimini", "tag:dog"):
        refused = cartolina("text", "neighbours", toy, query)
        assert refused.exit_code == 2
        assert "more than words" in refused.stderr


def test_neighbours_among_a_corpus(cartolina, toy, lines, tmp_path):
    (tmp_path / "few.txt").write_text("the queen\nthe hound and the zebra\n")
    done = cartolina("text", "neighbours", toy, "woman", "--among", tmp_path / "few.txt", "--json")
    assert [one["word"] for one in json.loads(done.stdout)["neighbours"]] == ["queen", "hound"]


def test_topics(cartolina, lines, toy, tmp_path):
    cartolina(
        "text", "train", lines, "--model", "lda:topics=2:passes=20:chunk=20", "--into", tmp_path / "lda", "-q"
    )
    every = json.loads(cartolina("text", "topics", tmp_path / "lda", "--json").stdout)
    assert len(every["topics"]) == 2
    assert sum(topic["share"] for topic in every["topics"]) == pytest.approx(1, abs=1e-4)
    of_text = json.loads(cartolina("text", "topics", tmp_path / "lda", "cars zebra", "--json").stdout)
    assert of_text["unknown"] == ["zebra"]
    loaded = text.load(tmp_path / "lda")
    expected = [(one.topic, round(one.share, 6)) for one in loaded.topics_of("car")]
    assert [(topic["topic"], topic["share"]) for topic in of_text["topics"]] == expected
    words = {topic.number: topic.words for topic in loaded.topics()}
    for topic in of_text["topics"]:
        assert [one["word"] for one in topic["words"]] == [word for word, _ in words[topic["topic"]]]
    shown = cartolina("text", "topics", tmp_path / "lda", "zebra")
    assert shown.stdout == ""
    assert "unknown: zebra" in shown.stderr
    assert "%" in cartolina("text", "topics", tmp_path / "lda").stdout
    refused = cartolina("text", "topics", toy)
    assert refused.exit_code == 2
    assert "'toy' has no topics" in refused.stderr


def test_compare_prints_one_table(cartolina, tmp_path):
    path = tmp_path / "posts.csv"
    said = ("a dog on sand", "cars [in] streets")
    rows = [f"{n // 2},{n // 2}.jpg,{said[n % 4 // 2]}{' here' * (n % 2)}" for n in range(40)]
    path.write_text("\n".join(["id,image,caption", *rows]))
    for n in range(20):
        (tmp_path / f"{n}.jpg").write_bytes(b"no pixels are looked at")
    models = "word2vec:dim=4:epochs=1,lda:topics=2"
    shown = cartolina("text", "compare", path, "--models", models, "--words", "dog, zebra").stdout
    assert "word2vec:dim=4:epochs=1" in shown
    assert "of the same of 20 photos; by chance 2.56 %" in shown
    assert "word2vec:dim=4:epochs=1: unknown" in shown  # zebra
    said = json.loads(cartolina("text", "compare", path, "--models", models, "--json", "-q").stdout)
    assert [row["name"] for row in said["rows"]] == models.split(",")
    assert said["judged"] == 40


def test_a_folder_that_is_not_there(cartolina, tmp_path):
    done = cartolina("text", "vector", tmp_path / "gone", "dog")
    assert done.exit_code == 2
    assert "there is no folder" in done.stderr
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "it has no text.json" in cartolina("text", "vector", empty, "dog").stderr
    assert "call fit(captions) first" in cartolina("text", "vector", "word2vec", "dog").stderr
