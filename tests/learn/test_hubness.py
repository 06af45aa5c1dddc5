import numpy as np
import torch
from torch import nn
from torch.nn import functional

from cartolina.learn.hubness import ALPHA, BETA, WEIGHT, Unhubbed


def unit(rows, dim=16, seed=0):
    return functional.normalize(torch.randn(rows, dim, generator=torch.Generator().manual_seed(seed)), dim=1)


def naive_nearness(vector, bank):
    return np.log(np.mean([np.exp(BETA * float(vector @ one)) for one in bank])) / BETA


def test_scores_are_those_of_the_formula():
    photos, texts = unit(5, seed=1), unit(4, seed=2)
    photo_bank, text_bank = unit(30, seed=3), unit(40, seed=4)
    photo_side = Unhubbed(nn.Identity(), text_bank, photo_bank, first=True)
    text_side = Unhubbed(nn.Identity(), photo_bank, text_bank, first=False)
    v, t = photo_side(photos), text_side(texts)
    torch.testing.assert_close(v.norm(dim=1), torch.ones(5))
    torch.testing.assert_close(t.norm(dim=1), torch.ones(4))
    # Undo the two lengths: c is known, so the last and last but one coordinates give them.
    v, t = v / v[:, -1:] * WEIGHT, t / t[:, -2:-1] * WEIGHT
    mean_v = np.mean([naive_nearness(one, text_bank) for one in photo_bank])
    mean_t = np.mean([naive_nearness(one, photo_bank) for one in text_bank])
    for i in range(4):
        for j in range(5):
            expected = (
                float(texts[i] @ photos[j])
                - ALPHA * (naive_nearness(photos[j], text_bank) - mean_v)
                - ALPHA * (naive_nearness(texts[i], photo_bank) - mean_t)
            )
            assert abs(float(t[i] @ v[j]) - expected) < 1e-5


def test_a_hub_no_longer_wins_what_is_not_its_own():
    generator = torch.Generator().manual_seed(5)
    own = unit(50, seed=6)
    # Every text leans to one direction; a photo that is that direction is everybody's second best.
    lean = functional.normalize(torch.ones(1, 16), dim=1)
    texts = functional.normalize(own + 1.2 * lean + 0.3 * torch.randn(50, 16, generator=generator), dim=1)
    photos = torch.cat([own, lean])
    plain = (texts @ photos.T).argmax(1)
    photo_side = Unhubbed(nn.Identity(), texts, photos, first=True)
    text_side = Unhubbed(nn.Identity(), photos, texts, first=False)
    mended = (text_side(texts) @ photo_side(photos).T).argmax(1)
    assert (plain == 50).sum() > 25
    assert (mended == 50).sum() < 5
    assert (mended == torch.arange(50)).sum() > 2 * (plain == torch.arange(50)).sum()


def test_the_difference_of_two_texts_favours_no_photo():
    bank = unit(30, seed=7)
    text_side = Unhubbed(nn.Identity(), bank, bank, first=False)
    one, other = text_side(unit(2, seed=8))
    assert abs(float(one[-2] - other[-2])) < 0.02 < WEIGHT
