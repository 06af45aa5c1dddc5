from __future__ import annotations

import numpy as np
import pytest

from cartolina.errors import InputError
from cartolina.text.pooling import inverse_document_frequency
from cartolina.text.word2vec import Word2Vec, Word2VecSettings

pytest.importorskip("gensim")

SMALL = Word2VecSettings(dim=16, epochs=20, window=3)


def two_topics() -> list[str]:
    """Sentences about the sea or about the town, never both."""
    rng = np.random.default_rng(0)
    topics = (["sea", "sand", "beach", "wave"], ["street", "car", "tower", "house"])
    return [" ".join(rng.permutation(topics[row % 2])) for row in range(2000)]


def test_defaults_are_the_papers():
    settings = Word2VecSettings()
    assert (settings.dim, settings.window, settings.epochs, settings.skip_gram) == (400, 8, 25, False)
    seen = [settings.for_corpus(words, 10).min_count for words in (1_000_000, 50_000, 20_000, 7)]
    assert seen == [5, 5, 2, 1]


def test_words_used_together_come_together():
    model = Word2Vec(SMALL).fit(two_topics())
    unit = model.vectors / np.linalg.norm(model.vectors, axis=1, keepdims=True)
    sea, sand, car = (unit[model.rows[word]] for word in ("sea", "sand", "car"))
    assert sea @ sand > sea @ car + 0.3


def test_same_seed_same_vectors():
    first, again = (Word2Vec(SMALL).fit(two_topics()) for _ in range(2))
    assert first.words == again.words
    np.testing.assert_array_equal(first.vectors, again.vectors)
    other = Word2Vec(Word2VecSettings(dim=16, epochs=20, window=3, seed=1)).fit(two_topics())
    assert not np.array_equal(first.vectors, other.vectors)


def test_fit_learns_the_weights_too_and_forgets_the_past():
    model = Word2Vec(SMALL).fit(["old words"])
    model.fit(["sea sand", "sea"])
    assert model.words[0] == "sea"  # the most frequent first
    assert model.unknown("old sea") == ["old"]
    documents = [np.array([0, 1]), np.array([0])]
    np.testing.assert_allclose(model.idf, inverse_document_frequency(documents, 2))


def test_rare_words_are_left_out():
    model = Word2Vec(Word2VecSettings(dim=4, epochs=1, min_count=2)).fit(["sea sea gull", "sea"])
    assert model.words == ["sea"]


def test_every_word_too_rare():
    with pytest.raises(InputError, match="seen 3 times"):
        Word2Vec(Word2VecSettings(min_count=3)).fit(["sea sand"])
