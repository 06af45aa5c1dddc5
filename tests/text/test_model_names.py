from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest

from cartolina import text
from cartolina.errors import InputError, UnknownName
from cartolina.text.doc2vec import Doc2VecSettings
from cartolina.text.fasttext import FastTextSettings
from cartolina.text.glove import GloVeSettings
from cartolina.text.lda import LdaSettings
from cartolina.text.names import asked_for
from cartolina.text.settings import LearntSettings
from cartolina.text.word2vec import Word2VecSettings

KINDS = ["word2vec", "lda", "hf:"]
FAMILIES = [Word2VecSettings, FastTextSettings, GloVeSettings, Doc2VecSettings, LdaSettings]


@dataclass(frozen=True, slots=True, kw_only=True)
class Toy(LearntSettings):
    published_min_count: ClassVar[int] = 10

    dim: int = 400
    rate: float = 0.5
    dbow: bool = False

    def scaled(self, words: int, texts: int) -> Toy:
        return replace(self, dim=words // 10, rate=0.1, min_count=2)


def test_a_name_with_options():
    asked = asked_for("lda:topics=100:rate=0.5:dbow", KINDS, seed=3, workers=2)
    assert (asked.kind, asked.variant, asked.pooling) == ("lda", "", None)
    assert asked.options == {"topics": "100", "rate": "0.5", "dbow": "true"}
    toy = asked_for("lda:dim=30:dbow=True:rate=2", KINDS, seed=3, workers=2).settings(Toy)
    assert (toy.dim, toy.dbow, toy.rate, toy.seed, toy.workers) == (30, True, 2.0, 3, 2)


def test_pooling_is_an_option_like_others():
    assert asked_for("word2vec:pooling=tf-idf", KINDS).pooling == "tf-idf"
    assert asked_for("word2vec", KINDS, pooling="sum").pooling == "sum"
    assert asked_for("word2vec:pooling=sum", KINDS, pooling="sum").pooling == "sum"
    with pytest.raises(InputError, match="pools by 'sum', and 'mean' was asked for too"):
        asked_for("word2vec:pooling=sum", KINDS, pooling="mean")
    with pytest.raises(UnknownName, match="did you mean 'mean'"):
        asked_for("word2vec:pooling=meen", KINDS)


@pytest.mark.parametrize(
    ("name", "path", "options"),
    [
        ("hf:/a/b", "/a/b", {}),
        ("hf:/a/b:pooling=sum", "/a/b", {}),
        ("hf:/a:b/c", "/a:b/c", {}),
        ("hf:/a/b:x=1:y=2", "/a/b", {"x": "1", "y": "2"}),
        ("hf:~/b", str(Path("~/b").expanduser()), {}),
    ],
)
def test_a_path_with_options(name, path, options):
    asked = asked_for(name, KINDS)
    assert str(asked.path) == path
    assert asked.options == options


def test_a_path_that_exists_is_taken_as_it_is(tmp_path):
    odd = tmp_path / "a:pooling=sum"
    odd.mkdir()
    assert asked_for(f"hf:{odd}", KINDS).path == odd
    assert asked_for(f"hf:{odd}", KINDS).pooling is None
    assert asked_for(f"hf:{odd}:pooling=mean", KINDS).pooling == "mean"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lda:dmi=3", "unknown option of the text model 'lda': 'dmi': did you mean 'dim'"),
        ("lda:publishd", "did you mean 'published'"),
        ("lda:seed=3", "unknown option"),
        ("lda:scale=true", "unknown option"),
        ("lda:dim=three", "dim is a whole number, not 'three'"),
        ("lda:dim=3.5", "dim is a whole number"),
        ("lda:dim=", "dim is a whole number"),
        ("lda:rate=fast", "rate is a number"),
        ("lda:dbow=maybe", "dbow is true or false, not 'maybe'"),
        ("lda:dim=0", "dim=0 will not do: it must be above zero"),
        ("lda:rate=-1", "rate=-1.0 will not do"),
        ("lda:rate=nan", "rate=nan will not do"),
        ("lda:min_count=0", "min_count=0 will not do"),
        ("lda:dim=3:dim=4", "says 'dim' twice"),
        ("lda:published:scaled", "asks for published and scaled settings"),
        ("lda::dim=3", "option without a name"),
        ("lda:=3", "option without a name"),
    ],
)
def test_names_that_cannot_be_read(name, message):
    with pytest.raises(InputError, match=message):
        asked_for(name, KINDS).settings(Toy)


def test_models_that_come_learnt_have_nothing_to_set():
    for name in ("glove-6b-50d:dim=3", "glove-6b-50d:published", "minilm:scaled"):
        with pytest.raises(UnknownName, match=r"Known: pooling$"):
            text.create(name)


def test_as_they_are_published_and_scaled():
    plain = asked_for("lda", KINDS).settings(Toy)
    assert [plain.for_corpus(words, 9).min_count for words in (7, 5_000, 25_000, 50_000, 10**9)] == [
        1, 1, 5, 10, 10,
    ]  # fmt: skip
    published = asked_for("lda:published", KINDS).settings(Toy)
    assert published == Toy.published()
    assert published.for_corpus(7, 9).min_count == 10
    assert asked_for("lda:published:min_count=3", KINDS).settings(Toy).min_count == 3
    scaled = asked_for("lda:scaled:rate=0.5", KINDS).settings(Toy).for_corpus(2_000, 9)
    assert (scaled.dim, scaled.rate, scaled.min_count) == (200, 0.5, 2)  # what is said stays as said


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_settles_at_any_size(family):
    for words in (1, 1_000, 100_000, 10**8):
        for settings in (family(), family.published(), family(scale=True)):
            settled = settings.for_corpus(words, max(1, words // 10))
            assert settled.min_count >= 1
            assert not settled.scale
            assert settled.for_corpus(words, max(1, words // 10)) == settled
    small = family(scale=True).for_corpus(300_000, 30_000)
    assert replace(small, min_count=None) != family()  # else the variant would say nothing


def test_defaults_are_the_papers():
    for settings in (Word2VecSettings.published(), FastTextSettings.published()):
        assert (settings.dim, settings.window, settings.epochs, settings.min_count) == (400, 8, 25, 5)
    assert not Word2VecSettings().skip_gram
    assert FastTextSettings().skip_gram
    doc2vec = Doc2VecSettings.published()
    assert (doc2vec.dim, doc2vec.window, doc2vec.epochs, doc2vec.min_count) == (400, 8, 50, 10)
    assert not doc2vec.dbow
    lda = LdaSettings.published()
    assert (lda.topics, lda.passes, lda.chunk, lda.min_count) == (200, 1, 5_000, 21)


def test_a_model_is_called_what_it_was_asked_as(tmp_path):
    pytest.importorskip("gensim")
    name = "word2vec:dim=4:epochs=1:pooling=sum"
    model = text.create(name).fit(["sea sand"])
    model.save(tmp_path)
    assert text.load(tmp_path).name == model.name == name


def test_a_model_that_comes_learnt_has_its_pooling_in_its_name(tmp_path):
    (tmp_path / "w.txt").write_text("sea 1 2\nsand 2 1\n")
    assert (
        text.create(f"words:{tmp_path / 'w.txt'}:pooling=sum").name
        == f"words:{tmp_path / 'w.txt'}:pooling=sum"
    )
    assert text.create(f"words:{tmp_path / 'w.txt'}", pooling="sum").name == f"words:{tmp_path / 'w.txt'}"
