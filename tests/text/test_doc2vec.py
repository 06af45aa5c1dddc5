"""Doc2Vec's inference against a loop over one text, and against gensim's."""

from __future__ import annotations

import numpy as np
import pytest

from cartolina import text
from cartolina.errors import InputError
from cartolina.text.doc2vec import Doc2Vec, Doc2VecSettings
from cartolina.text.inference import (
    DRAWN,
    FIRST_RATE,
    INITIAL,
    KEPT,
    LAST_RATE,
    LONGEST,
    WINDOW,
    Paragraphs,
    _Chances,
    _seed,
    uniform,
)


def paragraphs(dbow: bool, words: int = 30, dim: int = 6) -> Paragraphs:
    rng = np.random.default_rng(1)
    hidden, vectors = rng.normal(size=(2, words, dim)).astype(np.float32)
    counts = np.sort(rng.integers(1, 400, words))[::-1].copy()
    return Paragraphs(hidden, None if dbow else vectors, counts, window=3, epochs=20)


def naive(learnt: Paragraphs, words: list[int]) -> np.ndarray:
    """One text, one word and one counterexample at a time, in float64."""
    dim = learnt.hidden.shape[1]
    chances = _Chances.of(learnt.counts)
    seed = np.array([_seed(np.array(words))], np.uint64)

    def draw(what, epoch, place, count):
        return uniform(seed, what, epoch, place, np.arange(count))[0].astype(np.float64)

    d = (draw(INITIAL, 0, 0, dim) - 0.5) / dim
    for epoch in range(learnt.epochs):
        rate = FIRST_RATE + (LAST_RATE - FIRST_RATE) * epoch / (learnt.epochs - 1)
        chance = draw(KEPT, epoch, 0, len(words))
        left = [word for word, c in zip(words, chance, strict=True) if c <= chances.keep[word]]
        for place, word in enumerate(left):
            h = d.copy()
            if learnt.vectors is not None:
                reach = learnt.window - int(draw(WINDOW, epoch, place, 1)[0] * learnt.window)
                around = [left[j] for j in range(len(left)) if j != place and abs(j - place) <= reach]
                h = (d + sum(learnt.vectors[j].astype(np.float64) for j in around)) / (1 + len(around))
            step = np.zeros(dim)
            drawn = chances.draw(draw(DRAWN, epoch, place, 5).astype(np.float32))
            for asked, label in [(word, 1), *((int(one), 0) for one in drawn if one != word)]:
                u = learnt.hidden[asked].astype(np.float64)
                step += rate * (label - 1 / (1 + np.exp(-u @ h))) * u
            d += step
    return d


@pytest.mark.parametrize("dbow", [False, True])
def test_agrees_with_a_loop(dbow):
    learnt = paragraphs(dbow)
    rng = np.random.default_rng(2)
    texts = [rng.integers(0, 30, length) for length in (1, 2, 5, 9, 17, 1, 40)]
    found = learnt.infer(texts)
    for text_, row in zip(texts, found, strict=True):
        np.testing.assert_allclose(row, naive(learnt, text_.tolist()), atol=2e-5)
    assert np.abs(found[0] - found[5]).max() > 0.05


def test_draws_are_even_and_their_own():
    seeds = np.arange(400, dtype=np.uint64)
    numbers = uniform(seeds, DRAWN, 3, 2, np.arange(50))
    assert numbers.min() >= 0
    assert numbers.max() < 1
    counts, _ = np.histogram(numbers, bins=10, range=(0, 1))
    assert np.abs(counts - 2000).max() < 5 * np.sqrt(2000)
    others = [uniform(seeds, *key, np.arange(50)) for key in ((KEPT, 3, 2), (DRAWN, 4, 2), (DRAWN, 3, 3))]
    for other in others:
        assert abs(np.corrcoef(numbers.ravel(), other.ravel())[0, 1]) < 0.03


