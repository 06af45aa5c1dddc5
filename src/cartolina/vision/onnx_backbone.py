"""A backbone that is an ONNX file: what an album carries, needing nothing but the core packages.

A saved backbone is a folder: `backbone.onnx` (input "pixels" (B, 3, size, size) float32, output "features"
(B, *shape) float32) and `backbone.json` (name, shape, preprocessing, fingerprint).
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cartolina.durable import fsync_file, write_bytes
from cartolina.errors import InputError
from cartolina.onnx_session import open_session
from cartolina.vision.preprocessing import Preprocessing

if TYPE_CHECKING:
    import onnxruntime

__all__ = ["OnnxBackbone", "load_backbone", "open_onnx", "write_card"]

MODEL = "backbone.onnx"
CARD = "backbone.json"
_FORMAT = 1

# One core and four pictures a call keep the activations in that core's cache: a third less time per picture
# than batches of 32 over both cores (docs/backbones.md). A GPU wants many.
_CPU_BATCH = 4
_CUDA_BATCH = 64


class OnnxBackbone:
    """The `Backbone` of an ONNX file. On the CPU a call runs on the calling thread; many may call at once."""

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        preprocessing: Preprocessing,
        fingerprint: str,
        shape: tuple[int, ...] | None = None,
        device: str = "auto",
    ) -> None:
        if device == "auto":
            device = "cuda" if has_cuda() else "cpu"
        elif device == "cuda" and not has_cuda():
            raise InputError("device 'cuda', but the ONNX Runtime here has none: pip install onnxruntime-gpu")
        self.path = path
        self.name = name
        self.device = device
        self.preprocessing = preprocessing
        self.fingerprint = fingerprint
        self._session = _open(path, device)
        self._input = self._session.get_inputs()[0].name
        self._output = self._session.get_outputs()[0].name
        fixed = self._session.get_inputs()[0].shape[0] == 1
        self.batch_size = 1 if fixed else _CUDA_BATCH if device == "cuda" else _CPU_BATCH
        # A model from elsewhere seldom declares its output's shape: one black picture tells.
        self.shape = (
            shape or self(np.zeros((1, 3, preprocessing.size, preprocessing.size), np.float32)).shape[1:]
        )

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """(B, 3, size, size) float32, normalised -> (B, *shape) float32."""
        (features,) = self._session.run([self._output], {self._input: pixels})
        return np.asarray(features, np.float32)

    def save(self, folder: Path) -> None:
        """Write the two files of a saved backbone into `folder`, made when missing."""
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / MODEL).exists() or not (folder / MODEL).samefile(self.path):
            shutil.copyfile(self.path, folder / MODEL)
        fsync_file(folder / MODEL)
        write_card(folder, self.name, self.shape, self.preprocessing, self.fingerprint)


def write_card(
    folder: Path, name: str, shape: tuple[int, ...], preprocessing: Preprocessing, fingerprint: str
) -> None:
    """Write the `backbone.json` that makes a folder with a `backbone.onnx` a saved backbone."""
    card = {
        "format": _FORMAT,
        "name": name,
        "shape": list(shape),
        "preprocessing": preprocessing.to_dict(),
        "fingerprint": fingerprint,
    }
    write_bytes(folder / CARD, json.dumps(card, indent=2).encode())


def load_backbone(folder: Path, device: str = "auto") -> OnnxBackbone:
    """The backbone a folder holds; needs only the core packages.

    Raises `InputError` when the folder is not a saved backbone.
    """
    try:
        card: dict[str, Any] = json.loads((folder / CARD).read_bytes())
        if card["format"] != _FORMAT:
            raise InputError(f"{folder / CARD} has format {card['format']}; this version reads {_FORMAT}")
        return OnnxBackbone(
            folder / MODEL,
            name=card["name"],
            shape=tuple(card["shape"]),
            preprocessing=Preprocessing.from_dict(card["preprocessing"]),
            fingerprint=card["fingerprint"],
            device=device,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder} is not a saved backbone ({CARD}, {MODEL}): {error}") from error


def open_onnx(path: Path, *, name: str, size: int | None, device: str) -> OnnxBackbone:
    """A backbone from anybody's ONNX file, or a saved backbone's folder.

    The file's first input is (B, 3, H, W) float32, ImageNet-normalised, B free or 1, H = W; its first output
    becomes the features. `size` is needed where the file leaves H and W free. Raises `InputError` otherwise.
    """
    if path.name == MODEL and (path.parent / CARD).is_file():  # the card says how its pixels are made
        path = path.parent
    if path.is_dir():
        return load_backbone(path, device)
    if not path.is_file():
        raise InputError(f"no ONNX file at {path}")
    if any(path.with_name(path.name + end).exists() for end in (".data", "_data")):
        raise InputError(
            f"{path} keeps its weights in a second file: write it as one, with onnx.save(onnx.load(…), …)"
        )
    shape = _open(path, "cpu").get_inputs()[0].shape
    if len(shape) != 4 or shape[1] != 3:
        raise InputError(f"the input of {path} has shape {shape}; expected (B, 3, H, W)")
    batch, _, height, width = shape
    if isinstance(batch, int) and batch != 1:
        raise InputError(
            f"{path} takes exactly {batch} pictures a call; export it with a free or single batch"
        )
    sides = {side for side in (height, width, size) if isinstance(side, int)}
    if len(sides) != 1:
        given = f", and @{size} was asked for" if size else "; say which with @SIZE after the path"
        raise InputError(f"the input of {path} is {height} × {width}{given}: expected one square size")
    preprocessing = Preprocessing(sides.pop(), resize="crop", interpolation="bicubic", crop_fraction=0.875)
    digest = hashlib.blake2b(path.read_bytes(), digest_size=16)
    digest.update(preprocessing.fingerprint.encode())
    return OnnxBackbone(
        path, name=name, preprocessing=preprocessing, fingerprint=digest.hexdigest(), device=device
    )


def has_cuda() -> bool:
    """Whether the ONNX Runtime installed here can use an NVIDIA GPU."""
    import onnxruntime

    return "CUDAExecutionProvider" in onnxruntime.get_available_providers()


def _open(path: Path, device: str) -> onnxruntime.InferenceSession:
    try:
        return open_session(path, threads=1, device=device)
    except Exception as error:  # ONNX Runtime has an error class for every mishap, and no common one
        raise InputError(f"{path} is not a model ONNX Runtime can open: {error}") from error
