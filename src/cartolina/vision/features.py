"""Features of many photos: decoded once, inferred once, kept for good.

Every worker thread does a few photos from end to end: reads, hashes, decodes and runs them through the
backbones on its own core. One photo is thus decoded while another is inferred, no core ever waits for a
stage that is too slow, and nothing needs tuning to the machine. (On two cores, a session per core and four
photos a call also takes a third less time per photo than one session on both cores with 32 photos a call,
see docs/backbones.md.) A backbone on a GPU lets one thread in at a time; the others decode meanwhile.

>>> for post, content in extract(photos, [backbone], [cache]):  # doctest: +SKIP
...     print(post.id, cache.get([feature_key(content, "plain")]).shape)
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from cartolina.errors import UnknownName
from cartolina.onnx_session import available_cores
from cartolina.progress import SILENT, Progress
from cartolina.vision.backbones import Backbone
from cartolina.vision.cache import FeatureCache, feature_key
from cartolina.vision.decode import UnreadableImage, content_hash, open_rgb, read_bytes
from cartolina.vision.preprocessing import Preprocessing

__all__ = ["VIEWS", "FeatureCache", "extract", "feature_key"]

T = TypeVar("T")

VIEWS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "plain": lambda pixels: pixels,
    "mirror": lambda pixels: np.ascontiguousarray(pixels[..., ::-1]),
}
"""What a backbone may be shown of a photo: (B, 3, H, W) -> the same shape."""

# A durable write costs milliseconds, so many photos share one; a kill costs at most these photos or seconds.
_PHOTOS_PER_COMMIT = 256
_SECONDS_PER_COMMIT = 2.0
# Chunks handed out ahead per worker: enough to work on while the main thread waits for the disk.
_CHUNKS_AHEAD = 4


def extract(
    items: Iterable[tuple[T, Path | bytes]],
    backbones: Sequence[Backbone],
    caches: Sequence[FeatureCache],
    *,
    views: Sequence[str] = ("plain",),
    on_skip: Callable[[T, str, str], None] | None = None,
    progress: Progress = SILENT,
    total: int | None = None,
) -> Iterator[tuple[T, str]]:
    """See that the features of every photo are in `caches`, one for each of `backbones`.

    Yields `(item, content hash)` in the order given, each once its features, under
    `feature_key(content, view)` for each of `views`, are on disk. A photo whose features are there already is
    only read and hashed; the same content twice in a run is inferred once. A photo that cannot be decoded is
    not yielded: `on_skip(item, reason, detail)` is told in its turn, and the work goes on. `total` photos are
    announced to `progress`.
    """
    for view in views:
        if view not in VIEWS:
            raise UnknownName("view", view, VIEWS)
    run = _Run(tuple(backbones), tuple(caches), tuple(views))
    workers = available_cores()
    chunks = _chunks(items, max(backbone.batch_size for backbone in backbones))
    running: deque[tuple[list[T], Future[list[_Photo]]]] = deque()
    waiting: deque[tuple[T, _Photo]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="features")
    try:
        with progress.task("features", total, "images") as step:
            while True:
                for owners, images in islice(chunks, _CHUNKS_AHEAD * workers - len(running)):
                    running.append((owners, pool.submit(run.work, images)))
                if running:
                    owners, future = running.popleft()
                    waiting.extend(zip(owners, run.collect(future.result()), strict=True))
                else:
                    run.commit()
                while waiting and run.is_settled(waiting[0][1]):
                    owner, photo = waiting.popleft()
                    step.advance()
                    if photo.error is None:
                        yield owner, photo.content
                    elif on_skip is not None:
                        on_skip(owner, photo.error.reason, photo.error.detail)
                if not running and not waiting:
                    return
    finally:
        pool.shutdown(cancel_futures=True)


@dataclass(slots=True)
class _Photo:
    """One photo on its way: what is missing of it, its squares of pixels, then its features."""

    content: str = ""
    error: UnreadableImage | None = None
    missing: frozenset[int] = frozenset()  # which backbones' features
    squares: dict[Preprocessing, np.ndarray] = field(default_factory=dict)
    features: dict[tuple[int, str], np.ndarray] = field(default_factory=dict)


class _Run:
    """What the workers of one `extract` share."""

    def __init__(
        self, backbones: tuple[Backbone, ...], caches: tuple[FeatureCache, ...], views: tuple[str, ...]
    ) -> None:
        self.backbones = backbones
        self.caches = caches
        self.views = views
        self.lock = threading.Lock()
        self.claimed: set[str] = set()  # contents in work or not yet on disk; another photo of one waits
        self.failed: dict[str, UnreadableImage] = {}
        self.fresh: list[_Photo] = []  # inferred, not yet on disk
        self.committed = time.monotonic()

    def work(self, images: Sequence[Path | bytes]) -> list[_Photo]:
        """In a worker thread: a few photos from file to features."""
        photos = [self._decoded(image) for image in images]
        for number, backbone in enumerate(self.backbones):
            due = [photo for photo in photos if number in photo.missing]
            for start in range(0, len(due), backbone.batch_size):
                batch = due[start : start + backbone.batch_size]
                preprocessing = backbone.preprocessing
                pixels = preprocessing.normalised([photo.squares[preprocessing] for photo in batch])
                for view in self.views:
                    for photo, row in zip(batch, backbone(VIEWS[view](pixels)), strict=True):
                        photo.features[number, view] = row
        for photo in photos:
            photo.squares.clear()
        return photos

    def collect(self, photos: list[_Photo]) -> list[_Photo]:
        """In the main thread: keep what is new, and write when it is time."""
        self.fresh.extend(photo for photo in photos if photo.features)
        overdue = time.monotonic() - self.committed > _SECONDS_PER_COMMIT
        if overdue or len(self.fresh) >= _PHOTOS_PER_COMMIT:
            self.commit()
        return photos

    def commit(self) -> None:
        """Put what is new on disk, backbone by backbone, then let go of it."""
        for number, cache in enumerate(self.caches):
            due = [photo for photo in self.fresh if number in photo.missing]
            keys = [feature_key(photo.content, view) for photo in due for view in self.views]
            if keys:
                cache.put(
                    keys, np.stack([photo.features[number, view] for photo in due for view in self.views])
                )
        with self.lock:
            self.claimed.difference_update(photo.content for photo in self.fresh)
        for photo in self.fresh:
            photo.features.clear()
        self.fresh = []
        self.committed = time.monotonic()

    def is_settled(self, photo: _Photo) -> bool:
        """Whether the photo's features are on disk, or it failed (its `error` is then set)."""
        with self.lock:
            photo.error = photo.error or self.failed.get(photo.content)
            return photo.error is not None or photo.content not in self.claimed

    def _decoded(self, image: Path | bytes) -> _Photo:
        try:
            data = read_bytes(image)
        except UnreadableImage as error:
            return _Photo(error=error)
        photo = _Photo(content_hash(data))
        with self.lock:
            if photo.content in self.claimed:
                return photo  # its twin does the work
            self.claimed.add(photo.content)
        # Only now, with the claim held, is the cache's answer final: a twin commits before it lets go.
        missing = frozenset(
            n for n, cache in enumerate(self.caches) if not self._is_cached(photo.content, cache)
        )
        wanted = {self.backbones[number].preprocessing for number in missing}
        try:
            if missing:
                upright = open_rgb(data, at_least=max(preprocessing.source_size for preprocessing in wanted))
                photo.squares = {preprocessing: preprocessing.resized(upright) for preprocessing in wanted}
                photo.missing = missing
                return photo
        except UnreadableImage as error:
            with self.lock:
                self.failed[photo.content] = error
        with self.lock:
            self.claimed.discard(photo.content)
        return photo

    def _is_cached(self, content: str, cache: FeatureCache) -> bool:
        return all(feature_key(content, view) in cache for view in self.views)


def _chunks(
    items: Iterable[tuple[T, Path | bytes]], size: int
) -> Iterator[tuple[list[T], list[Path | bytes]]]:
    stream = iter(items)
    while chunk := list(islice(stream, size)):
        yield [owner for owner, _ in chunk], [image for _, image in chunk]