def test_rare_words_are_kept_and_drawn_as_word2vec_says():
    counts = np.array([900, 90, 10])
    chances = _Chances.of(counts)
    np.testing.assert_allclose(chances.keep[0], (np.sqrt(900) + 1) / 900, rtol=1e-6)  # threshold 1 of 1,000
    assert chances.keep[2] > chances.keep[1] > chances.keep[0]
    drawn = np.bincount(chances.draw(np.linspace(0, 0.999999, 100_000, dtype=np.float32)), minlength=3)
    expected = counts**0.75 / (counts**0.75).sum()
    np.testing.assert_allclose(drawn / 100_000, expected, atol=1e-3)


def test_a_long_text_is_cut():
    learnt = paragraphs(dbow=False)
    words = np.random.default_rng(0).integers(0, 30, LONGEST + 500)
    np.testing.assert_array_equal(*learnt.infer([words, words[:LONGEST]]))


def captions() -> list[str]:
    """About the sea or about the town, never both."""
    rng = np.random.default_rng(0)
    topics = [[f"{topic}{number}" for number in range(60)] for topic in ("sea", "town")]
    return [" ".join(rng.choice(topics[row % 2], 5, replace=False)) for row in range(3000)]


@pytest.mark.parametrize("dbow", [False, True])
def test_infers_what_gensim_infers(dbow):
    models = pytest.importorskip("gensim.models.doc2vec")
    model = Doc2Vec(Doc2VecSettings(dim=20, epochs=30, window=4, min_count=1, dbow=dbow)).fit(captions())
    theirs = models.Doc2Vec(
        [models.TaggedDocument(one.split(), [row]) for row, one in enumerate(captions())],
        vector_size=20, epochs=30, window=4, min_count=1, dm=int(not dbow), seed=0, workers=1,
    )  # fmt: skip
    np.testing.assert_array_equal(model.paragraphs.hidden, theirs.syn1neg)
    said = captions()[:40]  # of the sea and of the town by turns
    phi = model.embed(said)
    runs = np.stack([[theirs.infer_vector(one.split()) for one in said] for _ in range(4)])
    lengths = np.linalg.norm(runs, axis=-1).mean()
    assert np.linalg.norm(phi, axis=-1).mean() == pytest.approx(lengths, rel=0.1)
    # gensim's runs differ from each other; ours is as near to their mean as they are.
    near = [cosines(run, runs.mean(axis=0)).mean() for run in runs]
    assert cosines(phi, runs.mean(axis=0)).mean() > min(near) - 0.05
    if dbow:  # on texts as short as these DM hardly tells topics apart, gensim's no more than ours
        centred = phi - phi.mean(axis=0)
        sea, town = centred[::2].mean(axis=0), centred[1::2].mean(axis=0)
        assert (cosines(centred[::2], sea) > cosines(centred[::2], town)).mean() > 0.9


def cosines(these, those) -> np.ndarray:
    lengths = np.linalg.norm(these, axis=-1) * np.linalg.norm(those, axis=-1)
    return (these * those).sum(axis=-1) / lengths


def test_a_saved_bag_of_words_has_no_word_vectors(tmp_path):
    pytest.importorskip("gensim")
    model = Doc2Vec(Doc2VecSettings(dim=4, epochs=2, min_count=1, dbow=True)).fit(["sea sand"] * 5)
    model.save(tmp_path)
    assert not (tmp_path / "vectors.npy").exists()
    assert text.load(tmp_path).paragraphs.vectors is None


def test_a_folder_that_does_not_fit_together(tmp_path):
    pytest.importorskip("gensim")
    Doc2Vec(Doc2VecSettings(dim=4, epochs=2, min_count=1)).fit(["sea sand"] * 5).save(tmp_path)
    (tmp_path / "words.txt").write_text("sea")
    with pytest.raises(InputError, match="1 words, matrices of shape"):
        text.load(tmp_path)
