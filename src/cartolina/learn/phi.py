"""φ of all captions of a training set, on disk: computed once, mapped into memory, found again on resuming.

text/  phi.npy (M, D) float32  phi.json, written last
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cartolina import durable
from cartolina import text as texts
from cartolina.progress import SILENT, Progress
from cartolina.text import TextModel

__all__ = ["Phi", "phi_of"]

CARD, ROWS = "phi.json", "phi.npy"
AT_A_TIME = 2048


@dataclass(frozen=True, slots=True)
class Phi:
    """`rows` (M, D) float32, photo by photo: those of photo i are `starts[i]` to `starts[i + 1]`."""

    text: TextModel
    rows: NDArray[np.float32]
    starts: NDArray[np.int64]

    def one_each(self, photos: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float32]:
        """φ of one of the captions of each of `photos`, drawn by `rng`: (len(photos), D)."""
        first = self.starts[photos]
        return np.asarray(self.rows[first + rng.integers(self.starts[photos + 1] - first)])

    def all_of(self, photos: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """φ of all captions of `photos`, and the place of each one's photo among them: (M', D), (M',)."""
        which = [np.arange(self.starts[photo], self.starts[photo + 1]) for photo in photos]
        owner = np.repeat(np.arange(len(photos)), [len(one) for one in which])
        return np.asarray(self.rows[np.concatenate(which)]), owner


def phi_of(
    captions: Sequence[Sequence[str]],
    learn_from: NDArray[np.int64],
    name: str,
    folder: Path,
    *,
    seed: int = 0,
    progress: Progress = SILENT,
) -> Phi:
    """φ of `captions` (one list a photo) by the text model called `name`, kept in `folder`.

    A model that learns its words learns them from the captions of the photos `learn_from`.
    """
    starts = np.cumsum([0, *(len(of_photo) for of_photo in captions)])
    digest = hashlib.blake2b(f"{name} {seed}".encode() + learn_from.tobytes(), digest_size=16)
    for of_photo in captions:
        digest.update(repr(of_photo).encode())
    if _known(folder, digest.hexdigest()):
        model = texts.load(folder / "text")
        return Phi(model, np.load(folder / ROWS, mmap_mode="r"), starts)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CARD).unlink(missing_ok=True)
    model = texts.create(name, seed=seed, progress=progress)
    model.fit((caption for photo in learn_from for caption in captions[photo]), progress)
    rows = np.lib.format.open_memmap(
        folder / ROWS, mode="w+", dtype=np.float32, shape=(int(starts[-1]), model.dim)
    )
    waiting = chain.from_iterable(captions)
    done = 0
    with progress.task("words", len(rows), "captions") as step:
        while some := list(islice(waiting, AT_A_TIME)):
            rows[done : done + len(some)] = model.embed(some)
            done += len(some)
            step.advance(len(some))
    rows.flush()
    model.save(folder / "text")
    durable.fsync_file(folder / ROWS)
    durable.write_bytes(folder / CARD, json.dumps({"digest": digest.hexdigest()}).encode())
    return Phi(model, rows, starts)


def _known(folder: Path, digest: str) -> bool:
    try:
        return bool(json.loads((folder / CARD).read_bytes())["digest"] == digest)
    except (OSError, ValueError, KeyError, TypeError):
        return False
