"""Every benchmark, one after the other: `make bench` or `python -m benchmarks [NAME ...] [--photos DIR]`.

Each prints its own table, every figure beside a peer or a physical limit taken in the same run. `--photos`
is a Flickr8k folder (the benchmarks that need photos are passed over without it).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

# name: whether it needs photos
BENCHMARKS = {
    "search": False,
    "index": False,
    "features": True,
    "startup": True,
    "memory": True,
    "quality": True,
    "words": True,
    "places": False,
    "duplicates": True,
    "glove": False,
    "kills": False,
    "vocabulary": False,
    "pixels": True,
}


def main() -> int:
    """Run what was asked for in fresh processes; return how many failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"any of {', '.join(BENCHMARKS)} (default: all)"
    )
    parser.add_argument("--photos", type=Path, help="a Flickr8k folder: images, token file, split lists")
    given = parser.parse_args()
    unknown = set(given.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"unknown benchmark {', '.join(sorted(unknown))}: choose from {', '.join(BENCHMARKS)}")
    failed = 0
    for name in given.names or BENCHMARKS:
        needs_photos = BENCHMARKS[name]
        if needs_photos and given.photos is None:
            print(f"# {name}: passed over, it needs --photos FLICKR8K")
            continue
        print(f"# {name}", flush=True)
        arguments = [str(given.photos)] if needs_photos else []
        failed += subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *arguments]).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
