"""Drawn pictures whose colour their words name, learnt from their pixels by a network of a few weights."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

from cartolina import text as texts
from cartolina.album.space import Space
from cartolina.errors import InputError
from cartolina.learn.checkpoints import read_curve
from cartolina.learn.encoders import Encoder, open_encoder
from cartolina.learn.finetune import split
from cartolina.learn.fit import fabric_here, seeded
from cartolina.learn.optimisers import AdamW, Constant, Sgd
from cartolina.learn.pixel_recipes import PUBLISHED, SCALED, PixelRecipe
from cartolina.learn.pixels import PixelRegression, learn_pixels
from cartolina.learn.small_net import SmallNet
from cartolina.post import Post
from cartolina.vision import load_backbone
from cartolina.vision.preprocessing import Preprocessing

COLOURS = {"red": (200, 30, 30), "green": (30, 180, 40), "blue": (40, 50, 210), "white": (235, 230, 225)}
WORDS = "4 4\nred 2 0 -1 0\ngreen 0 2 0 -1\nblue -1 0 2 0\nwhite 0 -1 0 2\n"
SIDE = 16
QUICK = PixelRecipe(
    epochs=16, batch=12, optimizer=AdamW(lr=0.04), schedule=Constant(), summed=False
)


class Block(nn.Module):
    def __init__(self, given, width, norm):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(given, width, 3, 2, 1), norm(width)

    def forward(self, x):
        return functional.relu(self.norm(self.conv(x)))


class Tiny(nn.Module):
    """Three blocks and their averages: (B, 3, 16, 16) -> (B, 8)."""

    def __init__(self, norm):
        super().__init__()
        self.stem, self.middle, self.last = Block(3, 6, norm), Block(6, 6, norm), Block(6, 8, norm)

    def forward(self, pixels):
        return self.last(self.middle(self.stem(pixels))).mean((2, 3))


def tiny_encoder(norm=nn.BatchNorm2d, free=("last",)):
    with seeded(3):
        module = Tiny(norm).eval()
        for name, buffer in module.named_buffers():
            if name.endswith("running_var"):
                buffer.uniform_(0.5, 2.0)
    trunk, tail = split(module, free)
    return Encoder("tiny", tuple(free), module, trunk, tail, Preprocessing(SIDE), (8,))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """The posts of 48 drawn pictures, two of which cannot be read, and a file of words."""
    folder = tmp_path_factory.mktemp("world")
    (folder / "words.txt").write_text(WORDS)
    rng = np.random.default_rng(0)
    posts = []
    for number in range(48):
        colour = list(COLOURS)[number % 4]
        noise = rng.normal(0, 12, (30, 40, 3))
        Image.fromarray(np.clip(noise + COLOURS[colour], 0, 255).astype(np.uint8)).save(folder / f"{number}.png")
        posts.append(Post(str(number), folder / f"{number}.png", captions=(f"a {colour} wall", colour)))
    (folder / "7.png").write_bytes((folder / "7.png").read_bytes()[:200])
    (folder / "30.png").unlink()
    silent = [Post("silent", folder / "1.png"), Post("bare", None, captions=("red",))]
    return folder, [*posts, *silent]


def learn(world, into, encoder=None, recipe=QUICK, **options):
    folder, posts = world
    return learn_pixels(
        into,
        [lambda: posts],
        encoder or tiny_encoder(),
        text=f"words:{folder / 'words.txt'}",
        recipe=recipe,
        fabric=fabric_here("cpu"),
        **options,
    )


def state(module):
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def test_learns_to_say_the_colour_and_leaves_what_is_frozen(world, tmp_path):
    encoder = tiny_encoder()
    before = state(encoder.module)
    learnt = learn(world, tmp_path / "into", encoder)
    losses = [line["loss"] for line in read_curve(tmp_path / "into" / "run")]
    assert losses[-1] < losses[0] - 0.06
    changed = {name for name, tensor in encoder.module.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed == {f"last.{part}.{kind}" for part in ("conv", "norm") for kind in ("weight", "bias")}
    assert learnt.skipped == {"truncated image": 1, "no such image": 1, "no words": 1, "no picture": 1}
    assert (learnt.images, learnt.captions) == (42, 84)  # of 46 four are held out
    assert learnt.validation["images"] == 4

    space = Space.open(learnt.space)  # what an album would search with
    pictures = [posts.image for posts in world[1][:4]]
    cosines = space.encode_texts([f"a {colour} thing" for colour in COLOURS]) @ space.encode_images(pictures).T
    assert cosines.argmax(1).tolist() == [0, 1, 2, 3]
