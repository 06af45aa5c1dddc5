"""A backbone that is a torch module: for GPUs, for other people's models, and where ONNX files come from."""

from __future__ import annotations

import copy
import hashlib
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cartolina.errors import InputError
from cartolina.onnx_export import export
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

    random = torch.Generator().manual_seed(0)
    pixels = [torch.randn(count, 3, size, size, generator=random) for count in (2, 1, 3)]
    export(
        copy.deepcopy(module).cpu().eval(),
        pixels[:1],
        path,
        inputs=["pixels"],
        output="features",
        dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=4096)},),
        checks=[[batch] for batch in pixels],
    )
