"""Drawn pictures whose colour their words name, learnt from their pixels by a network of a few weights."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

from cartolina.album.space import Space
from cartolina.errors import InputError, UnknownName
from cartolina.learn import pixels
from cartolina.learn.checkpoints import read_curve
from cartolina.learn.crops import Crops
from cartolina.learn.encoders import Encoder, open_encoder
from cartolina.learn.finetune import split
from cartolina.learn.fit import fabric_here, seeded
from cartolina.learn.optimisers import AdamW, Constant, Sgd, Steps
from cartolina.learn.phi import phi_of
from cartolina.learn.pixel_recipes import PUBLISHED, SCALED, PixelRecipe
from cartolina.learn.pixels import PixelRegression, learn_pixels
from cartolina.learn.small_net import SmallNet
from cartolina.post import Post
from cartolina.vision import backbone
from cartolina.vision.pictures import gather, listing
from cartolina.vision.preprocessing import Preprocessing

COLOURS = {"red": (200, 30, 30), "green": (30, 180, 40), "blue": (40, 50, 210), "white": (235, 230, 225)}
WORDS = "4 4\nred 2 0 -1 0\ngreen 0 2 0 -1\nblue -1 0 2 0\nwhite 0 -1 0 2\n"
SIDE = 16
QUICK = PixelRecipe(epochs=16, batch=12, optimizer=AdamW(lr=0.04), schedule=Constant(), summed=False)


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


def drawn(folder):
    """48 posts that say their pictures' colour, and two that cannot be learnt from."""
    colours = [list(COLOURS)[number % 4] for number in range(48)]
    posts = [
        Post(str(number), folder / f"{number}.png", captions=(f"a {colour} wall", colour))
        for number, colour in enumerate(colours)
    ]
    return [*posts, Post("silent", folder / "1.png"), Post("bare", None, captions=("red",))]


def draw(folder):
    """Draw the pictures of `drawn`, two of which cannot be read, and write a file of words."""
    (folder / "words.txt").write_text(WORDS)
    rng = np.random.default_rng(0)
    for number, post in enumerate(drawn(folder)[:48]):
        noisy = rng.normal(0, 12, (30, 40, 3)) + COLOURS[post.captions[1]]
        Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(folder / f"{number}.png")
    (folder / "7.png").write_bytes((folder / "7.png").read_bytes()[:200])
    (folder / "30.png").unlink()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """The folder of pictures and words, and the posts."""
    folder = tmp_path_factory.mktemp("world")
    draw(folder)
    return folder, drawn(folder)


def learn(world, into, encoder=None, recipe=QUICK, **options):
    folder, posts = world
    return learn_pixels(
        into,
        [lambda: posts],
        encoder or tiny_encoder(),
        text=f"words:{folder / 'words.txt'}",
        recipe=recipe,
        **{"fabric": fabric_here("cpu")} | options,
    )


def state(module):
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


@pytest.fixture(scope="module")
def run(world, tmp_path_factory):
    """One whole run: the folder, the encoder, its weights before, what came of it."""
    into, encoder = tmp_path_factory.mktemp("run") / "into", tiny_encoder()
    before = state(encoder.module)
    return into, encoder, before, learn(world, into, encoder)


def test_learns_to_say_the_colour_and_leaves_what_is_frozen(run, world):
    into, encoder, before, learnt = run
    losses = [line["loss"] for line in read_curve(into / "run")]
    assert losses[-1] < losses[0] - 0.06
    after = encoder.module.state_dict()
    changed = {name for name, tensor in after.items() if not torch.equal(tensor, before[name])}
    assert changed == {f"last.{part}.{kind}" for part in ("conv", "norm") for kind in ("weight", "bias")}
    space = Space.open(learnt.space)  # what an album searches with
    seen = space.encode_images([post.image for post in world[1][:4]])
    said = space.encode_texts([f"a {colour} thing" for colour in COLOURS])
    assert (said @ seen.T).argmax(1).tolist() == [0, 1, 2, 3]


def test_what_cannot_be_read_is_counted_and_never_replaced(run, world):
    *_, learnt = run
    assert learnt.skipped == {"truncated image": 1, "no such image": 1, "no words": 1, "no picture": 1}
    assert (learnt.images, learnt.captions) == (42, 84)  # of 46 four are held out
    assert learnt.validation["images"] == 4


def test_the_exported_network_is_the_trained_one(run):
    _, encoder, _, learnt = run
    folder = learnt.space / "backbones" / "0"
    pixels = np.random.default_rng(1).normal(size=(5, 3, SIDE, SIDE)).astype(np.float32)
    with torch.no_grad():
        expected = encoder.module(torch.from_numpy(pixels)).numpy()
    for name in (f"onnx:{folder}", f"onnx:{folder / 'backbone.onnx'}"):  # what `build --backbone` is given
        found = backbone(name, "cpu")
        np.testing.assert_allclose(found(pixels), expected, atol=1e-5)
        assert found.preprocessing == Preprocessing(SIDE, crop_fraction=SIDE / 21)
        assert found.name == "tiny:tuned"


