"""The decoded pictures of a training set: small squares on disk, or decoded again each time.

    posts = listing([lambda: dataset.stream("train")])
    found = gather(posts, work, Preprocessing(300))
    found.pictures.take(7)             # (300, 300, 3) uint8

Every picture is decoded once, which tells the readable ones from the others: those are counted by reason,
left out for good and never replaced by another. Up to a budget the squares stay on disk (270 KB each at 300
pixels) and are mapped into memory; above it only the list of what can be read is kept. A folder that holds
the same pictures already, by path, size and time, is taken as it is.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cartolina import durable
from cartolina.datasets import NOTES, Skipped
from cartolina.errors import InputError
from cartolina.onnx_session import available_cores
from cartolina.post import Post
from cartolina.progress import SILENT, Progress
from cartolina.vision.decode import UnreadableImage, content_hash, open_rgb
from cartolina.vision.preprocessing import Preprocessing

__all__ = ["BUDGET", "Gathered", "Listing", "Pictures", "Stream", "gather", "listing"]

Stream: TypeAlias = Callable[[], Iterable[Post | Skipped]]
"""Gives posts, and what a reader left out between them, from the start whenever it is called."""

BUDGET = 4 << 30
"""Bytes of decoded pictures that are kept on disk: 15,900 at 300 pixels."""

CARD, SQUARES = "pictures.json", "pictures.u8"
_AHEAD = 8  # pictures being decoded, per core


@dataclass(frozen=True, slots=True)
class Pictures:
    """N pictures, (side, side, 3) uint8 each; `stored` (N, side, side, 3) where they lie decoded."""

    images: Sequence[Path | None]
    squares: Preprocessing
    stored: NDArray[np.uint8] | None

    def __len__(self) -> int:
        return len(self.images)

    def take(self, number: int) -> NDArray[np.uint8]:
        """Picture `number`; raises `UnreadableImage` where a file is gone since it was listed."""
        if self.stored is not None:
            picture: NDArray[np.uint8] = self.stored[number]
            return picture
        image = self.images[number]
        assert image is not None  # `gather` refuses such
        return self.squares.resized(open_rgb(image, at_least=self.squares.source_size))


@dataclass(frozen=True, slots=True)
class Gathered:
    """Posts with words whose picture can be read: `captions[i]` go with `pictures.take(i)`.

    `part[i]` is the number of the stream that post i came from; `skipped` counts by reason those left out.
    """

    pictures: Pictures
    captions: list[tuple[str, ...]]
    part: NDArray[np.int64]
    skipped: Counter[str]


def gather(
    listed: Listing,
    folder: Path,
    squares: Preprocessing,
    *,
    budget: int = BUDGET,
    progress: Progress = SILENT,
) -> Gathered:
    """Decode the pictures of the posts that were `listed`.

    `squares` says how a picture becomes a square of its `size`; `folder` receives the squares and a list;
    `budget` is how many bytes of squares may stay there. Raises `InputError` for pictures out of archives
    that are more than the budget: they cannot be looked up again.
    """
    digest = hashlib.blake2b(f"{squares.fingerprint} {listed.digest}".encode(), digest_size=16).hexdigest()
    keep = len(listed.captions) * squares.size**2 * 3 <= budget
    if not keep and None in listed.images:
        needed = -(-len(listed.captions) * squares.size**2 * 3 >> 30)
        raise InputError(
            f"{listed.images.count(None):,} pictures lie in archives, where they cannot be looked up again "
            f"and again: unpack them, or allow {needed} GB for the decoded ones"
        )
    folder.mkdir(parents=True, exist_ok=True)
    unreadable = _known(folder, digest, keep)
    if unreadable is None:
        unreadable = _decode(listed.parts, folder, squares, keep, len(listed.captions), progress)
        card = {"digest": digest, "stored": keep, "unreadable": unreadable}
        durable.write_bytes(folder / CARD, json.dumps(card).encode())
    kept = [number for number in range(len(listed.captions)) if str(number) not in unreadable]
    stored = None
    if keep and kept:
        shape = (len(kept), squares.size, squares.size, 3)
        stored = np.memmap(folder / SQUARES, np.uint8, "r", shape=shape)
    return Gathered(
        Pictures([listed.images[number] for number in kept], squares, stored),
        [listed.captions[number] for number in kept],
        np.array([listed.part[number] for number in kept], np.int64),
        listed.skipped + Counter(unreadable.values()),
    )


@dataclass(frozen=True, slots=True)
class Listing:
    """Posts with a picture and words, not decoded: `images[i]` (None: in an archive) is of part `part[i]`.

    `digest` differs where a post, its words or its picture (by size and time) does.
    """

    parts: Sequence[Stream]
    images: list[Path | None]
    captions: list[tuple[str, ...]]
    part: list[int]
    skipped: Counter[str]
    digest: str


def listing(parts: Sequence[Stream], progress: Progress = SILENT) -> Listing:
    """List the posts of `parts`, one after the other."""
    images: list[Path | None] = []
    captions: list[tuple[str, ...]] = []
    part: list[int] = []
    skipped: Counter[str] = Counter()
    digest = hashlib.blake2b(digest_size=16)
    with progress.task("posts", None, "posts") as step:
        for number, stream in enumerate(parts):
            for post in stream():
                if isinstance(post, Skipped):
                    skipped.update([post.reason] if post.reason not in NOTES else [])
                    continue
                step.advance()
                if (reason := _lacking(post)) is not None:
                    skipped[reason] += 1
                    continue
                images.append(post.image if isinstance(post.image, Path) else None)
                captions.append(post.words)
                part.append(number)
                digest.update(f"{number} {post.id} {post.words} {_state(post.image)}\n".encode())
    return Listing(parts, images, captions, part, skipped, digest.hexdigest())


def _lacking(post: Post | Skipped) -> str | None:
    if isinstance(post, Skipped):
        return post.reason
    if post.image is None:
        return "no picture"
    return None if post.words else "no words"


def _state(image: Path | bytes | None) -> str:
    if isinstance(image, bytes):
        return content_hash(image) if image else ""
    try:
        state = image.stat() if image is not None else None
    except OSError:
        return f"{image} is gone"
    return f"{image} {state.st_size} {state.st_mtime_ns}" if state is not None else ""


def _known(folder: Path, digest: str, keep: bool) -> dict[str, str] | None:
    """What could not be read (number among the listed: reason) when these pictures were last decoded."""
    try:
        card = json.loads((folder / CARD).read_bytes())
        fits = card["digest"] == digest and (not keep or (card["stored"] and (folder / SQUARES).exists()))
        return dict(card["unreadable"]) if fits else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _decode(
    parts: Sequence[Stream],
    folder: Path,
    squares: Preprocessing,
    keep: bool,
    total: int,
    progress: Progress,
) -> dict[str, str]:
    """Decode all pictures in order, into `SQUARES` where they are to be kept; returns what cannot be read."""
    (folder / CARD).unlink(missing_ok=True)
    unreadable: dict[str, str] = {}
    staged = folder / f"{SQUARES}.part"
    with staged.open("wb") as file, progress.task("pictures", total, "pictures") as step:
        for number, square in enumerate(_squares(parts, squares)):
            if isinstance(square, UnreadableImage):
                unreadable[str(number)] = square.reason
            elif keep:
                file.write(square.tobytes())
            step.advance()
    if keep:
        durable.fsync_file(staged)
        staged.replace(folder / SQUARES)
    else:
        staged.unlink()
    return unreadable


def _squares(
    parts: Sequence[Stream], squares: Preprocessing
) -> Iterator[NDArray[np.uint8] | UnreadableImage]:
    """Each picture in order, decoded on all cores, a bounded number of them at a time."""

    def decoded(image: Path | bytes) -> NDArray[np.uint8] | UnreadableImage:
        try:
            return squares.resized(open_rgb(image, at_least=squares.source_size))
        except UnreadableImage as error:
            return error

    cores = available_cores()
    pool = ThreadPoolExecutor(cores, thread_name_prefix="pictures")
    running: deque[Future[NDArray[np.uint8] | UnreadableImage]] = deque()
    try:
        for post in (post for stream in parts for post in stream() if _lacking(post) is None):
            assert isinstance(post, Post)
            assert post.image is not None
            running.append(pool.submit(decoded, post.image))
            if len(running) > _AHEAD * cores:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
