"""A drawn world of colours: photos of one colour, five captions each, parts train and dev.

A backbone of three numbers sees the mean colour.
"""

import numpy as np
from tiny_world import COLOURS

from cartolina.datasets import Dataset
from cartolina.evaluate.experiments.photo_side import PhotoSideSettings
from cartolina.post import Post

SETTINGS = PhotoSideSettings(hidden=64, dropout=(0.0, 0.0), batch=25, epochs=20, learning_rate=1e-2)
SAID = ("a {} thing", "something {} here", "two of the {} kind")


def dataset_of(root, **parts):
    """A dataset of parts of posts."""
    everything = [post for posts in parts.values() for post in posts]
    return Dataset(
        "made",
        root,
        "made by hand",
        tuple(parts),
        lambda split: iter(everything if split is None else parts[split]),
        lambda split: len(everything if split is None else parts[split]),
        True,
    )


def draw(root, name, colour, rng):
    """A photo of about one colour."""
    from PIL import Image

    path = root / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    shade = np.clip(np.array(COLOURS[colour]) + rng.integers(-30, 31, 3), 0, 255).astype(np.uint8)
    Image.fromarray(np.broadcast_to(shade, (16, 16, 3)).copy()).save(path)
    return Post(name, path, captions=tuple(one.format(colour) for one in SAID))