def test_a_call_that_is_done_answers_again_and_another_is_refused(run, world):
    into, *_, learnt = run
    assert not (into / "work").exists()
    again = learn(world, into)
    assert again == learnt
    with pytest.raises(InputError, match="give another folder"):
        learn(world, into, seed=1)
    (into / "learnt.json").write_text("{}")
    with pytest.raises(InputError, match="cannot be read"):
        learn(world, into)


KEPT = PixelRecipe(
    epochs=5, batch=12, optimizer=Sgd(lr=0.01), schedule=Steps(6, 0.5), checkpoint_seconds=0, target="min-max"
)


def weights(world, into):
    """The weights that a call ends with."""
    encoder = tiny_encoder()
    learn(world, into, encoder, KEPT)
    return state(encoder.module)


def killed(folder, into):
    """In a process of its own: stopped for good at the end of the third epoch, before it is written."""

    def kill(*_):
        if len(read_curve(into / "run")) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return 0.0

    torch.set_num_threads(1)
    pixels.mean_recall = kill
    learn((folder, drawn(folder)), into, recipe=KEPT)


def test_a_killed_run_ends_with_the_same_weights(world, tmp_path, monkeypatch):
    monkeypatch.setattr(pixels, "write", lambda *_: None)
    monkeypatch.setattr(pixels, "mean_recall", lambda _: 0.0)
    process = subprocess.run([sys.executable, __file__, str(world[0]), str(tmp_path / "killed")], check=False)
    assert process.returncode == -signal.SIGKILL
    assert [line["epoch"] for line in read_curve(tmp_path / "killed" / "run")] == [1, 2]
    decoded = tmp_path / "killed" / "work" / "pictures.u8"
    moment = decoded.stat().st_mtime_ns
    monkeypatch.setattr(pixels, "rmtree", lambda *_, **__: None)
    resumed, whole = weights(world, tmp_path / "killed"), weights(world, tmp_path / "whole")
    assert decoded.stat().st_mtime_ns == moment  # neither decoded again
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)
    curves = [read_curve(tmp_path / name / "run") for name in ("killed", "whole")]
    assert [line["loss"] for line in curves[0]] == [line["loss"] for line in curves[1]]


