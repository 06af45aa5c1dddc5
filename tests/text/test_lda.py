"""LDA: the topics of a text against gensim's own and against scipy's ψ, and topics that can be read."""

from __future__ import annotations

import numpy as np
import pytest

from cartolina import text
from cartolina.errors import InputError
from cartolina.text.dirichlet import digamma, topics_of
from cartolina.text.lda import Lda, LdaSettings

SEA = ["sea", "sand", "beaches", "wave", "gull", "shell", "tide", "shore"]
TOWN = ["street", "car", "towers", "house", "road", "bus", "tram", "lamp"]


def captions() -> list[str]:
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice((SEA, TOWN)[row % 2], 5, replace=False)) for row in range(600)]


@pytest.fixture(scope="module")
def model() -> Lda:
    pytest.importorskip("gensim")
    return Lda(LdaSettings(topics=2, passes=10, chunk=100, min_count=1)).fit(captions())


def test_digamma():
    special = pytest.importorskip("scipy.special")
    x = np.concatenate([np.logspace(-5, 6, 2000), [1 / 400, 1, 2]]).astype(np.float32)
    expected = special.digamma(x.astype(np.float64))
    np.testing.assert_allclose(digamma(x), expected, rtol=2e-6, atol=2e-6)


def test_the_topics_of_a_text_are_gensims(model):
    models = pytest.importorskip("gensim.models")
    theirs = models.LdaModel(num_topics=2, id2word=dict(enumerate(model.stems)), random_state=1)
    theirs.state.sstats[...] = model.weights.T - theirs.eta  # λ without its prior
    theirs.sync_state()
    np.testing.assert_allclose(theirs.state.get_lambda().T, model.weights, rtol=1e-4)
    for words in (["sea"], SEA, ["sea", "car"], ["sea"] * 3 + ["car"], SEA + TOWN):
        bow = theirs.id2word
        rows = {word: row for row, word in bow.items()}
        from cartolina.text.porter import stem

        document = [rows[stem(word)] for word in words]
        counted = [(row, document.count(row)) for row in sorted(set(document))]
        expected = dict(theirs.get_document_topics(counted, minimum_probability=0))
        found = model.embed([" ".join(words)])[0]
        np.testing.assert_allclose(found, [expected[topic] for topic in range(2)], atol=3e-3)


def test_topics_of_by_a_loop():
    rng = np.random.default_rng(3)
    weights = rng.gamma(1, 5, (12, 4)).astype(np.float32)
    totals, alpha = weights.sum(axis=0), np.full(4, 0.25, np.float32)
    special = pytest.importorskip("scipy.special")
    texts = [np.array([1]), np.array([1, 1, 5, 9]), np.array([], np.int64), np.arange(12), np.array([9, 5])]
    found = topics_of(texts, weights, totals, alpha)
    for document, row in zip(texts, found, strict=True):
        if not len(document):
            assert not row.any()
            continue
        beta = np.exp(special.digamma(weights) - special.digamma(totals))
        gamma = np.ones(4)
        for _ in range(50):
            theta = np.exp(special.digamma(gamma) - special.digamma(gamma.sum()))
            after = alpha.astype(float)
            for word in document:
                share = theta * beta[word]
                after = after + share / share.sum()
            moved = np.abs(after - gamma).mean()
            gamma = after
            if moved < 1e-3:
                break
        np.testing.assert_allclose(row, gamma / gamma.sum(), atol=2e-4)
        assert row.sum() == pytest.approx(1, abs=1e-5)


def test_topics_can_be_read(model):
    topics = model.topics(words=8)
    assert sorted({frozenset(word for word, _ in topic.words) for topic in topics}, key=len) in (
        [frozenset(SEA), frozenset(TOWN)], [frozenset(TOWN), frozenset(SEA)],
    )  # fmt: skip
    assert "beaches" in model.vocabulary  # the form that was said, not its stem
    for topic in topics:
        probabilities = [p for _, p in topic.words]
        assert probabilities == sorted(probabilities, reverse=True)
        assert sum(probabilities) == pytest.approx(1, abs=0.05)
    assert sum(topic.share for topic in topics) == pytest.approx(1)
    of_sea = next(topic.number for topic in topics if topic.words[0][0] in SEA)
    best = model.topics_of("waves and gulls")[0]
    assert best.topic == of_sea
    assert best.share > 0.7
    assert model.topics_of("zebra") == []


def test_english_words_are_stemmed(model):
    assert model.unknown("beach sandy zebras") == ["sandy", "zebras"]
    np.testing.assert_array_equal(model.embed(["beach"]), model.embed(["beaches"]))
    assert model.nearest("towrs") == "towers"


def test_a_query_is_the_mean_of_its_words(model):
    words = model.embed(["sea", "car", "road"])
    expected = np.stack([words.mean(axis=0), words[0], (2 * words[0] + words[1]) / 3, words[0] * 0])
    found = model.embed_queries(["car road sea", "sea", "sea sea car", "zebra"])
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.abs(found[2] - model.embed(["sea sea car"])[0]).max() > 0.01  # as a text it is another thing
    np.testing.assert_array_equal(text.embed_queries(model, ["car road sea"]), found[:1])


def test_words_seen_too_seldom_are_dropped():
    pytest.importorskip("gensim")
    said = ["sea sand"] * 20 + ["seas gull"]
    assert Lda(LdaSettings.published()).fit(said).stems == ["sea"]  # 21 times, its plural counted
    assert set(Lda(LdaSettings(topics=2)).fit(said).stems) == {"sea", "sand", "gull"}
    with pytest.raises(InputError, match="seen 21 times"):
        Lda(LdaSettings.published()).fit(said[:20])


def test_several_workers_find_the_topics_too():
    pytest.importorskip("gensim")
    model = Lda(LdaSettings(topics=2, passes=10, chunk=100, min_count=1, workers=2)).fit(captions())
    phi = model.embed(["sea wave", "shell tide", "car road"])
    assert phi[0] @ phi[1] > phi[0] @ phi[2] + 0.3


def test_a_folder_that_does_not_fit_together(model, tmp_path):
    model.save(tmp_path)
    (tmp_path / "words.txt").write_text("sea")
    with pytest.raises(InputError, match="1 words"):
        text.load(tmp_path)
