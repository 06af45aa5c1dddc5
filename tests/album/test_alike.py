"""Groups of nearly the same, against a loop over all pairs."""

import numpy as np
import pytest

from cartolina.album import alike
from cartolina.album.alike import ENOUGH, SURE, WEIGHT, Likeness, stars
from cartolina.progress import SILENT


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def pictures(seed, n=90, dim=80):
    """Families of pictures that differ by some bits and some features, a few of them mirrored."""
    chance = np.random.default_rng(seed)
    heads = chance.choice([-1, 1], (n // 5, 128))
    hearts = chance.standard_normal((n // 5, dim))
    family = chance.integers(n // 5, size=n)
    flips = chance.random((n, 128)) < chance.choice([0.02, 0.1, 0.25, 0.4], (n, 1))
    signs = np.where(flips, -heads[family], heads[family]).astype(np.float32)
    signs[chance.random(n) < 0.2, 64:] *= -1
    features = unit(hearts[family] + chance.standard_normal((n, dim)) * chance.choice([0.1, 0.3, 1], (n, 1)))
    seen = chance.random(n) < 0.9
    return signs, features, seen


def by_hand(signs, features, seen, strict):
    free, groups = set(range(len(signs))), []
    for row in range(len(signs)):
        if row not in free:
            continue
        found = []
        for other in range(row + 1, len(signs)):
            if other not in free:
                continue
            plain = int((signs[row] != signs[other]).sum())
            turned = int((signs[row] != np.r_[signs[other][:64], -signs[other][64:]]).sum())
            bits = plain if strict else min(plain, turned)
            both = seen[row] and seen[other]
            near = not strict and both and features[row] @ features[other] - WEIGHT * bits / 64 >= ENOUGH
            if bits <= SURE or near:
                found.append((other, bits))
        if found:
            groups.append((row, found))
            free -= {other for other, _ in found}
    return groups


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_like_a_loop_over_all_pairs(monkeypatch, seed, strict):
    monkeypatch.setattr(alike, "ROWS", 16)
    monkeypatch.setattr(alike, "COLUMNS", 40)
    monkeypatch.setattr(alike, "AXES", 8)
    monkeypatch.setattr(alike, "AT_ONCE", 7)
    signs, features, seen = pictures(seed)

    def fetch(rows):
        assert seen[rows].all()  # nobody asks for what is not there
        return features[rows]

    found = stars(signs, seen, fetch, SILENT, strict=strict)
    assert [(row, [(n, one.bits) for n, one in others]) for row, others in found] == by_hand(
        signs, features, seen, strict
    )
    assert any(one.mirrored for _, others in found for _, one in others) is not strict


def test_a_chain_does_not_become_one_group():
    """b is like a, c like b, d like c: a takes b; c, which is not like a, takes d."""
    base = np.ones((4, 128), np.float32)
    for n in range(4):
        base[n, : 10 * n : 2] = -1
        base[n, 64 : 64 + 5 * n] = -1
    nothing = np.zeros(4, bool)
    found = stars(base, nothing, lambda rows: np.empty((0, 1), np.float32), SILENT)
    assert [(row, [other for other, _ in others]) for row, others in found] == [(0, [1]), (2, [3])]


def test_one_picture_many_times_is_one_group():
    signs = np.ones((3000, 128), np.float32)
    found = stars(signs, np.zeros(3000, bool), lambda rows: np.empty((0, 1), np.float32), SILENT)
    assert [(row, len(others)) for row, others in found] == [(0, 2999)]
    assert found[0][1][0] == (1, Likeness(0, False, None))
