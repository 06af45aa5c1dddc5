"""Heads as ONNX: rows in, rows out, any number of them (`cartolina.onnx_export`)."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cartolina.onnx_export import ExportDiffers, export

__all__ = ["ExportDiffers", "export_head"]

BATCHES = (1, 2, 5)


def export_head(module: nn.Module, examples: Sequence[Tensor], inputs: Sequence[str], path: Path) -> None:
    """Write `module` (N rows of each input -> "vector" (N, D)) to `path` as ONNX with any N.

    `examples`: one tensor per input, at least two rows, like those it will see; the check repeats and cuts
    them to several batch sizes. Raises `ExportDiffers` when ONNX Runtime and torch do not agree.
    """
    rows = [example.cpu() for example in examples]
    batch = torch.export.Dim("batch")
    export(
        module.eval().cpu(),
        [example[:2] for example in rows],
        path,
        inputs=inputs,
        output="vector",
        dynamic_shapes=_nested(module, tuple({0: batch} for _ in rows)),
        checks=[[example[torch.arange(size) % len(example)] for example in rows] for size in BATCHES],
    )


def _nested(module: nn.Module, shapes: tuple[dict[int, Any], ...]) -> tuple[Any, ...]:
    """`shapes` in the form the exporter wants: one tuple for a `forward(*features)`, else one each."""
    first = next(iter(inspect.signature(module.forward).parameters.values()))
    return (shapes,) if first.kind is inspect.Parameter.VAR_POSITIONAL else shapes
