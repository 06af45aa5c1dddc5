"""What every text model promises (`contract.TextModel`), run over each: a new one is a line in LEARNT."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from cartolina import text
from cartolina.errors import InputError, UnknownName
from cartolina.text.onnx_tokens import OnnxTokens
from cartolina.text.onnx_transformer import OnnxTransformer
from cartolina.text.pretrained import read_words

CAPTIONS = [
    "A dog is running on the beach.",
    "The sea, the sand and a dog",
    "a child on the sand by the sea",
    "#dog#beach",
] * 5
TEXTS = ["a dog", "the sea, the sand and a dog running on the beach", "", "dog", "zqx!", "a dog"]


LEARNT = [
    "word2vec:dim=8:epochs=2",
    "word2vec:dim=8:epochs=2:skip_gram=true:pooling=tf-idf",
    "fasttext:dim=8:epochs=2",
    "fasttext:dim=8:epochs=2:skip_gram=false:pooling=sum",
    "fasttext:dim=8:epochs=2:pooling=tf-idf",
    "glove:dim=8:epochs=2",
    "glove:dim=8:epochs=2:pooling=tf-idf",
    "doc2vec:dim=8:epochs=60",
    "doc2vec:dim=8:epochs=60:dbow=true",
    "lda:topics=4:passes=3",
]
OTHERS = ["words", "words sum", "transformer", "tokens", "tokens sum", "tokens tf-idf"]


@pytest.fixture(params=LEARNT + OTHERS)
def model(request):
    if request.param in LEARNT:
        pytest.importorskip("gensim")
        return text.create(request.param).fit(CAPTIONS)
    kind, _, pooling = request.param.partition(" ")
    if kind == "words":
        return read_words(request.getfixturevalue("word_file")("binary"), pooling or "mean").fit(CAPTIONS)
    if kind == "tokens":
        exported = request.getfixturevalue("tiny_tokens").folder
        return OnnxTokens(exported, pooling=pooling or "mean", name=request.param).fit(CAPTIONS)
    return request.getfixturevalue("tiny_transformer").fit(CAPTIONS)


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
    np.testing.assert_allclose(model.embed(TEXTS[::-1] * 70)[: len(TEXTS)][::-1], phi, atol=1e-5)
    assert not np.allclose(phi[0], phi[1])


def test_a_text_without_a_word_is_zero(model):
    if isinstance(model, OnnxTransformer) and not isinstance(model, OnnxTokens):
        assert np.abs(model.embed([""])).max() > 0  # a sentence encoder has something to say of nothing
        return
    assert not model.embed(["", "   ", "!?"])[:2].any()
    assert model.unknown("") == model.unknown("   ") == []


def test_a_query_is_a_text_of_one_word_or_their_mean(model):
    queries = text.embed_queries(model, ["dog", "sea dog", ""])
    assert queries.shape == (3, model.dim)
    assert queries.dtype == np.float32
    np.testing.assert_allclose(queries[0], model.embed(["dog"])[0], atol=1e-6)


def test_saved_and_loaded_it_is_the_same(model, tmp_path):
    model.save(tmp_path / "a" / "text")
    loaded = text.load(tmp_path / "a" / "text")
    np.testing.assert_array_equal(loaded.embed(TEXTS), model.embed(TEXTS))
    assert (loaded.name, loaded.dim) == (model.name, model.dim)
    assert text.language(loaded) == text.language(model) != ""
    assert loaded.unknown("dog 🦖 zebra") == model.unknown("dog 🦖 zebra")
    assert loaded.nearest("beahc") == model.nearest("beahc")
    np.testing.assert_array_equal(text.embed_queries(loaded, TEXTS), text.embed_queries(model, TEXTS))
    loaded.save(tmp_path / "b")  # a second album may be built from the first
    np.testing.assert_array_equal(text.load(tmp_path / "b").embed(TEXTS), model.embed(TEXTS))


def test_a_saved_model_is_plain_files(model, tmp_path):
    model.save(tmp_path / "model")
    files = sorted((tmp_path / "model").iterdir())
    assert {file.suffix for file in files} <= {".json", ".npy", ".txt", ".onnx", ".data"}
    for file in files:
        assert not file.read_bytes().startswith((b"\x80\x03", b"\x80\x04", b"\x80\x05")), (
            file
        )  # pickle's mark
        if file.suffix == ".npy":
            assert np.load(file, allow_pickle=False).dtype.kind in "iuf"


def test_a_damaged_folder_is_told(model, tmp_path):
    model.save(tmp_path)
    for file in tmp_path.glob("*.npy"):
        whole = file.read_bytes()
        file.write_bytes(whole[:40])
        with pytest.raises(InputError, match="cannot be read"):
            text.load(tmp_path)
        file.write_bytes(whole)
    np.testing.assert_array_equal(text.load(tmp_path).embed(TEXTS), model.embed(TEXTS))


def test_known_words_are_not_unknown(model):
    assert model.unknown("a dog") == []
    assert model.unknown("") == []


def test_hostile_texts_are_only_texts(model):
    phi = model.embed(["\x00", "a" * 10_000, "dog " * 5_000, "\u202e\ufeff", "١٢٣ ½", "[PAD] [CLS]"])
    assert np.isfinite(phi).all()


def test_fit_returns_the_model_and_takes_a_stream(model):
    before = model.embed(TEXTS)
    assert model.fit(caption for caption in CAPTIONS) is model
    np.testing.assert_array_equal(model.embed(TEXTS), before)


@pytest.mark.parametrize("name", LEARNT)
def test_one_worker_and_one_seed_give_the_same_vectors_in_another_process(name, tmp_path):
    pytest.importorskip("gensim")
    code = """if True:
        import sys
        import numpy as np
        from cartolina import text
        model = text.create(sys.argv[1], seed=3).fit(sys.argv[3].split("|"))
        np.save(sys.argv[2], model.embed(["a dog", "the sea, the sand"]))
    """
    found = []
    for hash_seed in ("1", "2"):
        file = tmp_path / f"{hash_seed}.npy"
        subprocess.run(
            [sys.executable, "-c", code, name, file, "|".join(CAPTIONS)],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
            timeout=120,
        )
        found.append(np.load(file))
    np.testing.assert_array_equal(*found)
    other = text.create(name, seed=4).fit(CAPTIONS).embed(["a dog", "the sea, the sand"])
    assert not np.array_equal(other, found[0])


@pytest.mark.parametrize("name", LEARNT)
def test_nothing_to_learn_from(name, tmp_path):
    pytest.importorskip("gensim")
    model = text.create(name)
    with pytest.raises(InputError, match="call fit"):
        model.embed(["sea"])
    with pytest.raises(InputError, match="call fit"):
        model.save(tmp_path)
    for texts in ([], ["", "the of", "!!"]):
        with pytest.raises(InputError, match="hold no words"):
            text.create(name).fit(texts)
    with pytest.raises(InputError, match="seen 90 times: set a lower min_count"):
        text.create(f"{name}:min_count=90").fit(CAPTIONS)


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
        ("word2vec:/path", "unknown option of the text model 'word2vec'"),
        ("fastext", "did you mean 'fasttext'"),
        ("", "Known: "),
    ],
)
def test_unknown_names(name, message):
    with pytest.raises(UnknownName, match=message):
        text.create(name)


def test_pooling_is_for_word_vectors():
    with pytest.raises(UnknownName, match="did you mean 'tf-idf'"):
        text.create("word2vec", pooling="tfidf")
    for name in ("doc2vec", "lda"):
        with pytest.raises(InputError, match="leave out the pooling"):
            text.create(name, pooling="mean")
    assert text.create("word2vec", pooling="tf-idf").pooling == "tf-idf"


def test_create_passes_the_seed_and_the_workers_on():
    model = text.create("word2vec", seed=7, workers=2)
    assert (model.settings.seed, model.settings.workers) == (7, 2)
