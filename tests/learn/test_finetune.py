"""A tiny random backbone cut in two, its tail trained, and put together again."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from cartolina.errors import InputError, UnknownName
from cartolina.learn.batches import Shuffled
from cartolina.learn.finetune import Tuned, activations, split, tuned_backbone
from cartolina.learn.fit import Settings, fit
from cartolina.learn.optimisers import AdamW, Cosine
from cartolina.vision import Preprocessing, load_backbone


class Block(nn.Module):
    """A residual block with a functional activation: not a plain chain of children."""

    def __init__(self, width):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width)

    def forward(self, x):
        return functional.relu(x + self.norm(self.conv(x)))


class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.body, self.last = (
            nn.Conv2d(3, 4, 3, 2, 1),
            nn.ModuleList([Block(4), Block(4)]),
            nn.Linear(4, 6),
        )

    def forward(self, pixels):
        x = functional.relu(self.stem(pixels))
        for block in self.body:
            x = block(x)
        return self.last(x.mean((2, 3)).view(pixels.size(0), -1))  # the batch's size passes the cut as well


@pytest.fixture
def tiny():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Tiny().eval()


TRAINED = {f"{part}.{kind}" for part in ("body.1.conv", "body.1.norm", "last") for kind in ("weight", "bias")}
PIXELS = torch.randn(24, 3, 16, 16, generator=torch.Generator().manual_seed(1))
KINDS = torch.arange(24) % 2
PIXELS[KINDS == 1, 0] += 1.0  # redder


def test_both_halves_together_are_the_whole(tiny):
    with torch.no_grad():
        expected = tiny(PIXELS)
        trunk, tail = split(tiny, ["body.1", "last"])
        torch.testing.assert_close(tail(trunk(PIXELS)), expected)
    assert trunk(PIXELS).shape == (24, 4, 8, 8)
    assert {name for name, p in tiny.named_parameters() if p.requires_grad} == TRAINED


def test_says_where_it_cannot_be_cut(tiny):
    with pytest.raises(UnknownName, match=r"did you mean 'body.1'"):
        split(tiny, ["body1"])
    with pytest.raises(InputError, match="name it in the tail as well"):
        split(tiny, ["body.1"])
    with pytest.raises(InputError, match="nothing would be left frozen"):
        split(tiny, ["stem", "body", "last"])
    with pytest.raises(InputError, match="2 tensors pass"):
        split(tiny, ["body.1.norm", "last"])  # the skip connection passes beside it

    class Moody(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.last = nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, x):
            return self.last(x) if x.sum() > 0 else self.stem(x)

    with pytest.raises(InputError, match=r"torch\.fx does not follow"):
        split(Moody(), ["last"])


def cross_entropy(model, batch):
    images, kinds = batch
    return functional.cross_entropy(model(images), kinds)


SETTINGS = Settings(epochs=20, optimizer=AdamW(lr=0.05, lr_factors=(("tail", 0.5),)), schedule=Cosine(2))


def learn(tiny, folder, *, cached):
    trunk, tail = split(tiny, ["body.1", "last"])
    with torch.random.fork_rng():
        torch.manual_seed(3)
        head = nn.Linear(6, 2)
    if cached:
        seen = np.zeros((24, 4, 8, 8), np.float16)
        activations(trunk, PIXELS.numpy().reshape(3, 8, 3, 16, 16), seen)
        images, model = torch.from_numpy(seen), Tuned(tail, head)
    else:
        images, model = PIXELS, Tuned(tail, head, trunk=trunk)

    def load(rows, generator):
        return images[rows].float(), KINDS[rows]

    fit(model, cross_entropy, Shuffled(np.arange(24), 12), load, SETTINGS, folder=folder)
    return trunk, tail, head


@pytest.mark.parametrize("cached", [True, False])
def test_the_tail_learns_and_the_trunk_does_not(tiny, tmp_path, cached):
    before = {name: tensor.clone() for name, tensor in tiny.state_dict().items()}
    trunk, tail, head = learn(tiny, tmp_path, cached=cached)
    changed = {name for name, tensor in tiny.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed == TRAINED
    with torch.no_grad():
        assert (head(tail(trunk(PIXELS))).argmax(1) == KINDS).all()


def test_pixels_and_cached_activations_lead_to_the_same_weights(tmp_path):
    weights = []
    for cached in (True, False):
        torch.manual_seed(0)
        model = Tiny().eval()
        learn(model, tmp_path / str(cached), cached=cached)
        weights.append(model.last.weight.detach())
    torch.testing.assert_close(*weights, atol=2e-3, rtol=0)  # activations are cached in half precision


def test_what_was_learnt_is_a_backbone_that_needs_no_torch(tiny, tmp_path):
    trunk, tail, _ = learn(tiny, tmp_path / "run", cached=True)
    preprocessing = Preprocessing(16)
    tuned = tuned_backbone(trunk, tail, "tiny", preprocessing, device="cpu")
    assert (tuned.name, tuned.shape) == ("tiny:tuned", (6,))
    torch.manual_seed(0)
    assert (
        tuned.fingerprint
        != tuned_backbone(*split(Tiny(), ["last"]), "tiny", preprocessing, "cpu").fingerprint
    )
    tuned.save(tmp_path / "backbone")
    opened = load_backbone(tmp_path / "backbone", device="cpu")
    with torch.no_grad():
        np.testing.assert_allclose(opened(PIXELS.numpy()), tail(trunk(PIXELS)).numpy(), atol=1e-4)


def test_activations_must_fill_their_rows(tiny):
    trunk, _ = split(tiny, ["last"])
    with pytest.raises(InputError, match="8 pictures were given for 9 rows"):
        activations(trunk, [PIXELS[:8].numpy()], np.zeros((9, 4), np.float16))
