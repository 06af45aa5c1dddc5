"""Is every vector where the catalogue says, a finite unit row, and the one of its picture?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
from numpy.lib import format as npy

from cartolina.album.checks.findings import Checked, Finding
from cartolina.album.space import Space
from cartolina.album.writer import cache_name, feature_caches
from cartolina.store.contract import UNIT_TOLERANCE, Keys
from cartolina.store.segments import CAPACITY, HEADER, Segments
from cartolina.vision.features import FeatureCache, feature_key

__all__ = ["look"]

ROWS_AT_ONCE = 8192
SAMPLE = 512
"""Vectors of a space that a deep check encodes anew."""
LEAST_COSINE = 0.98
"""Between a vector and its picture encoded anew: float16 features and JPEG decoders stay well above."""
LOOKS = 8


@dataclass
class _Space:
    """A space's vectors as they are on disk: how many rows of each segment can be read, which are wrong."""

    number: int
    name: str
    dim: int
    rows: dict[int, int]
    keys: Keys
    positions: Keys
    readable: dict[int, int] = field(default_factory=dict)
    broken: dict[int, str] = field(default_factory=dict)
    wrong: set[int] = field(default_factory=set)
    """Positions of rows that are no finite unit vectors, whether a post owns them or not."""


def look(album: Checked) -> Iterator[Finding]:
    """The segments of every space, the vectors in them, and posts of the active one that have none."""
    catalogue = album.catalogue
    for number, name, dim in catalogue.rows("SELECT space, fingerprint, dim FROM spaces ORDER BY space"):
        for _ in range(LOOKS):  # a compaction may replace the files that we are about to read
            space = _Space(number, name, dim, *album.catalogue.placement(number, also_offline=True))
            _read(album, space)
            if not space.broken or space.rows == album.catalogue.placement(number)[0]:
                break
        yield from _findings(album, space)
    active = catalogue.active_space()
    if active is not None:
        yield from _lacking(album, *active)


