"""ONNX Runtime sessions as we want them everywhere: quiet and sized to the machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnxruntime

__all__ = ["available_cores", "open_session"]


def available_cores() -> int:
    """The cores this process may use (its affinity, not the machine's count)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def open_session(
    path: Path, *, threads: int | None = None, device: str = "cpu"
) -> onnxruntime.InferenceSession:
    """A session for the model at `path`, on `threads` cores (None: all of them).

    `device` is "cpu" or "cuda"; CUDA falls back to the CPU operator by operator, as ONNX Runtime does.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or available_cores()
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    providers = ["CPUExecutionProvider"]
    if device == "cuda":
        providers.insert(0, "CUDAExecutionProvider")
    return onnxruntime.InferenceSession(str(path), options, providers=providers)
