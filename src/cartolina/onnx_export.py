"""From torch to ONNX: what is learnt leaves in a form that needs no torch, and is checked on the way.

The dynamo exporter with dynamic shapes, because the traced one silently bakes in the size it was shown (it
diverges by .28 for MiniLM on sentences of another length than the example's).
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cartolina import durable
from cartolina.errors import TRAIN, CartolinaError, require
from cartolina.onnx_session import open_session

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["ExportDiffers", "export"]

TOLERANCE = 1e-4
"""How far a number of ONNX Runtime's may be from torch's, for numbers up to 1; in proportion above."""


class ExportDiffers(CartolinaError):
    """The exported model does not compute what the torch one does."""


def export(
    module: nn.Module,
    examples: Sequence[Tensor],
    path: Path,
    *,
    inputs: Sequence[str],
    output: str,
    dynamic_shapes: Any,  # noqa: ANN401 - as torch.onnx.export takes it
    checks: Iterable[Sequence[Tensor]],
    external_data: bool = False,
) -> None:
    """Write `module`, on the CPU and in eval mode, to `path`; nothing is left there where it differs.

    `checks`: batches of inputs, of other sizes than `examples`, on which both must agree. `external_data`:
    the weights go to `path`.data, from where they are mapped rather than read.
    Raises `ExportDiffers`, and `MissingPackage` without torch or onnxscript.
    """
    torch = require("torch", "exporting a model", TRAIN)
    require("onnxscript", "exporting a model", TRAIN)
    weights = path.with_name(f"{path.name}.data")
    try:
        with _quiet(), torch.inference_mode(mode=False), torch.no_grad():
            program = torch.onnx.export(
                module,
                tuple(examples),
                dynamo=True,
                dynamic_shapes=dynamic_shapes,
                input_names=list(inputs),
                output_names=[output],
                verbose=False,
            )
            program.save(str(path), external_data=external_data)
        session = open_session(path)
        for batch in checks:
            with torch.inference_mode():
                expected = module(*batch).float().numpy()
            feed = {name: given.numpy() for name, given in zip(inputs, batch, strict=True)}
            (found,) = session.run([output], feed)
            _compare(found, expected, path)
        durable.fsync_file(path)
        if external_data:
            durable.fsync_file(weights)
        durable.fsync_folder(path.parent)
    except BaseException:
        path.unlink(missing_ok=True)
        weights.unlink(missing_ok=True)
        raise


def _compare(found: np.ndarray, expected: np.ndarray, path: Path) -> None:
    if found.shape != expected.shape:
        raise ExportDiffers(f"the ONNX form of {path.name} gives {found.shape}, torch {expected.shape}")
    apart = float(np.abs(found - expected).max() / max(1.0, float(np.abs(expected).max())))
    if not apart < TOLERANCE:
        raise ExportDiffers(
            f"the ONNX form of {path.name} differs from torch by {apart:.2g} on a batch of {len(found)}, and "
            f"{TOLERANCE:g} is allowed: try other versions of torch and onnxscript"
        )


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
