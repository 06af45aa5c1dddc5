"""Changes to an album, made by the one process that holds its lock.

Vectors first (appended, on disk), then one transaction that makes them and their posts true: that is the
acknowledgement. A process killed before it has changed nothing, after it everything.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cartolina.album.catalogue import Catalogue
from cartolina.album.copies import Entered, enter, remember_removal
from cartolina.album.entry import Entry, Lacking
from cartolina.album.intake import BATCH, AddReport, SkipList, Visit, batches, entries
from cartolina.album.searchable import Searchable
from cartolina.datasets import Dataset, Skipped
from cartolina.progress import SILENT, Progress
from cartolina.vision import Backbone
from cartolina.vision.decode import UnreadableImage, content_hash
from cartolina.vision.features import FeatureCache, extract, feature_key

__all__ = ["Writer", "cache_name", "feature_caches"]

COMPACT_FROM = 1024
"""Rows on disk below which holes are not worth a rewrite."""


def cache_name(backbone: Backbone) -> str:
    """The folder of a backbone's features."""
    name = "".join(letter if letter.isalnum() else "-" for letter in backbone.name)
    return f"{name}-{backbone.fingerprint}"


@contextmanager
def feature_caches(album: Path, backbones: Sequence[Backbone]) -> Iterator[list[FeatureCache]]:
    """The album's caches of the backbones' features, open inside the block."""
    with ExitStack() as closing:
        caches = []
        for backbone in backbones:
            caches.append(FeatureCache(album / "features" / cache_name(backbone), backbone.shape))
            closing.callback(caches[-1].close)
        yield caches


