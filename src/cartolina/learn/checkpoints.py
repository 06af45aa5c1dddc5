"""What a run leaves on disk: `checkpoint.pt` (replaced whole or not at all) and `curve.jsonl`.

A checkpoint is written by torch.save and read with `weights_only=True`: tensors, numbers and strings, never
code. The curve has one JSON object a line and epoch: `epoch` (from 1), `step`, `loss`, `lr`, `seconds`, and
`metric` where the run was validated.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, TypedDict

import torch
from torch import Tensor

from cartolina import durable
from cartolina.errors import InputError

__all__ = ["Checkpoint", "append_curve", "read_checkpoint", "read_curve", "trim_curve", "write_checkpoint"]

CHECKPOINT = "checkpoint.pt"
CURVE = "curve.jsonl"


class Checkpoint(TypedDict):
    """A run after `epoch` epochs."""

    run: str
    epoch: int
    finished: bool
    early: bool
    loss: float
    model: dict[str, Tensor]
    optimizer: dict[str, Any]
    average: dict[str, Tensor] | None
    best: dict[str, Tensor] | None
    best_metric: float | None
    best_epoch: int
    stale: int


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Replace the folder's checkpoint; durable on return."""
    buffer = io.BytesIO()
    torch.save(dict(checkpoint), buffer)
    durable.write_bytes(folder / CHECKPOINT, buffer.getvalue())


def read_checkpoint(folder: Path, run: str) -> Checkpoint | None:
    """The folder's checkpoint, or None; `InputError` if it belongs to another run than `run`."""
    path = folder / CHECKPOINT
    if not path.exists():
        return None
    checkpoint: Checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    if checkpoint["run"] != run:
        raise InputError(
            f"{path} was written by a run with other settings or another model: "
            "give another folder, or delete this one to start again"
        )
    return checkpoint


def append_curve(folder: Path, line: dict[str, float | int | None]) -> None:
    """Add an epoch to the curve."""
    with (folder / CURVE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def read_curve(folder: Path) -> list[dict[str, float]]:
    """The epochs of the curve so far (none if there is no file); a torn last line is left out."""
    path = folder / CURVE
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    epochs = []
    for line in lines:
        try:
            epochs.append(json.loads(line))
        except ValueError:  # the process was killed while it wrote this line
            break
    return epochs


def trim_curve(folder: Path, epoch: int) -> None:
    """Forget what the curve says after epoch `epoch`: those epochs are run again."""
    kept = [line for line in read_curve(folder) if line["epoch"] <= epoch]
    durable.write_bytes(folder / CURVE, "".join(json.dumps(line) + "\n" for line in kept).encode())
