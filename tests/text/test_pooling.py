from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartolina.text.pooling import inverse_document_frequency, pool

VECTORS = np.array([[1, 0], [0, 1], [2, 2]], np.float32)
IDF = np.array([1, 2, 0], np.float32)


@pytest.mark.parametrize(
    ("how", "words", "expected"),
    [
        ("sum", [0, 0, 1], [2, 1]),
        ("mean", [0, 0, 1], [2 / 3, 1 / 3]),
        ("tf-idf", [0, 0, 1], [1 / np.sqrt(2), 1 / np.sqrt(2)]),  # weights 2·1 and 1·2, made length 1
        ("tf-idf", [0, 0, 0], [1, 0]),
        ("tf-idf", [2], [0, 0]),  # a word in every text tells nothing
        ("mean", [], [0, 0]),
    ],
)
def test_by_hand(how, words, expected):
    pooled = pool(VECTORS, [np.array(words, np.int64)], how, IDF)
    np.testing.assert_allclose(pooled, [expected], rtol=1e-6)
    assert pooled.dtype == np.float32


def test_inverse_document_frequency_by_hand():
    documents = [np.array(words, np.int64) for words in ([0, 0, 1], [0], [0, 2], [0, 2])]
    idf = inverse_document_frequency(documents, 4)
    np.testing.assert_allclose(idf, [0, 2, 1, 2])  # the last is in no text: as in one


@given(st.lists(st.lists(st.integers(0, 7), max_size=12), min_size=1, max_size=15))
def test_tf_idf_is_gensims(texts):
    gensim_models = pytest.importorskip("gensim.models")
    bags = [[(word, words.count(word)) for word in sorted(set(words))] for words in texts]
    theirs = gensim_models.TfidfModel(bags)
    documents = [np.array(words, np.int64) for words in texts]
    idf = inverse_document_frequency(documents, 8)
    ours = pool(np.eye(8, dtype=np.float32), documents, "tf-idf", idf)
    for bag, row in zip(bags, ours, strict=True):
        expected = np.zeros(8)
        for word, weight in theirs[bag]:
            expected[word] = weight
        np.testing.assert_allclose(row, expected, atol=1e-6)
