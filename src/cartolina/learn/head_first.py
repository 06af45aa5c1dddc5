"""The head before the rest: while all below it is frozen, a photo's features are the same in every epoch.

Each photo's middle and its mirror image are looked at once; then an epoch of the head takes a second. What
is free below goes on from a head that knows where the words lie; a random one would pull it about.
"""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn

from cartolina import durable
from cartolina.learn.batches import Shuffled
from cartolina.learn.crops import Crops
from cartolina.learn.fit import Objective, Settings, fit
from cartolina.progress import SILENT, Progress

__all__ = ["learn_head_first"]

VIEWS = 2


def learn_head_first(
    head: nn.Module,
    below: nn.Module,
    crops: Crops,
    rows: NDArray[np.int64],
    objective: Objective,
    settings: Settings,
    *,
    batch: int,
    folder: Path,
    fabric: Fabric,
    progress: Progress = SILENT,
) -> None:
    """Train `head` in place on what `below` (what `crops` gives -> features) makes of photos `rows`.

    `folder` receives the features, (N, 2, *shape) float16, and the run; both are gone on from.
    """
    if fabric.is_global_zero and not (folder / "features.npy").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _look(below.to(fabric.device).eval(), crops, rows, batch, folder, fabric.device, progress)
    fabric.barrier()
    features = np.load(folder / "features.npy", mmap_mode="r")
    numbers = np.arange(len(rows))

    def load(places: NDArray[np.int64], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        seen = features[places, rng.integers(VIEWS, size=len(places))].astype(np.float32)
        return torch.from_numpy(seen), torch.from_numpy(crops.phi.one_each(rows[places], rng))

    # A copy learns: several processes hang hooks on what they train, and the head is to be trained once more.
    learnt = copy.deepcopy(head)
    fit(
        learnt,
        objective,
        Shuffled(numbers, min(batch, len(rows)), settings.seed),
        load,
        settings,
        folder=folder,
        fabric=fabric,
        progress=progress,
        label="head",
    )
    head.load_state_dict(learnt.cpu().state_dict())


def _look(
    below: nn.Module,
    crops: Crops,
    rows: NDArray[np.int64],
    batch: int,
    folder: Path,
    device: torch.device,
    progress: Progress,
) -> None:
    """Write the features of the middles of photos `rows`, plain and mirrored."""
    staged, out = folder / "features.part.npy", None
    with torch.no_grad(), progress.task("features", len(rows), "images") as step:
        for start in range(0, len(rows), batch):
            some = rows[start : start + batch]
            for view in range(VIEWS):
                seen = below(crops.middles(some, mirrored=view == 1).to(device)).float().cpu().numpy()
                if out is None:
                    shape = (len(rows), VIEWS, *seen.shape[1:])
                    out = np.lib.format.open_memmap(staged, mode="w+", dtype=np.float16, shape=shape)
                out[start : start + len(some), view] = seen
            step.advance(len(some))
    assert out is not None
    out.flush()
    durable.fsync_file(staged)
    staged.replace(folder / "features.npy")
