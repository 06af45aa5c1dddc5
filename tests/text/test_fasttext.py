"""FastText against gensim's: the same n-grams, the same vectors, for words seen and unseen."""

from __future__ import annotations

import numpy as np
import pytest

from cartolina import text
from cartolina.errors import InputError
from cartolina.text.fasttext import FastText, FastTextSettings, initial_rows
from cartolina.text.ngrams import fnv1a, ngram_buckets
from cartolina.text.tokens import tokens

gensim = pytest.importorskip("gensim.models.fasttext")

CAPTIONS = [
    "the runner runs by the sea",
    "a dog running in sand",
    "Übergröße, naïve and 猫",
    "runners at sea",
] * 8
SMALL = FastTextSettings(dim=7, epochs=3, window=3, min_count=1, buckets=5_000, seed=5)


def gensims(settings=SMALL):
    """The model of gensim itself, with all of its buckets."""
    return gensim.FastText(
        [tokens(caption) for caption in CAPTIONS],
        vector_size=settings.dim, window=settings.window, min_count=settings.min_count,
        epochs=settings.epochs, sg=int(settings.skip_gram), seed=settings.seed, workers=1,
        bucket=settings.buckets, min_n=settings.min_n, max_n=settings.max_n,
    )  # fmt: skip


@pytest.mark.parametrize("word", ["sea", "a", "", "über", "naïve", "猫", "x" * 60, "don", "🦖t"])
@pytest.mark.parametrize(("shortest", "longest"), [(3, 6), (1, 4), (2, 2), (5, 9)])
def test_buckets_are_gensims(word, shortest, longest):
    ours = ngram_buckets(word, 2_000_000, shortest, longest)
    assert sorted(ours) == sorted(gensim.ft_ngram_hashes(word, shortest, longest, 2_000_000))


def test_n_grams_by_hand():
    grams = ["<se", "sea", "ea>", "<sea", "sea>", "<sea>"]
    assert sorted(ngram_buckets("sea", 997)) == sorted(fnv1a(gram.encode()) % 997 for gram in grams)
    assert fnv1a(b"a") == 0xE40C292C  # FNV-1a's published test vector
    assert fnv1a("é".encode()) != 0x1C7FB6AA  # and where FastText leaves it: above 127


@pytest.mark.parametrize("dim", [4, 7])
def test_only_the_rows_needed_are_drawn(dim):
    rng = np.random.default_rng(9)
    whole = (rng.random((300, dim), dtype=np.float32) * 2 - 1) / dim
    numbers = np.array([0, 1, 5, 6, 7, 131, 299], np.uint32)
    np.testing.assert_array_equal(initial_rows(numbers, dim, 9), whole[numbers])


@pytest.mark.parametrize("skip_gram", [True, False])
def test_learns_what_gensim_learns_bit_for_bit(skip_gram):
    settings = FastTextSettings(
        dim=7, epochs=3, window=3, min_count=1, buckets=5_000, seed=5, skip_gram=skip_gram
    )
    theirs = gensims(settings)
    ours = FastText(settings).fit(CAPTIONS)
    assert ours.words == theirs.wv.index_to_key
    np.testing.assert_array_equal(ours.vectors, theirs.wv.vectors)
    np.testing.assert_array_equal(ours.ngrams, theirs.wv.vectors_ngrams[ours.numbers])


def test_unseen_words_are_gensims_but_for_what_was_never_learnt(tmp_path):
    theirs = gensims()
    model = FastText(SMALL).fit(CAPTIONS)
    never = np.setdiff1d(np.arange(SMALL.buckets), model.numbers)
    theirs.wv.vectors_ngrams[never] = 0  # the random numbers those buckets began with
    model.save(tmp_path)
    for one in (model, text.load(tmp_path)):
        for word in ("runnings", "seas", "größe", "sandy", "dogs"):
            assert word not in one.rows
            np.testing.assert_allclose(one.embed([word])[0], theirs.wv[word], rtol=0, atol=1e-7)
            assert one.unknown(word) == []


def test_unseen_words_are_pooled_with_the_others():
    mean, total, weighed = (
        FastText(SMALL, pooling=pooling).fit(CAPTIONS) for pooling in ("mean", "sum", "tf-idf")
    )
    seas, runs = mean.embed(["seas"])[0], mean.embed(["runs"])[0]
    np.testing.assert_allclose(mean.embed(["seas runs seas"])[0], (2 * seas + runs) / 3, atol=1e-7)
    np.testing.assert_allclose(total.embed(["seas runs seas"])[0], 2 * seas + runs, atol=1e-7)
    rare, common = float(weighed.idf.max()), float(weighed.idf[weighed.rows["runs"]])
    length = np.hypot(2 * rare, common)
    expected = (2 * rare * seas + common * runs) / length
    np.testing.assert_allclose(weighed.embed(["seas runs seas"])[0], expected, atol=1e-6)


def test_a_word_of_which_no_n_gram_was_seen_is_unknown():
    model = FastText(FastTextSettings(dim=7, epochs=1)).fit(
        CAPTIONS
    )  # in many buckets: none shared by chance
    assert model.unknown("a zyxw by the seas") == ["zyxw"]
    assert not model.embed(["zyxw"]).any()
    np.testing.assert_array_equal(model.embed(["sea zyxw"]), model.embed(["sea"]))


def test_a_folder_that_does_not_fit_together(tmp_path):
    FastText(SMALL).fit(CAPTIONS).save(tmp_path)
    np.save(tmp_path / "buckets.npy", np.arange(3, dtype=np.uint32))
    with pytest.raises(InputError, match="3 buckets, vectors of shape"):
        text.load(tmp_path)


def test_n_grams_that_are_none():
    with pytest.raises(InputError, match="min_n must not be above max_n"):
        FastText(FastTextSettings(min_n=4, max_n=3))
    with pytest.raises(InputError, match="n-grams of 60 characters"):
        FastText(FastTextSettings(min_n=60, max_n=61)).fit(CAPTIONS)
