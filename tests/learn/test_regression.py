"""Eq. 2 by hand, and a perfect regressor: cosine 1 and R@1 = 100 in each target's matching space."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from cartolina.errors import InputError, UnknownName
from cartolina.learn.batches import Shuffled
from cartolina.learn.fit import Settings, fit, seeded
from cartolina.learn.optimisers import AdamW
from cartolina.learn.regression import TARGETS, PhotoSide, Regression, TextSide, min_max, text_side


def sigma(x):
    return 1 / (1 + math.exp(-x))


PSI = [[0.5, -1.0, 2.0], [0.0, 3.0, -0.5]]
PHI = [[1.0, 0.0, -2.0], [0.2, 0.4, 1.2]]


SHARES = [[0.5, 0.25, 0.25], [0.0, 0.9, 0.1]]  # a distribution over topics, as LDA's φ


def phi_of(target):
    return SHARES if target == "itself" else PHI


def by_hand(target):
    total = 0.0
    for psi, phi in zip(PSI, phi_of(target), strict=True):
        for d in range(3):
            if target == "mse":
                total += (psi[d] - phi[d]) ** 2
                continue
            p = phi[d] if target == "itself" else sigma(phi[d])
            if target == "min-max":
                p = (phi[d] - min(phi)) / (max(phi) - min(phi))
            total -= p * math.log(sigma(psi[d])) + (1 - p) * math.log(1 - sigma(psi[d]))
    return total / 6


@pytest.mark.parametrize("target", TARGETS)
def test_is_equation_2_by_hand(target):
    loss = Regression(target).loss(torch.tensor(PSI), torch.tensor(phi_of(target)))
    assert loss.item() == pytest.approx(by_hand(target), rel=1e-5)


def perfect(phi, target):
    """The ψ that minimises the loss."""
    if target == "itself":
        return torch.logit(phi, eps=1e-6)
    return torch.logit(min_max(phi), eps=1e-6) if target == "min-max" else phi.clone()


def drawn(target, phi):
    """`phi` as a text model would give it: LDA's rows are distributions."""
    return (3 * phi).softmax(1) if target == "itself" else phi


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("spread", [0.05, 3.0])  # unit rows of a sentence encoder; sums of word vectors
def test_a_perfect_regressor_finds_every_photo(target, spread):
    draw = torch.Generator().manual_seed(0)
    phi = drawn(target, torch.randn(40, 64, generator=draw) * spread + 0.1)
    psi = perfect(phi, target)
    photos = PhotoSide(nn.Identity(), target)(psi)
    side = text_side(target) or nn.functional.normalize
    words = side(phi)
    cosine = photos @ words.T
    np.testing.assert_allclose(cosine.diagonal(), 1.0, atol=1e-4)
    assert (cosine.argmax(1) == torch.arange(40)).all()  # R@1 = 100 both ways
    assert (cosine.argmax(0) == torch.arange(40)).all()
    # and it is the optimum: any step away from it costs
    best = Regression(target).loss(psi, phi)
    for seed in range(3):
        step = 0.1 * torch.randn(psi.shape, generator=torch.Generator().manual_seed(seed))
        assert Regression(target).loss(psi + step, phi) > best


def test_comparing_the_sigmoids_would_not_tell_texts_apart():
    """Why the matching space matters: in σ's space all small φ point the same way."""
    phi = 0.05 * torch.randn(40, 64, generator=torch.Generator().manual_seed(0))
    sigmoids = nn.functional.normalize(phi.sigmoid())
    others = (sigmoids @ sigmoids.T)[~torch.eye(40, dtype=torch.bool)]
    matching = nn.functional.normalize(phi)
    assert others.min() > 0.99
    assert (matching @ matching.T)[~torch.eye(40, dtype=torch.bool)].max() < 0.6


@pytest.mark.parametrize("target", TARGETS)
def test_learns_a_linear_world(tmp_path, target):
    rng = np.random.default_rng(0)
    phi = drawn(target, torch.from_numpy(rng.normal(size=(200, 8)).astype(np.float32)))
    seen = {"min-max": min_max, "itself": torch.logit}.get(target, torch.clone)(phi)
    photos = seen @ torch.from_numpy(np.linalg.qr(rng.normal(size=(8, 8)))[0].astype(np.float32))

    def load(rows, generator):
        return photos[rows], phi[rows]

    with seeded(0):
        psi = nn.Linear(8, 8)
    settings = Settings(epochs=60, optimizer=AdamW(lr=0.05, weight_decay=0))
    fit(psi, Regression(target), Shuffled(np.arange(150), 50), load, settings, folder=tmp_path)
    side = text_side(target) or nn.functional.normalize
    with torch.no_grad():
        cosine = PhotoSide(psi, target)(photos[150:]) @ side(phi[150:]).T  # photos it has not seen
    assert float((cosine.argmax(1) == torch.arange(50)).float().mean()) > 0.9


def test_min_max_spans_0_to_1_and_has_nothing_for_nothing():
    scaled = min_max(torch.tensor([[2.0, 4.0, 3.0], [0.0, 0.0, 0.0], [-1.0, 3.0, 1.0]]))
    torch.testing.assert_close(scaled, torch.tensor([[0.0, 1.0, 0.5], [0.0, 0.0, 0.0], [0.0, 1.0, 0.5]]))
    assert TextSide()(torch.zeros(1, 3)).tolist() == [[0.0, 0.0, 0.0]]


def test_what_is_no_share_cannot_be_a_target_itself():
    for phi in ([[1.5, 0.0]], [[-0.5, 0.5]]):
        with pytest.raises(InputError, match=r"within \[0, 1\]"):
            Regression("itself").loss(torch.zeros(1, 2), torch.tensor(phi))


def test_an_unknown_target_lists_the_known():
    with pytest.raises(UnknownName, match="did you mean 'sigmoid'"):
        Regression("sigmoidal")
