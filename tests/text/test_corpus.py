from __future__ import annotations

import numpy as np

from cartolina.text.corpus import numbered


def test_words_become_numbers_the_most_frequent_first():
    corpus = numbered(["The sand, a wave", "sea #sea sand", "", "of", "gull"])
    assert corpus.words == ["sand", "sea", "wave", "gull"]  # of equals the first seen
    assert corpus.numbers.tolist() == [0, 2, -1, 1, 1, 0, -1, -1, -1, 3, -1]
    assert corpus.numbers.dtype == np.int32
    assert (corpus.length, corpus.texts) == (6, 5)
    assert [document.tolist() for document in corpus.documents()] == [[0, 2], [1, 1, 0], [], [], [3]]


def test_without_rare_words():
    corpus = numbered(iter(["sand wave", "sea sea sand gull sand"])).without_rare(2)
    assert corpus.words == ["sand", "sea"]
    assert corpus.numbers.tolist() == [0, -1, 1, 1, 0, 0, -1]
    assert (corpus.length, corpus.texts) == (7, 2)
    assert corpus.without_rare(9).words == []


def test_no_texts():
    for texts in ([], [""], ["the", "!"]):
        corpus = numbered(texts)
        assert (corpus.words, corpus.length, corpus.texts) == ([], 0, len(texts))
        assert len(corpus.documents()) == len(texts)
