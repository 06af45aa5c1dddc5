"""Whole processes, cold: `python -m benchmarks.startup FLICKR8K` (`--album` to use one that is built).

`cartolina --help` and one `cartolina search` beside a bare `python -c pass` and a process that only imports
numpy, onnxruntime and tokenizers, which nobody can go below.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

IMPORTS = "import numpy, onnxruntime, tokenizers"


def seconds(command: list[str], runs: int) -> float:
    """The median wall seconds of `command` over `runs` processes, after one that warms the file cache."""
    took = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        took.append(time.perf_counter() - started)
    return statistics.median(took[1:])


def main() -> None:
    """Print the table, or with --json one object."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("--album", type=Path, help="an album that is built already")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    cartolina = [sys.executable, "-m", "cartolina"]
    with tempfile.TemporaryDirectory() as folder:
        album = given.album or Path(folder, "album")
        if given.album is None:
            subprocess.run([*cartolina, "build", str(given.source), str(album), "--quiet"], check=True)
        rows = {
            "python -c pass": [sys.executable, "-c", "pass"],
            IMPORTS: [sys.executable, "-c", IMPORTS],
            "cartolina --help": [*cartolina, "--help"],
            "cartolina search": [*cartolina, "search", str(album), "two dogs + beach", "--json"],
        }
        took = {name: round(seconds(command, given.runs), 3) for name, command in rows.items()}
    if given.json:
        print(json.dumps(took))
    else:
        print("\n".join(f"{name:>40} {value:.3f} s" for name, value in took.items()))


if __name__ == "__main__":
    main()