def test_a_stopped_call_is_not_gone_on_with_by_another(world, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(pixels, "on_cores", lambda *_: None)
    monkeypatch.setattr(pixels, "mean_recall", stop)
    with pytest.raises(KeyboardInterrupt):
        learn(world, tmp_path / "into")
    with pytest.raises(InputError, match="a stopped call with other posts or options"):
        learn(world, tmp_path / "into", tiny_encoder(free=("middle", "last")))


def test_learns_in_bfloat16_too(world, tmp_path, monkeypatch):
    for name in ("on_cores", "write"):  # the trunk inside the loop, as on a GPU
        monkeypatch.setattr(pixels, name, lambda *_: None)
    losses = []
    for precision in ("32-true", "bf16-mixed"):
        encoder, into = tiny_encoder(), tmp_path / precision
        learn(world, into, encoder, replace(QUICK, epochs=4), fabric=fabric_here("cpu", precision))
        assert {tensor.dtype for tensor in encoder.module.parameters()} == {torch.float32}
        losses.append(read_curve(into / "run")[-1]["loss"])
    assert losses[1] != losses[0]
    assert losses[1] == pytest.approx(losses[0], abs=0.02)


def test_the_head_learns_first_where_the_recipe_says_so(world, tmp_path, monkeypatch):
    for name in ("on_cores", "write"):
        monkeypatch.setattr(pixels, name, lambda *_: None)
    monkeypatch.setattr(pixels, "rmtree", lambda *_, **__: None)
    first = []
    for epochs in (0, 30):
        encoder, before = tiny_encoder(), state(tiny_encoder().module)
        into = tmp_path / str(epochs)
        still = replace(QUICK, epochs=1, head_epochs=epochs, head_rate=0.05, optimizer=AdamW(lr=0.0))
        learn(world, into, encoder, still)
        assert all(torch.equal(encoder.module.state_dict()[name], before[name]) for name in before)
        first.append(read_curve(into / "run")[0]["loss"])
    assert first[1] < first[0] - 0.02  # nothing moved but the head, before the first step
    assert np.load(into / "work" / "head" / "features.npy").shape == (42, 2, 8)
    assert len(read_curve(into / "work" / "head")) == 30


@pytest.fixture(scope="module")
def crops(world, tmp_path_factory):
    folder, posts = world
    work = tmp_path_factory.mktemp("crops")
    encoder = tiny_encoder()
    gathered = gather(listing([lambda: posts]), work, encoder.stored(21))
    name = f"words:{folder / 'words.txt'}"
    phi = phi_of(gathered.captions, np.arange(len(gathered.captions)), name, work)
    return Crops(gathered.pictures, phi, encoder, None), encoder, work


def test_crops_follow_from_seed_epoch_and_step(crops):
    batch, _, _ = crops
    rows = np.array([3, 0, 9, 9, 20])

    def drawn(*seed):
        pixels, phi = batch(rows, np.random.default_rng(seed))
        return pixels.numpy(), phi.numpy()

    one, again, other = drawn(0, 1, 2), drawn(0, 1, 2), drawn(0, 1, 3)
    assert all((a == b).all() for a, b in zip(one, again, strict=True))
    assert not (one[0] == other[0]).all()
    assert (batch.middles(rows) == batch.middles(rows)).all()
    middle = batch.pictures.take(9)[2:18, 2:18]
    assert (batch.middles(rows)[2].numpy() == batch.preprocessing.normalised([middle])[0]).all()


def test_a_crop_comes_from_its_picture_and_goes_with_its_words(crops):
    batch, _, _ = crops
    rows = np.arange(len(batch.pictures)).repeat(5)
    seen, phi = batch(rows, np.random.default_rng(0))
    brightest = seen.mean((2, 3)) - seen.mean((1, 2, 3))[:, None]  # (N, 3): red, green, blue beside grey
    coloured = phi.argmax(1) < 3
    assert (brightest.argmax(1) == phi.argmax(1))[coloured].all()
    assert coloured.float().mean() == pytest.approx(0.75, abs=0.05)


def test_pixels_and_the_trunks_activations_lead_to_the_same_loss(crops):
    batch, encoder, work = crops
    trunk = pixels.on_cores(encoder, work / "trunk")
    exported = (work / "trunk" / "backbone.onnx").stat().st_mtime_ns
    assert pixels.on_cores(encoder, work / "trunk").fingerprint == trunk.fingerprint
    assert (work / "trunk" / "backbone.onnx").stat().st_mtime_ns == exported  # once
    with seeded(1):
        head = nn.Linear(8, 4)
    losses = []
    for by in (None, trunk):
        model = pixels.trained_part(encoder, head, by)
        loaded = Crops(batch.pictures, batch.phi, encoder, by)(np.arange(11), np.random.default_rng(5))
        loss = PixelRegression("sigmoid", summed=True)(model.train(), loaded)
        loss.backward()
        losses.append((loss.item(), encoder.module.last.conv.weight.grad.clone()))
        assert encoder.module.middle.conv.weight.grad is None
        encoder.module.zero_grad()
    assert losses[0][0] == pytest.approx(losses[1][0], rel=1e-5)
    torch.testing.assert_close(losses[0][1], losses[1][1], rtol=1e-3, atol=1e-6)


def test_the_published_recipe_has_the_papers_numbers():
    settings = PUBLISHED.settings(0, from_scratch=False)
    assert (settings.optimizer, settings.schedule) == (Sgd(lr=1e-3, momentum=0.9), Steps(100_000, 0.1))
    assert (PUBLISHED.batch, PUBLISHED.head, PUBLISHED.target) == (120, "linear", "sigmoid")
    assert open_encoder("small@224", from_scratch=True).stored(round(224 * PUBLISHED.zoom)).size == 300
    assert PUBLISHED.head_epochs == 0
    assert SCALED.settings(0, from_scratch=True).optimizer == AdamW(lr=1e-3)


def test_the_published_loss_is_equation_2_times_d():
    psi, phi = torch.randn(2, 5, 7, generator=torch.Generator().manual_seed(0))
    model = nn.Identity()
    mean = PixelRegression("sigmoid", summed=False)(model, (psi, phi))
    assert PixelRegression("sigmoid", summed=True)(model, (psi, phi)).item() == pytest.approx(7 * mean.item())


def test_the_small_net_sees_each_picture_alone():
    with seeded(0):
        net = SmallNet().train()
        seen = torch.randn(3, 3, 64, 64)
    assert net(seen).shape == (3, 256)
    torch.testing.assert_close(net(seen)[1:2], net(seen[1:2]), rtol=1e-4, atol=1e-5)


def test_says_what_cannot_learn():
    with pytest.raises(InputError, match="ONNX file, which cannot learn"):
        open_encoder("onnx:/a.onnx")
    with pytest.raises(InputError, match="only learn from scratch"):
        open_encoder("small")
    with pytest.raises(InputError, match="leave out which parts"):
        open_encoder("small", from_scratch=True, free=["blocks"])
    with pytest.raises(UnknownName, match="did you mean 'efficientnet-lite0'"):
        open_encoder("efficientnet-lit0")


def test_too_few_pictures_are_said(world, tmp_path):
    with pytest.raises(InputError, match="learning needs 20"):
        learn((world[0], world[1][:10]), tmp_path / "few")


if __name__ == "__main__":
    killed(Path(sys.argv[1]), Path(sys.argv[2]))
