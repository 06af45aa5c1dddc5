"""kill -9 of a real extraction, at moments nobody chose: nothing is lost, nothing is there twice."""

import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from vision_photos import MeanColour, mean_colour, photo

from cartolina.vision.cache import FeatureCache, feature_key
from cartolina.vision.decode import content_hash

PHOTOS = 120
VIEWS = ("plain", "mirror")

CHILD = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from vision_photos import MeanColour
from cartolina.vision import features
folder = Path(sys.argv[2])
features._PHOTOS_PER_COMMIT = 6
features.available_cores = lambda: 2  # as slow on every machine
class Slow(MeanColour):
    def __call__(self, pixels):
        time.sleep(0.006 * len(pixels))
        return super().__call__(pixels)
backbone = Slow(log=folder / "inferred")
cache = features.FeatureCache(folder / "cache", backbone.shape)
print("ready", flush=True)
photos = sorted((folder / "photos").iterdir())
pairs = ((path, path) for path in photos)
for path, content in features.extract(pairs, [backbone], [cache], views=("plain", "mirror")):
    print(path.name, content, flush=True)
print("done", flush=True)
"""


def run(folder: Path, kill_after: float | None) -> list[str]:
    """Run the extraction, kill it `kill_after` seconds after it is ready; what it had printed."""
    child = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", CHILD, str(Path(__file__).parent), str(folder)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout.readline() == "ready\n"
    if kill_after is not None:
        time.sleep(kill_after)
        child.send_signal(signal.SIGKILL)
    lines = child.stdout.read().splitlines()
    child.wait()
    child.stdout.close()
    if kill_after is None:
        assert child.returncode == 0
    return lines


def test_kill_9_loses_and_doubles_nothing(tmp_path):
    (tmp_path / "photos").mkdir()
    expected = {}
    for n in range(PHOTOS):
        data = photo(n, (16, 16))
        (tmp_path / "photos" / f"{n:03d}.png").write_bytes(data)
        expected[content_hash(data)] = mean_colour(data)
    moments = random.Random(7)
    acknowledged: set[str] = set()
    killed_midway = 0
    for _ in range(6):
        lines = run(tmp_path, kill_after=moments.uniform(0.0, 0.35))
        killed_midway += "done" not in lines
        acknowledged.update(line.split()[1] for line in lines if line != "done")
        cache = FeatureCache(tmp_path / "cache", MeanColour.shape)
        found = cache.get([feature_key(content, "plain") for content in sorted(acknowledged)])
        right = [expected[content] for content in sorted(acknowledged)]
        np.testing.assert_allclose(found, np.array(right).reshape(-1, 2, 3), atol=1e-3)
        cache.close()
    assert killed_midway >= 3

    names = [line.split()[0] for line in run(tmp_path, kill_after=None) if line != "done"]
    assert names == [f"{n:03d}.png" for n in range(PHOTOS)]
    cache = FeatureCache(tmp_path / "cache", MeanColour.shape)
    for view, way in (("plain", 1), ("mirror", -1)):
        found = cache.get([feature_key(content, view) for content in expected])
        np.testing.assert_allclose(found, np.stack(list(expected.values()))[:, ::way], atol=1e-3)
    assert len(cache) == PHOTOS * len(VIEWS)
    assert (tmp_path / "cache" / "0000.f16").stat().st_size == len(cache) * 6 * 2
    with sqlite3.connect(tmp_path / "cache" / "index.sqlite") as index:
        assert index.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    index.close()

    # What was lost to each kill is at most what was in work then; a run after all that infers nothing.
    inferred = (tmp_path / "inferred").stat().st_size
    assert inferred >= PHOTOS * len(VIEWS)
    assert len(run(tmp_path, kill_after=None)) == PHOTOS + 1
    assert (tmp_path / "inferred").stat().st_size == inferred
