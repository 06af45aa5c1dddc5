from __future__ import annotations

import json

import numpy as np
import pytest

from cartolina import text
from cartolina.errors import InputError, UnknownName
from cartolina.text.word_vectors import WordVectors

VECTORS = np.array([[1, 0], [0, 1], [2, 2]], np.float32)


def model(**options) -> WordVectors:
    return WordVectors("toy", ["sea", "sand", "who"], VECTORS, **options)


def test_embed_by_hand():
    phi = model().embed(["The sea, the sea!", "sand by the sea", "lighthouse", ""])
    np.testing.assert_array_equal(phi, [[1, 0], [0.5, 0.5], [0, 0], [0, 0]])
    np.testing.assert_array_equal(model(pooling="sum").embed(["sea sea sand"]), [[2, 1]])


def test_a_text_of_stop_words_alone_keeps_them():
    np.testing.assert_array_equal(model().embed(["Who?", "who, the sea"]), [[2, 2], [1, 0]])
    assert model().unknown("the who") == ["the"]


def test_unknown_words_once_each_in_order():
    assert model().unknown("Lighthouse by the sea, a gull, a lighthouse") == ["lighthouse", "gull"]


def test_tf_idf_weighs_by_the_captions():
    fitted = model(pooling="tf-idf").fit(["sea sand", "sea", "sea", "sea"])
    # "sea" is in every caption and weighs nothing; the only weight left is made 1.
    np.testing.assert_allclose(fitted.embed(["sea sea sand", "sea"]), [[0, 1], [0, 0]])


def test_tf_idf_needs_captions_first():
    with pytest.raises(InputError, match=r"call fit\(captions\)"):
        model(pooling="tf-idf").embed(["sea"])


def test_unknown_pooling():
    with pytest.raises(UnknownName, match="did you mean 'mean'"):
        model(pooling="meen")


def test_nearest_is_for_one_word():
    assert model().nearest("Sandd!") == "sand"
    assert model().nearest("sandd seaa") is None


def test_a_saved_model_stays_on_disk(tmp_path):
    model().save(tmp_path)
    loaded = WordVectors.load(tmp_path)
    assert isinstance(loaded.vectors, np.memmap)
    assert loaded.idf is None


def test_a_folder_that_does_not_fit_together(tmp_path):
    model().save(tmp_path)
    (tmp_path / "words.txt").write_text("sea\nsand")
    with pytest.raises(InputError, match="2 words"):
        text.load(tmp_path)


@pytest.mark.parametrize("file", ["vectors.npy", "words.txt"])
def test_a_folder_with_a_damaged_file(file, tmp_path):
    model().save(tmp_path)
    (tmp_path / file).write_bytes(b"\xff\xff")
    with pytest.raises(InputError, match="cannot be read"):
        text.load(tmp_path)
    (tmp_path / file).unlink()
    with pytest.raises(InputError, match="cannot be read"):
        text.load(tmp_path)


def test_pickled_arrays_are_refused(tmp_path):
    model().save(tmp_path)
    np.save(tmp_path / "vectors.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="cannot be read"):
        text.load(tmp_path)


@pytest.mark.parametrize(
    ("card", "message"),
    [
        (None, "no text.json"),
        ("{", "cannot be read"),
        ("[]", "says nothing of its format"),
        (json.dumps({"format": 99, "kind": "words"}), "format 99"),
        (json.dumps({"format": 1, "kind": "wrods"}), "did you mean 'words'"),
    ],
)
def test_a_folder_that_is_no_text_model(card, message, tmp_path):
    if card is not None:
        (tmp_path / "text.json").write_text(card)
    with pytest.raises(InputError, match=message):
        text.load(tmp_path)