def _read(album: Checked, space: _Space) -> None:
    folder = album.path / "spaces" / space.name / "vectors"
    total = sum(space.rows.values())
    with album.progress.task("vectors", total, "rows") as step:
        for segment, rows in space.rows.items():
            path = folder / f"{segment:04d}.npy"
            try:
                with path.open("rb") as file:
                    if (said := _header(file.read(HEADER), space.dim)) is not None:
                        space.broken[segment] = said
                    size = path.stat().st_size
                    there = max(0, min(rows, (size - HEADER) // (4 * space.dim)))
                    if there < rows:
                        space.broken[segment] = f"{there:,} of {rows:,} rows are there"
                    space.readable[segment] = there
                    for start in range(0, there, ROWS_AT_ONCE):
                        count = min(ROWS_AT_ONCE, there - start)
                        file.seek(HEADER + start * space.dim * 4)
                        found = np.frombuffer(file.read(count * space.dim * 4), "<f4").reshape(-1, space.dim)
                        with np.errstate(all="ignore"):
                            off = np.abs(np.linalg.norm(found.astype(np.float64), axis=1) - 1)
                        bad = np.flatnonzero(~(off <= UNIT_TOLERANCE)) + start  # NaN is not within either
                        space.wrong |= {segment * CAPACITY + row for row in bad.tolist()}
                        step.advance(count)
            except FileNotFoundError:
                space.broken[segment], space.readable[segment] = "the file is missing", 0


def _header(start: bytes, dim: int) -> str | None:
    """What is wrong with the first bytes of a segment; how many rows count is not for them to say."""
    try:
        file = BytesIO(start)
        npy.read_magic(file)
        shape, fortran, dtype = npy.read_array_header_1_0(file)
    except ValueError:
        return "it does not begin as a file of vectors does"
    if fortran or dtype != np.dtype("<f4") or len(shape) != 2 or shape[1] != dim:
        return f"it holds {dtype} of shape {shape}; expected rows of {dim} float32"
    return None


def _findings(album: Checked, space: _Space) -> Iterator[Finding]:
    keys, positions = space.keys, space.positions
    segments, rows = positions // CAPACITY, positions % CAPACITY
    there = np.array([space.readable.get(segment, 0) for segment in segments.tolist()], np.int64)
    unreadable = rows >= there
    wrong = np.isin(positions, sorted(space.wrong)) & ~unreadable
    renewal = _Renewal(album, space, keys[unreadable | wrong])
    for segment, said in space.broken.items():
        lost = int((unreadable & (segments == segment)).sum())
        where = f"spaces/{space.name}/vectors/{segment:04d}.npy"
        detail = f"{said}; {lost:,} posts' vectors are lost with it"
        yield Finding("segment", where, detail, max(lost, 1), renewal)
    beyond = unreadable & ~np.isin(segments, sorted(space.broken))
    where = f"spaces/{space.name}/vectors"
    for mask, what in ((wrong, "are no finite unit rows"), (beyond, "lie where nothing was written")):
        if count := int(mask.sum()):
            yield Finding("vector", where, f"{count:,} vectors {what}", count, renewal)
    if album.deep and not space.broken and space.name not in album.broken:
        yield from _compared(album, space, keys[~(unreadable | wrong)], positions[~(unreadable | wrong)])


def _compared(album: Checked, space: _Space, keys: Keys, positions: Keys) -> Iterator[Finding]:
    """A sample of vectors against their pictures' features encoded anew."""
    folder = album.path / "spaces" / space.name
    opened, stored = Space.open(folder), Segments(folder / "vectors", space.dim, space.rows)
    hashes = album.catalogue.hashes(keys.tolist())
    with _caches(album, opened) as caches:
        cached = np.array([_is_cached(hashes[key], opened, caches) for key in keys.tolist()], bool)
        keys, positions = keys[cached], positions[cached]
        chosen = np.unique(np.linspace(0, max(len(keys) - 1, 0), min(len(keys), SAMPLE)).astype(np.int64))
        if not len(chosen):
            return
        anew = opened.encode_cached(caches, [hashes[key] for key in keys[chosen].tolist()])
    cosines = np.einsum("nd,nd->n", anew, stored.take(positions[chosen]))
    if differ := int((~(cosines >= LEAST_COSINE)).sum()):
        detail = f"{differ:,} of {len(chosen):,} vectors looked at are not those of their pictures"
        renewal = _Renewal(album, space, keys)
        yield Finding("vector", f"spaces/{space.name}/vectors", detail, differ, renewal)


def _lacking(album: Checked, number: int, name: str) -> Iterator[Finding]:
    lacking = album.catalogue.without_vector(number)
    if not lacking or name in album.broken:
        return

    def mend() -> str:
        report = album.writer(number, name).embed(album.progress)
        return f"{report.added:,} vectors made{_skipped(report.skipped)}"

    space = Space.open(album.path / "spaces" / name)
    with _caches(album, space) as caches:
        cached = sum(_is_cached(one.content_hash, space, caches) for one in lacking)
    where = f"spaces/{name}"
    if cached:
        detail = f"{cached:,} posts cannot be found, though what their pictures show is known"
        yield Finding("vector-missing", where, detail, cached, mend)
    if others := len(lacking) - cached:
        detail = f"{others:,} posts cannot be found: their pictures were not read"
        yield Finding("vector-lacking", where, detail, others, mend)


@contextmanager
def _caches(album: Checked, space: Space) -> Iterator[list[FeatureCache]]:
    """The caches of a space's backbones; none where one of them is not there or not whole."""
    there = {path.name for path in (album.path / "features").glob("*")} - album.broken
    if all(cache_name(backbone) in there for backbone in space.backbones):
        with feature_caches(album.path, space.backbones) as caches:
            yield caches
    else:
        yield []


def _is_cached(content: str, space: Space, caches: Sequence[FeatureCache]) -> bool:
    names = [feature_key(content, view) for view in space.views]
    return bool(caches) and all(name in cache for name in names for cache in caches)


def _skipped(skipped: Mapping[str, int]) -> str:
    reasons = ", ".join(f"{count:,} × {reason}" for reason, count in skipped.items())
    return f"; not {reasons}" if reasons else ""


class _Renewal:
    """Forgets vectors that are lost, and makes them again where their space is searched."""

    def __init__(self, album: Checked, space: _Space, lost: Keys) -> None:
        self.album, self.space, self.lost = album, space, lost
        self.done: str | None = None

    def __call__(self) -> str:
        """Do it, once for all that was found in a space; what was done."""
        if self.done is None:
            self._forget()
            if self.space.broken:
                self._rewrite()
            self.done = self._make_again()
        return self.done

    def _forget(self) -> None:
        catalogue, number = self.album.catalogue, self.space.number
        inside = "IN (SELECT value FROM json_each(?))"
        with catalogue.transaction():
            catalogue.change(
                f"DELETE FROM vectors WHERE space = ? AND key {inside}",  # noqa: S608
                number, self.lost.tolist(),
            )  # fmt: skip
            catalogue.change(
                f"DELETE FROM former_vectors WHERE space = ? AND segment * {CAPACITY} + row {inside}",  # noqa: S608
                number, sorted(self.space.wrong),
            )  # fmt: skip

    def _rewrite(self) -> None:
        """Copy the vectors that can be read to fresh segments, and drop the others."""
        catalogue, space = self.album.catalogue, self.space
        folder = self.album.path / "spaces" / space.name / "vectors"
        _, keys, positions = catalogue.placement(space.number, also_offline=True)
        fresh, now = Segments(folder, space.dim, space.readable).rewritten(positions)
        with catalogue.transaction():
            catalogue.place(space.number, fresh.rows, keys, now)
            catalogue.forget_segments(space.number, fresh.rows)
        fresh.drop_unnamed()

    def _make_again(self) -> str:
        active = self.album.catalogue.active_space()
        if active is None or active[0] != self.space.number:
            return "forgotten; made again when the album goes back to that space"
        report = self.album.writer(*active).embed(self.album.progress)
        return f"{report.added:,} vectors made again{_skipped(report.skipped)}"
