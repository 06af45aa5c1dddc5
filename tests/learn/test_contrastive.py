"""InfoNCE against a naive loop, against torch where there is one positive, with a photo that comes twice."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from cartolina.learn.contrastive import Contrastive, Pairs, Temperature, gather, info_nce


def pairs(image_key, text_key, *, scale=7.0, seed=0, dim=5):
    draw = torch.Generator().manual_seed(seed)
    image = functional.normalize(torch.randn(len(image_key), dim, generator=draw, dtype=torch.float64), dim=1)
    text = functional.normalize(torch.randn(len(text_key), dim, generator=draw, dtype=torch.float64), dim=1)
    return Pairs(image, text, torch.tensor(image_key), torch.tensor(text_key), torch.tensor(scale))


def naive(p, smoothing):
    """The module's formula, one logarithm at a time."""
    n, m = len(p.image), len(p.text)
    s = [
        [float(p.scale) * sum(a * b for a, b in zip(u, v, strict=True)) for v in p.text.tolist()]
        for u in p.image.tolist()
    ]

    def one_way(rows, columns, score, same):
        total = 0.0
        for a in range(rows):
            partition = math.log(sum(math.exp(score(a, b)) for b in range(columns)))
            positives = [b for b in range(columns) if same(a, b)]
            hit = sum(score(a, b) - partition for b in positives) / len(positives)
            all_ = sum(score(a, b) - partition for b in range(columns)) / columns
            total += -(1 - smoothing) * hit - smoothing * all_
        return total / rows

    key, word = p.image_key.tolist(), p.text_key.tolist()
    by_image = one_way(n, m, lambda i, j: s[i][j], lambda i, j: key[i] == word[j])
    by_text = one_way(m, n, lambda j, i: s[i][j], lambda j, i: key[i] == word[j])
    return (by_image + by_text) / 2


@given(
    photos=st.lists(st.integers(0, 4), min_size=1, max_size=6),
    more=st.lists(st.integers(0, 5), max_size=6),
    smoothing=st.sampled_from([0.0, 0.05, 0.3]),
    seed=st.integers(0, 99),
)
@settings(max_examples=60, deadline=None)
def test_is_the_naive_loop(photos, more, smoothing, seed):
    captions = photos + [photos[i % len(photos)] for i in more]  # each photo at least once, some more often
    p = pairs(photos, captions, seed=seed)
    assert float(info_nce(p, smoothing)) == pytest.approx(naive(p, smoothing), rel=1e-9)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_with_one_positive_is_torchs_cross_entropy(smoothing):
    p = pairs([4, 2, 9, 7], [4, 2, 9, 7])
    logits = p.scale * p.image @ p.text.T
    gold = torch.arange(4)
    expected = (
        sum(functional.cross_entropy(x, gold, label_smoothing=smoothing) for x in (logits, logits.T)) / 2
    )
    torch.testing.assert_close(info_nce(p, smoothing), expected)


def test_a_photo_that_comes_twice_is_not_its_own_negative():
    """Two views of photo 0 and its caption, all in one place; photo 1 opposite: nothing is left to learn."""
    image = torch.tensor([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]])
    text = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    p = Pairs(image, text, torch.tensor([0, 0, 1]), torch.tensor([0, 1]), torch.tensor(20.0))
    # The caption of photo 0 divides its probability between both views: log 2; all else is certain.
    assert float(info_nce(p)) == pytest.approx(0.5 * (0 + math.log(2) / 2), abs=1e-6)
    image = image.clone().requires_grad_()
    info_nce(p._replace(image=image)).backward()
    assert float(image.grad.abs().max()) < 1e-6


def test_knows_the_right_pairs_from_the_wrong():
    keys = [0, 1, 2, 3]
    p = pairs(keys, keys)
    assert float(info_nce(p._replace(text=p.image))) < 0.1 < float(info_nce(p._replace(text=p.image.flip(0))))


def test_the_scale_stays_within_its_bounds_and_keeps_its_gradient():
    temperature = Temperature(start=20.0, most=30.0)
    assert float(temperature().detach()) == pytest.approx(20.0)
    with torch.no_grad():
        temperature.log_scale.fill_(9.0)
    scale = temperature()
    assert float(scale.detach()) == pytest.approx(30.0)
    scale.backward()
    assert float(temperature.log_scale.grad) == pytest.approx(30.0)
    with torch.no_grad():
        temperature.log_scale.fill_(-9.0)
    assert float(temperature().detach()) == pytest.approx(1.0)


def test_the_losses_of_several_heads_add_up():
    one, two = pairs([0, 1, 2], [0, 1, 2, 2], seed=1), pairs([0, 1, 2], [0, 1, 2, 2], seed=2)

    class Heads(nn.Module):
        def forward(self, batch):
            return [one, two] if batch == "both" else one

    both = Contrastive(0.1)(Heads(), "both")
    torch.testing.assert_close(both, info_nce(one, 0.1) + info_nce(two, 0.1))
    torch.testing.assert_close(Contrastive(0.1)(Heads(), "one"), info_nce(one, 0.1))


def test_learns_a_rotation():
    """Captions are the photos turned in space; a linear map finds the turn."""
    rng = np.random.default_rng(0)
    photos = torch.from_numpy(rng.normal(size=(32, 6)).astype(np.float32))
    turn = torch.from_numpy(np.linalg.qr(rng.normal(size=(6, 6)))[0].astype(np.float32))
    words = functional.normalize(photos @ turn, dim=1)
    torch.manual_seed(0)
    model, temperature = nn.Linear(6, 6, bias=False), Temperature(10.0)
    optimizer = torch.optim.Adam([*model.parameters(), *temperature.parameters()], lr=0.05)
    keys = torch.arange(32)
    for _ in range(80):
        image = functional.normalize(model(photos), dim=1)
        loss = info_nce(Pairs(image, words, keys, keys, temperature()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    found = (functional.normalize(model(photos), dim=1) @ words.T).argmax(1)
    assert float((found == keys).float().mean()) > 0.95


def test_gather_of_one_process_is_the_rows_themselves():
    rows = torch.ones(2, 3)
    assert gather(rows) is rows
