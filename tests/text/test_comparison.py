from __future__ import annotations

import numpy as np
import pytest

from cartolina import text
from cartolina.errors import InputError, UnknownName
from cartolina.text import comparison
from cartolina.text.comparison import compare, judged_texts, same_photo
from cartolina.text.sources import Texts


def naive(phi, owner):
    hits = 0
    for i in range(len(phi)):
        cosines = []
        for j in range(len(phi)):
            length = np.linalg.norm(phi[i]) * np.linalg.norm(phi[j])
            cosines.append(phi[i] @ phi[j] / length if length else 0.0)
        same = max(cosines[j] for j in range(len(phi)) if j != i and owner[j] == owner[i])
        others = max(cosines[j] for j in range(len(phi)) if owner[j] != owner[i])
        hits += same > others + 1e-6
    return hits / len(phi)


def test_same_photo_by_a_loop(monkeypatch):
    monkeypatch.setattr(comparison, "AT_A_TIME", 7)
    rng = np.random.default_rng(0)
    owner = np.repeat(np.arange(12), [2, 3, 5, 2, 2, 2, 4, 2, 2, 2, 2, 3])
    phi = (rng.normal(size=(12, 4))[owner] + rng.normal(size=(len(owner), 4))).astype(np.float32)
    phi[3] = 0
    found = same_photo(phi, owner)
    assert found == naive(phi.astype(float), owner)
    assert 0.1 < found < 0.9


def test_ties_count_against():
    owner = np.array([0, 0, 1, 1])
    assert same_photo(np.ones((4, 3), np.float32), owner) == 0
    assert same_photo(np.zeros((4, 3), np.float32), owner) == 0
    assert same_photo(np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32), owner) == 1


def test_photos_are_drawn_whole(monkeypatch):
    owner = np.array([0, 1, 1, 2, 3, 3, 3, 4, 4])
    assert judged_texts(owner, 0).tolist() == [1, 2, 4, 5, 6, 7, 8]
    monkeypatch.setattr(comparison, "PHOTOS", 2)
    drawn = {tuple(judged_texts(owner, seed)) for seed in range(20)}
    assert drawn == {(1, 2, 4, 5, 6), (1, 2, 7, 8), (4, 5, 6, 7, 8)}


@pytest.fixture
def corpus() -> Texts:
    """Twenty photos of one thing in one place each, three captions a photo."""
    rng = np.random.default_rng(1)
    texts, owner = [], []
    for photo in range(20):
        words = [f"thing{photo}", f"place{photo}", "photographed", "sunny"]
        for _ in range(3):
            texts.append(" ".join(rng.permutation(words)))
            owner.append(photo)
    return Texts(texts, np.array(owner))


def test_compares_what_it_learns(corpus, tmp_path):
    pytest.importorskip("gensim")
    names = ["word2vec:dim=16:epochs=200", "lda:topics=2"]
    seen = compare(corpus, names, words=["thing3", "zebra"], k=2, into=tmp_path)
    assert [row.name for row in seen.rows] == names
    assert (seen.texts, seen.photos, seen.judged) == (60, 20, 60)
    assert seen.chance == pytest.approx(100 * 2 / 59)
    first, second = seen.rows
    assert (first.dim, first.words, second.dim, second.words) == (16, 42, 2, 42)
    model = text.load(tmp_path / "word2vec_dim=16_epochs=200")
    assert model.words[0] in ("photographed", "sunny")
    expected = 100 * naive(model.embed(corpus.texts).astype(float), corpus.owner)
    assert first.same_photo == pytest.approx(expected, abs=2)
    assert first.same_photo > seen.chance
    assert len(first.neighbours["thing3"]) == 2
    assert "thing3" not in dict(first.neighbours["thing3"])
    assert first.neighbours["zebra"] == []
    assert seen.to_json()["rows"][1]["name"] == "lda:topics=2"


def test_without_a_second_caption_there_is_nothing_to_judge():
    pytest.importorskip("gensim")
    seen = compare(Texts(["sea sand", "sea gull"], np.array([0, 1])), ["word2vec:dim=4:epochs=1"])
    assert (seen.judged, seen.chance, seen.rows[0].same_photo) == (0, None, None)
    assert set(seen.rows[0].neighbours) == {"sea"}


def test_wrong_names_come_first(corpus):
    with pytest.raises(UnknownName, match="did you mean 'fasttext'"):
        compare(corpus, ["word2vec", "fastext"])
    with pytest.raises(InputError, match="named twice"):
        compare(corpus, ["word2vec", "word2vec"])
