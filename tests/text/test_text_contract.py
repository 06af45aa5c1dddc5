"""What every text model promises (`contract.TextModel`), run over each of them."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from cartolina import text
from cartolina.errors import InputError, UnknownName
from cartolina.text.pretrained import read_words
from cartolina.text.word2vec import Word2Vec, Word2VecSettings

CAPTIONS = [
    "A dog is running on the beach.",
    "The sea, the sand and a dog",
    "a child on the sand by the sea",
    "#dog#beach",
] * 5
TEXTS = ["a dog", "the sea, the sand and a dog running on the beach", "", "dog", "zqx!", "a dog"]


@pytest.fixture(params=["word2vec", "word2vec tf-idf", "words", "words sum", "transformer"])
def model(request):
    kind, _, pooling = request.param.partition(" ")
    if kind == "transformer":
        return request.getfixturevalue("tiny_transformer").fit(CAPTIONS)
    if kind == "words":
        return read_words(request.getfixturevalue("word_file")("binary"), pooling or "mean").fit(CAPTIONS)
    pytest.importorskip("gensim")
    return Word2Vec(Word2VecSettings(dim=8, epochs=2), pooling=pooling or "mean").fit(CAPTIONS)


def test_vectors_have_the_promised_shape(model):
    phi = model.embed(TEXTS)
    assert phi.shape == (len(TEXTS), model.dim)
    assert phi.dtype == np.float32
    assert np.isfinite(phi).all()
    assert model.embed([]).shape == (0, model.dim)


def test_a_text_s_vector_is_its_own(model):
    phi = model.embed(TEXTS)
    np.testing.assert_array_equal(phi[0], phi[5])
    for row, alone in enumerate(TEXTS):
        np.testing.assert_allclose(model.embed([alone])[0], phi[row], atol=1e-5)
    assert not np.allclose(phi[0], phi[1])


def test_saved_and_loaded_it_is_the_same(model, tmp_path):
    model.save(tmp_path / "a" / "text")
    loaded = text.load(tmp_path / "a" / "text")
    np.testing.assert_array_equal(loaded.embed(TEXTS), model.embed(TEXTS))
    assert (loaded.name, loaded.dim) == (model.name, model.dim)
    assert text.language(loaded) == text.language(model) != ""
    assert loaded.unknown("dog 🦖 zebra") == model.unknown("dog 🦖 zebra")
    assert loaded.nearest("beahc") == model.nearest("beahc")
    loaded.save(tmp_path / "b")  # a second album may be built from the first
    np.testing.assert_array_equal(text.load(tmp_path / "b").embed(TEXTS), model.embed(TEXTS))


def test_known_words_are_not_unknown(model):
    assert model.unknown("a dog") == []
    assert model.unknown("") == []


def test_hostile_texts_are_only_texts(model):
    phi = model.embed(["\x00", "a" * 10_000, "dog " * 5_000, "\u202e\ufeff", "١٢٣ ½", "[PAD] [CLS]"])
    assert np.isfinite(phi).all()


def test_fit_returns_the_model_and_takes_a_stream(model):
    if model.name != "word2vec":
        assert model.fit(caption for caption in CAPTIONS) is model
    else:
        assert model.fit(caption for caption in CAPTIONS).words


def test_a_loaded_model_needs_the_core_packages_only(model, tmp_path):
    model.save(tmp_path)
    code = """if True:
        import json, sys
        from pathlib import Path
        from cartolina import text
        model = text.load(Path(sys.argv[1]))
        model.embed(["a dog"]), model.unknown("zebra"), model.nearest("dgo")
        print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
    """
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True, timeout=60
    )
    heavy = {"torch", "transformers", "gensim", "onnx", "onnxscript", "pyarrow", "scipy"}
    assert heavy.isdisjoint(json.loads(done.stdout))
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("minilmm", "did you mean 'minilm'"),
        ("words:", "words:/path"),
        ("word2vec:/path", "unknown text model"),
        ("", "Known: "),
    ],
)
def test_unknown_names(name, message):
    with pytest.raises(UnknownName, match=message):
        text.create(name)


def test_pooling_is_for_word_vectors():
    with pytest.raises(UnknownName, match="did you mean 'tf-idf'"):
        text.create("word2vec", pooling="tfidf")
    with pytest.raises(InputError, match="leave out the pooling"):
        text.create("minilm", pooling="mean")
    assert text.create("word2vec", pooling="tf-idf").pooling == "tf-idf"


def test_create_passes_the_seed_and_the_workers_on():
    model = text.create("word2vec", seed=7, workers=2)
    assert (model.settings.seed, model.settings.workers) == (7, 2)