@dataclass
class Writer:
    """Writes to the album at `path`, and vectors into the space `target` (None: there is none yet)."""

    path: Path
    catalogue: Catalogue
    target: Searchable | None
    shifted: bool = False
    """Whether the catalogue knows better than `target` which post has which vector."""

    def __post_init__(self) -> None:
        if self.target:
            self.target.store.segments.drop_unnamed()  # of a compaction that was killed

    def take_in(
        self,
        dataset: Dataset,
        split: str | None,
        backbones: Sequence[Backbone],
        views: Sequence[str],
        progress: Progress,
    ) -> AddReport:
        """Enter a dataset's posts, with their features where there are `backbones`, with vectors where
        there is a target (whose backbones and views those are then)."""
        report = AddReport()
        with self.catalogue.transaction():
            source, new = self.catalogue.source(dataset.root.resolve(), dataset.format, dataset.stable_ids)
            self.catalogue.remember_reading(source, dataset, split)
        # How many posts are unchanged is not known beforehand: a source seen before has no total.
        total = dataset.count(split) if new else None
        self.visit(Visit(source), dataset, split, backbones, views, report, progress, total)
        self.compact()
        return report

    def visit(
        self,
        visit: Visit,
        dataset: Dataset,
        split: str | None,
        backbones: Sequence[Backbone],
        views: Sequence[str],
        report: AddReport,
        progress: Progress,
        total: int | None = None,
    ) -> None:
        """Enter what is new or changed in a source, and count it in `report`."""
        with (
            feature_caches(self.path, backbones) as caches,
            self._skips(str(dataset.root.resolve()), report) as skips,
        ):
            space = self.target.number if self.target else None
            fresh = entries(dataset, split, visit, self.catalogue, space, self._pictures, report, skips.add)
            photos = ((entry, entry.image) for entry in fresh)
            unused: set[Path] = set()

            def on_skip(entry: Entry, reason: str, detail: str) -> None:
                skips.add(Skipped(entry.post.id, reason, detail))
                unused.add(entry.image)

            if backbones:
                ready = extract(
                    photos, backbones, caches, views=views, on_skip=on_skip, progress=progress, total=total
                )
            else:
                ready = _hashed(photos, on_skip, progress, total)
            for batch in batches(ready, BATCH):
                self._accept(batch, caches, report, visit)
        self._drop(unused)
        self.shifted |= report.back > 0  # they have their vectors again

    def embed(self, progress: Progress = SILENT, keys: Collection[int] | None = None) -> AddReport:
        """Give each post without one (None: of all, else of `keys`) its vector in the target; `added` counts
        them."""
        assert self.target is not None
        space, report = self.target.space, AddReport()
        with (
            feature_caches(self.path, space.backbones) as caches,
            self._skips(str(self.path), report) as skips,
        ):
            cached, others = self._lacking(caches, keys)

            def on_skip(one: Lacking, reason: str, detail: str) -> None:
                skips.add(Skipped(one.id, reason, detail))

            with progress.task("vectors", len(cached), "posts") as step:
                for batch in batches(cached, BATCH):
                    self._place({one.key: one.content_hash for one in batch}, caches)
                    report.added += len(batch)
                    step.advance(len(batch))
            if others:
                photos = ((one, one.image) for one in others)
                ready = extract(
                    photos, space.backbones, caches,
                    views=space.views, on_skip=on_skip, progress=progress, total=len(others),
                )  # fmt: skip
                for found in batches(ready, BATCH):
                    self._place({one.key: content for one, content in found}, caches)
                    report.added += len(found)
        return report

    def place_cached(self, keys: Collection[int]) -> None:
        """Vectors of those of `keys` that have none and whose features are cached, in the transaction that
        is under way."""
        if self.target is None:
            return
        with feature_caches(self.path, self.target.space.backbones) as caches:
            cached, _ = self._lacking(caches, keys)
            for batch in batches(cached, BATCH):
                self._append({one.key: one.content_hash for one in batch}, caches)

    def remove(self, keys: Sequence[int], *, for_good: bool = True) -> None:
        """Forget posts; `for_good`: `sync` leaves their files out should it meet them.

        The album's own pictures of them stay for as long as it can be undone.
        """
        with self.catalogue.transaction():
            if for_good:
                remember_removal(self.catalogue, list(keys))
            self.catalogue.remove(keys)
        if self.target:
            self.target.store.delete(np.array(keys, np.int64))
        self.compact()

    def forget_offline(self, source: int | None = None) -> int:
        """Forget the posts of a source (None: of all) whose pictures are missing; how many."""
        keys = self.catalogue.offline_of(source)
        self.remove(keys, for_good=False)
        return len(keys)

    def compact(self) -> None:
        """Where more than half of the rows on disk are holes, write the others anew and drop the files."""
        if self.target is None:
            return
        if self.shifted:
            target = self.target
            self.target = Searchable.load(self.catalogue, target.number, target.space)
            self.shifted = False
        number, store = self.target.number, self.target.store
        if len(store) + store.holes < COMPACT_FROM or store.holes <= len(store):
            return
        fresh = store.compacted()
        with self.catalogue.transaction():
            self.catalogue.place(number, fresh.segments.rows, fresh.keys, fresh.positions_of(fresh.keys))
            self.catalogue.forget_segments(number, fresh.segments.rows)
            self.catalogue.note("compact", len(fresh), f"{store.holes} holes")
        fresh.segments.drop_unnamed()
        self.target = replace(self.target, store=fresh)

    def sweep(self) -> None:
        """Delete pictures of the album's own that no post shows and no undo could bring back."""
        if self._pictures.is_dir():
            self._drop(self._pictures.iterdir())

    def _drop(self, pictures: Iterable[Path]) -> None:
        """Delete those of the given pictures that are our own and that nobody needs; originals stay."""
        own = [picture for picture in pictures if self.catalogue.is_own(picture)]
        needed = self.catalogue.own_pictures() if own else set()
        for picture in own:
            if picture.name not in needed:
                picture.unlink(missing_ok=True)

    @property
    def _pictures(self) -> Path:
        return self.path / "pictures"

    def _skips(self, source: str, report: AddReport) -> SkipList:
        return SkipList(self.path / "runs" / "skipped.jsonl", source, report)

    def _accept(
        self,
        batch: list[tuple[Entry, str]],
        caches: Sequence[FeatureCache],
        report: AddReport,
        visit: Visit,
    ) -> None:
        outcomes: list[tuple[Entry, Entered | None]] = []
        lacking: dict[int, str] = {}
        gone: list[int] = []
        with self.catalogue.transaction():
            for entry, content in batch:
                entered = enter(self.catalogue, replace(entry, content_hash=content), visit.asked)
                outcomes.append((entry, entered))
                if entered is None:
                    continue
                gone += entered.gone
                self.shifted |= entered.shifted
                if entered.changed or not self._has_vector(entered.key):
                    lacking[entered.key] = content
            self._append({key: content for key, content in lacking.items() if key not in gone}, caches)
        if self.target and gone:
            self.target.store.delete(np.array(gone, np.int64))
        self._drop(entry.image for entry, entered in outcomes if entered is None)
        for entry, entered in outcomes:
            if entered is None:
                report.tell("left_out", entry.post.id)
                continue
            report.tell(entered.kind, entered.id)
            if entered.kind == "copies":
                visit.copied.add(entry.post.id)
            elif entered.kind == "added" and entered.id != entry.post.id:
                report.renamed[entry.post.id] = entered.id

    def _place(self, contents: Mapping[int, str], caches: Sequence[FeatureCache]) -> None:
        with self.catalogue.transaction():
            self.catalogue.set_hashes(contents)  # a picture may have changed since it was entered
            self._append(contents, caches)

    def _append(self, contents: Mapping[int, str], caches: Sequence[FeatureCache]) -> None:
        """Vectors of posts, key -> content hash: first on disk, then in the transaction that is under way."""
        if self.target is None or not contents:
            return
        keys = np.fromiter(contents, np.int64, len(contents))
        store = self.target.store
        store.upsert(keys, self.target.space.encode_cached(caches, list(contents.values())))
        self.catalogue.place(self.target.number, store.segments.rows, keys, store.positions_of(keys))

    def _lacking(
        self, caches: Sequence[FeatureCache], keys: Collection[int] | None
    ) -> tuple[list[Lacking], list[Lacking]]:
        """Posts without a vector in the target: those whose features are cached, and the others."""
        assert self.target is not None
        wanted = None if keys is None else set(keys)
        cached: list[Lacking] = []
        others: list[Lacking] = []
        for one in self.catalogue.without_vector(self.target.number):
            if wanted is None or one.key in wanted:
                names = [feature_key(one.content_hash, view) for view in self.target.space.views]
                there = all(name in cache for name in names for cache in caches)
                (cached if there else others).append(one)
        return cached, others

    def _has_vector(self, key: int) -> bool:
        return self.target is not None and self.catalogue.has_vector(self.target.number, key)


def _hashed(
    photos: Iterable[tuple[Entry, Path]],
    on_skip: Callable[[Entry, str, str], None],
    progress: Progress,
    total: int | None,
) -> Iterator[tuple[Entry, str]]:
    with progress.task("photos", total, "photos") as step:
        for entry, image in photos:
            try:
                yield entry, content_hash(image)
            except UnreadableImage as error:
                on_skip(entry, error.reason, error.detail)
            step.advance()
