"""The tiny world of colours (tests/album/tiny_world.py), to be measured."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "album"))
