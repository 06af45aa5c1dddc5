"""Two real processes train an encoder from pixels as one does on the same crops, a frozen trunk below."""

import json
import os
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from test_pixels import draw, drawn, learn, tiny_encoder
from test_two_processes import in_two_processes
from torch import nn

from cartolina.learn import pixels
from cartolina.learn.batches import share
from cartolina.learn.checkpoints import read_curve
from cartolina.learn.crops import Crops
from cartolina.learn.optimisers import Constant, Sgd
from cartolina.learn.pixel_recipes import PixelRecipe

RECIPE = PixelRecipe(epochs=3, batch=12, optimizer=Sgd(lr=0.02), schedule=Constant())
STEPS = 4  # of 42 pictures


def outcome(folder, into):
    """Learn, with the trunk in torch and no space written; the tail's weights and what was validated."""
    pixels.write = pixels.on_cores = lambda *_: None  # exports would be half the time
    encoder = tiny_encoder(partial(nn.GroupNorm, 2))
    learnt = learn((folder, drawn(folder)), into, encoder, RECIPE)
    weights = torch.cat([tensor.flatten() for tensor in encoder.tail.state_dict().values()]).tolist()
    return {"weights": weights, "loss": learnt.loss, "validation": learnt.validation}


class BothShares(Crops):
    """The crops that two processes see, as one batch."""

    calls = 0

    def __call__(self, rows, rng):
        epoch, step = divmod(self.calls, STEPS)
        self.calls += 1
        each = [
            super(BothShares, self).__call__(
                share(rows, rank, 2), np.random.default_rng((0, epoch, step, rank))
            )
            for rank in range(2)
        ]
        return tuple(torch.cat(both) for both in zip(*each, strict=True))


def test_two_processes_learn_what_one_learns(tmp_path, monkeypatch):
    draw(tmp_path)
    outs = in_two_processes(tmp_path, __file__)
    monkeypatch.setattr(pixels, "Crops", BothShares)
    for name in ("write", "on_cores"):
        monkeypatch.setattr(pixels, name, None)  # put back afterwards
    alone = outcome(tmp_path, tmp_path / "alone")
    for out in outs:
        np.testing.assert_allclose(out["weights"], alone["weights"], atol=2e-5)
        assert out["loss"] == pytest.approx(alone["loss"], rel=1e-4)
        assert out["validation"] == alone["validation"]
    losses = [[line["loss"] for line in read_curve(tmp_path / name / "run")] for name in ("two", "alone")]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)
    assert losses[0][2] < losses[0][0]


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    result = outcome(folder, folder / "two")
    (folder / f"{os.environ['RANK']}.json").write_text(json.dumps(result))
    torch.distributed.destroy_process_group()
