"""Which rows names and settings make."""

import pytest

from cartolina.errors import InputError, UnknownName
from cartolina.evaluate.experiments.models import model_rows


def labels(*names, **options):
    return [row.label for row in model_rows(names, **options)]


def test_a_bare_name_learnt_here_is_a_row_a_setting():
    assert labels("word2vec", "minilm") == ["word2vec:published", "word2vec:scaled", "minilm"]
    assert labels("word2vec", settings=()) == ["word2vec"]
    assert labels("word2vec:scaled", "word2vec") == ["word2vec:scaled", "word2vec:published"]  # once each
    assert labels("word2vec", settings=["scaled"], poolings=["mean", "tf-idf"]) == [
        "word2vec:scaled mean",
        "word2vec:scaled tf-idf",
    ]


def test_who_was_learnt_elsewhere():
    assert [row.pretrained for row in model_rows(["word2vec", "glove-6b-50d", "words:/f"], settings=())] == [
        False,
        True,
        True,
    ]


def test_targets():
    assert {row.target for row in model_rows(["word2vec"])} == {"sigmoid"}
    assert {row.target for row in model_rows(["word2vec"], target="min-max")} == {"min-max"}


@pytest.mark.parametrize(
    "options",
    [
        {"names": ["word2vek"]},
        {"names": ["word2vec:dims=3"]},
        {"settings": ["published", "tiny"]},
        {"poolings": ["max"]},
        {"target": "l1"},
    ],
)
def test_an_unknown_name_lists_the_known(options):
    with pytest.raises(UnknownName, match="Known: "):
        model_rows(options.pop("names", ["word2vec"]), **options)


def test_no_model_at_all():
    with pytest.raises(InputError, match="no text model"):
        model_rows([])
