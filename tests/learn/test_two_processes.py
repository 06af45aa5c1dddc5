"""Two real processes (gloo, as torchrun starts them) learn what one learns, with the contrastive loss."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from cartolina.learn import fit as module
from cartolina.learn.batches import Shuffled
from cartolina.learn.checkpoints import read_curve
from cartolina.learn.contrastive import Contrastive, Pairs, Temperature, info_nce
from cartolina.learn.fit import Settings, fabric_here, fit, seeded
from cartolina.learn.optimisers import Constant, Sgd

PHOTOS, WORDS = np.random.default_rng(0).normal(size=(2, 24, 6)).astype(np.float32)
CAPTIONS = [1, 2, 3] * 8  # how many captions each photo has: the processes get different numbers of rows
SETTINGS = Settings(epochs=3, optimizer=Sgd(lr=0.05), schedule=Constant())


class Towers(nn.Module):
    def __init__(self):
        super().__init__()
        self.image, self.text, self.temperature = nn.Linear(6, 4), nn.Linear(6, 4), Temperature(5.0)

    def forward(self, batch):
        rows, photos, words, owners = batch
        image = functional.normalize(self.image(photos), dim=1)
        return Pairs(image, functional.normalize(self.text(words), dim=1), rows, owners, self.temperature())


def load(rows, generator):
    owners = np.repeat(rows, [CAPTIONS[row] for row in rows])
    words = np.stack([WORDS[row] + copy for row in rows for copy in range(CAPTIONS[row])])
    return tuple(map(torch.from_numpy, (rows, PHOTOS[rows], words.astype(np.float32), owners)))


def run(folder, fabric=None, seed=1, load=load):
    """Learn the toy problem; returns the weights, the losses and the metric."""
    with seeded(seed):
        model = Towers()

    def validate(candidate):
        return -float(info_nce(candidate(load(np.arange(24), None))))

    sampler = Shuffled(np.arange(24), 9, seed=2)  # 9, 9 and 6: odd batches lose a row to be even
    fitted = fit(
        model, Contrastive(0.1), sampler, load, SETTINGS, folder=folder, validate=validate, fabric=fabric
    )
    weights = torch.cat([p.detach().flatten() for p in model.parameters()]).tolist()
    return {"weights": weights, "loss": fitted.loss, "metric": fitted.best_metric}


def child(folder):
    """What each of the two processes does: learn, refusing to write unless it is the first."""
    rank = int(os.environ["RANK"])
    seen = []

    def only_first(name):
        real = getattr(module, name)

        def written(*arguments):
            assert rank == 0, f"process {rank} writes: {name}"
            return real(*arguments)

        setattr(module, name, written)

    for name in ("write_checkpoint", "append_curve", "trim_curve"):
        only_first(name)

    def spying(rows, generator):
        if generator is not None:  # None: the validation
            seen.append(rows.tolist())
        return load(rows, generator)

    result = run(folder / "run", fabric_here("cpu"), seed=1 + rank, load=spying)  # process 0's weights count
    (folder / f"{rank}.json").write_text(json.dumps({**result, "rows": seen}))
    torch.distributed.destroy_process_group()


def in_two_processes(folder, script=__file__):
    """What `script` wrote into 0.json and 1.json when two processes ran it, as torchrun starts them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "TORCHELASTIC_RUN_ID": "test"}
    common |= {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "0", "OMP_NUM_THREADS": "1"}
    children = [
        subprocess.Popen(
            [sys.executable, "-W", "error", script, str(folder)],
            env={**os.environ, **common, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        errors = [process.communicate(timeout=100)[1] for process in children]
    finally:
        for process in children:
            process.kill()
    assert [process.returncode for process in children] == [0, 0], "\n".join(errors)
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]


def test_two_processes_learn_what_one_learns(tmp_path):
    outs = in_two_processes(tmp_path)
    batches = [rows.tolist() for epoch in range(3) for rows in Shuffled(np.arange(24), 9, seed=2)(epoch)]
    even = [batch[: len(batch) // 2 * 2] for batch in batches]
    for mine, yours, batch in zip(outs[0]["rows"], outs[1]["rows"], even, strict=True):
        assert len(mine) == len(yours)
        assert sorted(mine + yours) == sorted(batch)

    def together(rows, generator):  # one process, given the rows the two were given
        return load(rows[: len(rows) // 2 * 2] if generator is not None else rows, generator)

    alone = run(tmp_path / "alone", load=together)
    for out in outs:
        np.testing.assert_allclose(out["weights"], alone["weights"], atol=2e-5)
        assert out["loss"] == pytest.approx(alone["loss"], rel=1e-4)
        assert out["metric"] == pytest.approx(alone["metric"], rel=1e-4)
    losses = [[line["loss"] for line in read_curve(tmp_path / name)] for name in ("run", "alone")]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)
    assert losses[0][2] < losses[0][0]


if __name__ == "__main__":
    child(Path(sys.argv[1]))
