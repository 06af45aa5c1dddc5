"""The matching spaces on a perfect regressor, and learning in a linear world."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from cartolina.errors import InputError
from cartolina.evaluate.experiments.asking import NOTHING, best, query_vectors
from cartolina.evaluate.experiments.judging import asked
from cartolina.evaluate.experiments.photo_side import (
    InUnitsOf,
    PhotoSideSettings,
    Said,
    Space,
    embed,
    learn_photo_side,
    said,
)
from cartolina.learn.regression import TARGETS, PhotoSide, min_max
from cartolina.text.word_vectors import WordVectors


def phi_of(target, count=40, dim=16):
    phi = 0.3 * torch.randn(count, dim, generator=torch.Generator().manual_seed(0)) + 0.05
    return (10 * phi).softmax(1) if target == "itself" else phi


class Perfect(nn.Module):
    """ψ that has learnt its target to the last digit: it looks φ up by the feature's number."""

    def __init__(self, target):
        super().__init__()
        phi = phi_of(target)
        wanted = {"min-max": min_max, "itself": torch.Tensor.clone}.get(target)
        self.psi = phi if wanted is None else torch.logit(wanted(phi), eps=1e-6)

    def forward(self, rows):
        return self.psi[rows.argmax(1)]


@pytest.mark.parametrize("target", TARGETS)
def test_a_perfect_regressor_finds_every_photo_first(target):
    space = Space(target, 100.0, 1, PhotoSide(Perfect(target), target))
    one_hot = np.eye(40, dtype=np.float16)[:, None, :]  # (N, 1 view, 40 features)
    photos, texts = space.photos(one_hot), space.texts(phi_of(target).numpy())
    np.testing.assert_allclose(np.linalg.norm(photos, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose((texts * photos).sum(1), 1, atol=1e-3)
    assert best(texts, photos, 1)[:, 0].tolist() == list(range(40))


def test_a_text_of_unknown_words_stays_zero_in_every_space():
    for target in TARGETS:
        space = Space(target, 0.0, 1, nn.Identity())
        assert not space.texts(np.zeros((1, 8), np.float32)).any()


MODEL = WordVectors("toy", ["sea", "sand"], np.array([[2.0, 0.0], [0.0, 1.0]], np.float32))


def test_queries_are_sums_of_unit_terms_and_unknown_ones_find_nothing():
    space = Space("sigmoid", 0.0, 1, nn.Identity())
    queries = [asked(name) for name in ("sea", "sea+sand", "sea+moon", "moon")]
    vectors = query_vectors(space, MODEL, queries)
    np.testing.assert_allclose(vectors, [[1, 0], [1, 1], [1, 0], [0, 0]])  # the longer vector weighs no more
    photos = np.array([[0.0, 1.0], [1.0, 0.0], [0.7, 0.7]], np.float32)
    ranked = best(vectors, photos, 2)
    assert ranked.tolist() == [[1, 2], [2, 0], [1, 2], [NOTHING, NOTHING]]  # ties go by number


def test_captions_change_hands_whole():
    words = Said(np.arange(6, dtype=np.float32)[:, None], np.array([0, 1, 4, 6]))
    swapped = words.of(np.array([1, 0, 2]))
    assert swapped.phi[:, 0].tolist() == [1, 2, 3, 0, 4, 5]
    assert swapped.starts.tolist() == [0, 3, 4, 6]


def world(photos=150, dim=8, seed=0):
    """Features from which φ follows by a rotation, and two captions a photo, the second of unknown words."""
    rng = np.random.default_rng(seed)
    phi = rng.normal(size=(photos, dim)).astype(np.float32)
    turn = np.linalg.qr(np.random.default_rng(5).normal(size=(dim, dim)))[0]
    seen = np.concatenate([np.maximum(phi @ turn, 0), np.maximum(-phi @ turn, 0)], axis=1)
    both = np.stack([phi, np.zeros_like(phi)], axis=1).reshape(-1, dim)
    return seen[:, None, :].astype(np.float16), Said(both, 2 * np.arange(photos + 1))


FAST = PhotoSideSettings(
    hidden=64, dropout=(0.0, 0.0), batch=25, epochs=40, learning_rate=1e-2, weight_decay=0.0
)


@pytest.mark.parametrize("target", ["sigmoid", "min-max", "mse"])
def test_learns_what_can_be_seen(tmp_path, target):
    features, words = world()
    space = learn_photo_side(features, words, target=target, folder=tmp_path / "run", settings=FAST)
    others, of_others = world(40, seed=1)  # photos it has not seen
    ranked = best(space.texts(of_others.phi[::2]), space.photos(others), 3)
    assert (ranked == np.arange(40)[:, None]).any(1).mean() > 0.8


def test_it_matters_little_how_long_phi_is(tmp_path):
    features, words = world()
    settings = replace(FAST, epochs=8)
    photos = {}
    for factor in (1, 2**-6):  # powers of two, so that no rounding differs
        given = Said(words.phi * np.float32(factor), words.starts)
        folder = tmp_path / str(factor)
        space = learn_photo_side(features, given, target="mse", folder=folder, settings=settings)
        photos[factor] = space.photos(features)
    assert (photos[1] * photos[2**-6]).sum(1).min() > 0.98
    with torch.no_grad():
        start = InUnitsOf(3 + words.phi[::2], nn.Linear(16, 8))(torch.zeros(1, 16))
    assert np.abs(start.numpy() - 3).max() < 1


def test_too_few_known_captions_are_told(tmp_path):
    features, words = world(30)
    words.phi[20:] = 0
    with pytest.raises(InputError, match="10 photos have captions with words"):
        learn_photo_side(features, words, folder=tmp_path)


def test_embed_goes_in_parts(monkeypatch):
    monkeypatch.setattr("cartolina.evaluate.experiments.photo_side.AT_A_TIME", 2)
    texts = ["sea", "sand", "sea sand", "moon", "sand"]
    np.testing.assert_array_equal(embed(MODEL, texts), MODEL.embed(texts))
    assert said(MODEL, [("sea",), (), ("sand", "moon")]).starts.tolist() == [0, 1, 1, 3]
