"""The batches of a network that learns from pixels: crops of decoded pictures, and φ of their words."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cartolina.learn.encoders import Encoder
from cartolina.learn.phi import Phi
from cartolina.onnx_session import available_cores
from cartolina.vision.augment import Windows, central_windows, random_windows
from cartolina.vision.backbones import Backbone
from cartolina.vision.pictures import Pictures

__all__ = ["Crops"]

CHUNK = 4
"""Pictures a core prepares at a time, where no trunk says how many it wants."""


class Crops:
    """Rows -> what the model takes: crops as pixels, or as what a frozen `trunk` makes of them.

    `trunk` runs in the threads that decode, cut and normalise, one picture being looked at while another
    is decoded. All randomness comes from the generator that is given.
    """

    def __init__(self, pictures: Pictures, phi: Phi, encoder: Encoder, trunk: Backbone | None) -> None:
        self.pictures, self.phi, self.trunk = pictures, phi, trunk
        self.preprocessing = encoder.preprocessing
        self.chunk = trunk.batch_size if trunk is not None else CHUNK
        self.pool = ThreadPoolExecutor(available_cores(), thread_name_prefix="crops")

    def __call__(self, rows: NDArray[np.int64], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """A random crop of each picture, and φ of one of its captions."""
        side, size = self.pictures.squares.size, self.preprocessing.size
        windows = random_windows(len(rows), side, size, rng)
        phi = torch.from_numpy(self.phi.one_each(rows, rng))
        return self.seen(rows, windows), phi

    def middles(self, rows: NDArray[np.int64], *, mirrored: bool = False) -> Tensor:
        """The middle of each picture."""
        side, size = self.pictures.squares.size, self.preprocessing.size
        return self.seen(rows, central_windows(len(rows), side, size, mirrored=mirrored))

    def seen(self, rows: NDArray[np.int64], windows: Windows) -> Tensor:
        """(N, …) of pictures `rows` through `windows`, prepared on all cores."""

        def work(start: int) -> NDArray[np.float32]:
            places = range(start, min(start + self.chunk, len(rows)))
            cut = [windows.cut(place, self.pictures.take(int(rows[place]))) for place in places]
            pixels = self.preprocessing.normalised(cut)
            return pixels if self.trunk is None else self.trunk(pixels)

        return torch.from_numpy(np.concatenate(list(self.pool.map(work, range(0, len(rows), self.chunk)))))
