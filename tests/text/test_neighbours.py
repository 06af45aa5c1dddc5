from __future__ import annotations

import numpy as np
import pytest

from cartolina.errors import InputError
from cartolina.text.neighbours import Neighbours, combined, vocabulary_of
from cartolina.text.word_vectors import WordVectors

WORDS = ["king", "queen", "man", "woman", "nothing", "far"]
VECTORS = np.array([[3, 3, 1], [3, -3, 1], [0, 2, 1], [0, -2, 1], [0, 0, 0], [0, 0, -1]], np.float32)


@pytest.fixture
def model() -> WordVectors:
    return WordVectors("toy", WORDS, VECTORS)


def test_nearest_by_hand(model):
    found = Neighbours.of(model).nearest(VECTORS[2], k=2, without={"man"})
    assert [word for word, _ in found] == ["king", "far"]  # cosines .72, −.45; woman's is −.6
    cosine = (3 * 2 + 1) / np.sqrt(19 * 5)
    assert found[0][1] == pytest.approx(cosine, abs=1e-6)


def test_an_analogy(model):
    total = combined(model, [(1, "king"), (-1, "man"), (1, "woman")])
    assert Neighbours.of(model).nearest(total, 1, {"king", "man", "woman"})[0][0] == "queen"
    unit = VECTORS / np.maximum(np.linalg.norm(VECTORS, axis=1, keepdims=True), 1)
    np.testing.assert_allclose(total, unit[0] - unit[2] + unit[3], atol=1e-6)


def test_a_word_without_a_vector_is_nobodys_neighbour(model):
    neighbours = Neighbours.of(model)
    assert neighbours.words == ["king", "queen", "man", "woman", "far"]
    assert neighbours.nearest(np.zeros(3, np.float32)) == []
    assert len(neighbours.nearest(VECTORS[0], k=99)) == 5


def test_among_other_words(model):
    assert Neighbours.of(model, ["far", "zebra", "queen"]).words == ["far", "queen"]
    assert Neighbours.of(model, []).nearest(VECTORS[0]) == []


@pytest.mark.parametrize("pooling", ["mean", "tf-idf"])
def test_its_own_vectors_are_those_of_texts_of_one_word(pooling):
    model = WordVectors("toy", WORDS, VECTORS, pooling=pooling).fit(["king man", "king woman", "king"])
    own, asked = Neighbours.of(model), Neighbours.of(model, WORDS)
    assert own.words == asked.words
    assert ("king" in own.words) == (pooling == "mean")  # it is in every text, and tells nothing
    np.testing.assert_allclose(own.vectors, asked.vectors, atol=1e-6)


def test_equals_keep_their_order():
    twins = WordVectors("toy", ["b", "a", "c"], np.array([[1, 0], [1, 0], [0, 1]], np.float32))
    assert [word for word, _ in Neighbours.of(twins).nearest(np.array([1, 0], np.float32))] == ["b", "a", "c"]


def test_unknown_words_are_named(model):
    with pytest.raises(InputError, match="knows no word of 'quene': did you mean 'queen'"):
        combined(model, [(1, "king"), (1, "quene")])
    with pytest.raises(InputError, match=r"knows no word of 'zebra'$"):
        combined(model, [(1, "zebra")])


def test_a_transformer_has_no_words(tiny_transformer):
    assert vocabulary_of(tiny_transformer) is None
    with pytest.raises(InputError, match="say among which words"):
        Neighbours.of(tiny_transformer)
    assert Neighbours.of(tiny_transformer, ["dog", "sea"]).words == ["dog", "sea"]
