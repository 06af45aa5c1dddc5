"""The tiny world of colours (tests/album/tiny_world.py), to take a tour of."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "album"))
