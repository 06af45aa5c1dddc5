"""From torch to ONNX: what is learnt leaves in a form that needs no torch.

The dynamo exporter with dynamic shapes, because the traced one silently bakes in the size it was shown; and
every export is run against its original before anybody relies on it.
"""

from __future__ import annotations

import inspect
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cartolina import durable
from cartolina.errors import CartolinaError
from cartolina.onnx_session import open_session

__all__ = ["ExportDiffers", "export_head"]

TOLERANCE = 1e-4
BATCHES = (1, 2, 5)


class ExportDiffers(CartolinaError):
    """The exported model does not compute what the torch one does."""


def export_head(
    module: nn.Module,
    examples: Sequence[Tensor],
    inputs: Sequence[str],
    path: Path,
    *,
    output: str = "vector",
) -> float:
    """Write `module` (N rows of each input -> (N, D)) to `path` as ONNX with any N; returns its error.

    `examples`: one tensor per input, at least two rows, like those it will see; the check repeats and cuts
    them to several batch sizes. The file appears only when the check has passed.
    Raises `ExportDiffers` when ONNX Runtime and torch differ by 1e-4 or more.
    """
    module = module.eval().cpu()
    staged = path.with_name(f".{path.name}.tmp")
    batch = torch.export.Dim("batch")
    try:
        with _quiet():
            torch.onnx.export(
                module,
                tuple(example[:2].cpu() for example in examples),
                staged,
                input_names=list(inputs),
                output_names=[output],
                dynamic_shapes=_nested(module, tuple({0: batch} for _ in examples)),
                dynamo=True,
                external_data=False,
                verbose=False,
            )
        worst = _worst_error(module, examples, inputs, staged)
        if not worst < TOLERANCE:
            raise ExportDiffers(
                f"the ONNX form of {path.name} differs from torch by {worst:.2g} (≥ {TOLERANCE})"
            )
        durable.fsync_file(staged)
        staged.replace(path)
        durable.fsync_folder(path.parent)
    finally:
        staged.unlink(missing_ok=True)
    return worst


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter speaks of its own deprecations and of packages it can do without: nothing for a user."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _nested(module: nn.Module, shapes: tuple[dict[int, Any], ...]) -> tuple[Any, ...]:
    """`shapes` in the form the exporter wants: one tuple for a `forward(*features)`, else one each."""
    first = next(iter(inspect.signature(module.forward).parameters.values()))
    return (shapes,) if first.kind is inspect.Parameter.VAR_POSITIONAL else shapes


def _worst_error(module: nn.Module, examples: Sequence[Tensor], inputs: Sequence[str], path: Path) -> float:
    """The largest absolute difference between ONNX Runtime and torch over several batch sizes."""
    session = open_session(path)
    worst = 0.0
    for size in BATCHES:
        batch = [example[torch.arange(size) % len(example)].cpu() for example in examples]
        with torch.no_grad():
            expected = module(*batch).numpy()
        feed = {name: rows.numpy() for name, rows in zip(inputs, batch, strict=True)}
        (found,) = session.run(None, feed)
        if found.shape != expected.shape:
            raise ExportDiffers(f"the ONNX form of {path.name} gives {found.shape}, torch {expected.shape}")
        worst = max(worst, float(np.abs(found - expected).max()))
    return worst
