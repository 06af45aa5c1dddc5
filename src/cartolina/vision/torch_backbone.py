"""A backbone that is a torch module: for GPUs, for other people's models, and where ONNX files come from."""

from __future__ import annotations

import copy
import hashlib
import logging
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cartolina.durable import fsync_file
from cartolina.errors import CartolinaError, InputError
from cartolina.onnx_session import open_session
from cartolina.vision.onnx_backbone import MODEL, write_card
from cartolina.vision.preprocessing import Preprocessing

if TYPE_CHECKING:
    import torch

__all__ = ["TorchBackbone", "fill", "pick_device", "read_weights"]


class TorchBackbone:
    """The `Backbone` of a torch module `(B, 3, size, size) -> (B, *shape)`; one thread is let in at a time.

    `module` is put in evaluation mode on `device` ("auto": the GPU where there is one).
    """

    def __init__(
        self,
        module: torch.nn.Module,
        *,
        name: str,
        preprocessing: Preprocessing,
        device: str = "auto",
        fingerprint: str | None = None,
    ) -> None:
        self.name = name
        self.preprocessing = preprocessing
        self.device = pick_device(device)
        self.module = module.eval().to(self.device)
        self.batch_size = 64 if self.device == "cuda" else 16
        self.fingerprint = fingerprint or _fingerprint(self.module, preprocessing)
        self._turn = threading.Lock()  # torch already uses every core, or the GPU, for one call
        self.shape = self(np.zeros((1, 3, preprocessing.size, preprocessing.size), np.float32)).shape[1:]

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """(B, 3, size, size) float32, normalised -> (B, *shape) float32."""
        import torch

        with self._turn, torch.inference_mode():
            features: np.ndarray = self.module(torch.from_numpy(pixels).to(self.device)).float().cpu().numpy()
        return features

    def save(self, folder: Path) -> None:
        """Export to ONNX into `folder`, checked against torch: a saved backbone, which needs no torch.

        Raises `CartolinaError` when the exported model gives other numbers than the module.
        """
        folder.mkdir(parents=True, exist_ok=True)
        _export(self.module, self.preprocessing.size, folder / MODEL)
        write_card(folder, self.name, self.shape, self.preprocessing, self.fingerprint)


def pick_device(device: str) -> str:
    """Turn "auto" into "cuda" where torch has it, else "cpu"; `InputError` for a device that is not there."""
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device not in ("cpu", "cuda"):
        raise InputError(f"device {device!r}; expected 'auto', 'cpu' or 'cuda'")
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("device 'cuda', but torch sees no NVIDIA GPU here: use 'auto' or 'cpu'")
    return device


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a `.safetensors` file or a torch checkpoint, which is never unpickled.

    Looks inside {"state_dict": …} or {"model": …} and drops the prefix `module.` of distributed training.
    Raises `InputError` for anything else.
    """
    import torch

    if not path.is_file():
        raise InputError(f"no weights file at {path}")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            found: Any = load_file(path)
        else:
            found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # torch's own message advises to unpickle, which is what this must never do.
        raise InputError(f"{path} is neither safetensors nor plain tensors saved by torch") from error
    for key in ("state_dict", "model"):
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found = found[key]
    if not isinstance(found, dict) or not all(isinstance(value, torch.Tensor) for value in found.values()):
        raise InputError(f"{path} holds something else than named tensors")
    return {key.removeprefix("module."): value for key, value in found.items()}


def fill(module: torch.nn.Module, weights: dict[str, torch.Tensor], source: str) -> None:
    """Load `weights` into `module`; what the module has no place for (a classifier cut off) is left out.

    Raises `InputError` when any tensor of the module is missing or of another shape.
    """
    try:
        missing: Iterable[str] = module.load_state_dict(weights, strict=False).missing_keys
    except RuntimeError as error:
        raise InputError(f"{source} does not fit the model: {error}") from error
    # Counters of batch normalisation are absent from old files and unused here.
    lost = [key for key in missing if not key.endswith("num_batches_tracked")]
    if lost:
        raise InputError(f"{source} lacks {len(lost)} tensors of the model, such as {lost[0]!r}")


def _fingerprint(module: torch.nn.Module, preprocessing: Preprocessing) -> str:
    digest = hashlib.blake2b(preprocessing.fingerprint.encode(), digest_size=16)
    digest.update(type(module).__qualname__.encode())
    for key, tensor in module.state_dict().items():
        digest.update(f"{key} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().float().numpy().tobytes())
    return digest.hexdigest()


def _export(module: torch.nn.Module, size: int, path: Path) -> None:
    import torch

    module = copy.deepcopy(module).cpu().eval()
    random = torch.Generator().manual_seed(0)
    with _quiet(), torch.inference_mode(mode=False), torch.no_grad():
        program = torch.onnx.export(
            module,
            (torch.randn(2, 3, size, size, generator=random),),
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=4096)},),
            input_names=["pixels"],
            output_names=["features"],
            verbose=False,
        )
        assert program is not None
        program.save(str(path), external_data=False)
    fsync_file(path)
    session = open_session(path)
    for batch in (1, 2, 3):  # a traced constant shows where the batch differs from the exporter's example
        pixels = torch.randn(batch, 3, size, size, generator=random)
        with torch.inference_mode():
            expected = module(pixels).float().numpy()
        (got,) = session.run(None, {"pixels": pixels.numpy()})
        error = float(np.abs(got - expected).max() / max(1.0, np.abs(expected).max()))
        if got.shape != expected.shape or not error < 1e-4:
            path.unlink()
            raise CartolinaError(f"the ONNX export differs from torch by {error:.2g} on a batch of {batch}")


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
