"""The album: posts, what was learnt from them, and answers. A thin front over catalogue, space and store.

>>> album = Album.open("holidays.album")                                  # doctest: +SKIP
>>> album.add(open_dataset("new photos")).added                           # doctest: +SKIP
>>> for hit in album.search("skyline + night - car near:Barcelona", k=5): # doctest: +SKIP
...     print(f"{hit.score:.3f} {hit.post.text}")
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from cartolina.album import former_spaces, history, indexing
from cartolina.album.about import about
from cartolina.album.answer import Asked, answer, nearest_id
from cartolina.album.catalogue import Catalogue, now
from cartolina.album.duplicates import Duplicates, find_duplicates
from cartolina.album.edits import Edits
from cartolina.album.former_spaces import SpaceFacts
from cartolina.album.guesses import MissingPlaces
from cartolina.album.history import Action, few
from cartolina.album.install import check_space, install_space
from cartolina.album.intake import BATCH, AddReport, batches
from cartolina.album.lock import WriterLock
from cartolina.album.missing import missing_places
from cartolina.album.ranking import Ranking
from cartolina.album.schema import MIGRATIONS
from cartolina.album.searchable import Searchable
from cartolina.album.searched import Searched
from cartolina.album.space import Space
from cartolina.album.sync import SyncReport, sync
from cartolina.album.undo import UndoReport, look, take_back
from cartolina.album.writer import Writer, feature_caches
from cartolina.datasets import Dataset
from cartolina.durable import fsync_folder, write_bytes
from cartolina.errors import AlbumError, InputError, UnknownName
from cartolina.post import Place, Post
from cartolina.progress import SILENT, Progress
from cartolina.settings import SETTINGS
from cartolina.store.segments import SegmentMissing
from cartolina.vision import Backbone
from cartolina.vision.features import FeatureCache

__all__ = ["Album"]

FORMAT = len(MIGRATIONS)

OLDEST_READER = 2
"""The oldest program's format that reads what this one writes: copies, and pictures named by the album."""

LOOKS = 8
"""How often a reader looks again when a compaction has just replaced the files it was about to map."""


def write_about(album: Path, said: Mapping[str, Any]) -> dict[str, Any]:
    """Write album.json, whole or not at all, with what it `said` (uuid, created) and our format."""
    about = {"settings": {}, **said, "format": FORMAT, "oldest_reader": OLDEST_READER}
    write_bytes(album / "album.json", json.dumps(about, indent=1).encode())
    return about


class Album:
    """An opened album, for the thread that opened it.

    Any number may be open; one at a time writes (`AlbumLocked` names it), and nobody waits for it.
    """

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self.path = path
        self._settings = settings
        self._catalogue = Catalogue(path / "album.sqlite")
        self._lock = WriterLock(path / "LOCK")
        self._spaces: dict[str, Space] = {}
        self._searched: Searched | None = None

    @classmethod
    def create(cls, path: Path | str) -> Album:
        """A new, empty album at `path`, which must not exist or be an empty folder."""
        path = Path(path).absolute()
        if path.exists() and not (path.is_dir() and not any(path.iterdir())):
            what = "an album" if (path / "album.json").exists() else "something"
            raise InputError(f"there is {what} at {path} already: choose another path, or add to the album")
        path.parent.mkdir(parents=True, exist_ok=True)
        staged = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
        staged.mkdir()
        settings = {"uuid": str(uuid4()), "created": now()}
        catalogue = Catalogue.create(staged / "album.sqlite")
        catalogue.identify(**settings)
        catalogue.close()
        write_about(staged, settings)
        staged.rename(path)  # an album is there whole or not at all
        fsync_folder(path.parent)
        return cls.open(path)

    @classmethod
    def open(cls, path: Path | str) -> Album:
        """Open the album at `path`; raises `AlbumError` where there is none or one too new for us."""
        path = Path(path).absolute()
        try:
            settings = json.loads((path / "album.json").read_bytes())
            oldest = settings["oldest_reader"]
            settings["format"], settings["uuid"], settings["created"]
        except FileNotFoundError:
            raise AlbumError(
                f"there is no album at {path}: make one with `cartolina build PHOTOS {path.name}`"
            ) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise AlbumError(f"{path}/album.json cannot be read ({type(error).__name__}: {error})") from error
        if oldest > FORMAT:
            raise AlbumError(
                f"{path} needs a program that reads format {oldest}; this one reads {FORMAT}: update it"
            )
        album = cls(path, settings)
        if album._catalogue.version < FORMAT:
            with album._lock:
                album._catalogue.migrate()
        if settings["format"] != album._catalogue.version == FORMAT:
            album._say_format()  # also where a migration was killed before it could
        return album

    def close(self) -> None:
        """Let go of the catalogue."""
        self._catalogue.close()

    def __enter__(self) -> Album:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Reading

    def __len__(self) -> int:
        return len(self._catalogue)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self._catalogue.keys_of([name]))

    def get(self, name: str) -> Post:
        """The post with id `name`; raises `InputError` with the nearest id where there is none."""
        with self._catalogue.snapshot():
            (key,) = self._keys([name])
            return self._catalogue.posts([key])[key]

    def posts(self) -> Iterator[Post]:
        """All posts, oldest first."""
        for post, _ in self.contents():
            yield post

    def contents(self) -> Iterator[tuple[Post, str]]:
        """All posts, oldest first, each with its picture's content hash (see `feature_caches`)."""
        for keys in batches(self._catalogue.all_keys().tolist(), BATCH):
            with self._catalogue.snapshot():
                posts, hashes = self._catalogue.posts(keys), self._catalogue.hashes(keys)
            yield from ((posts[key], hashes[key]) for key in keys if key in posts)

    @property
    def space(self) -> Space | None:
        """The active space, or None while nothing was learnt yet."""
        active = self._catalogue.active_space()
        return self._space(active[1]) if active else None

    def vectors(self, ids: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of posts in the active space: (N, D) float32 unit rows."""
        with self._reading() as searched:
            if searched is None:
                raise self._nothing_learnt()
            keys = np.array(self._keys(ids), np.int64)
            missing = searched.store.positions_of(keys) < 0
            if missing.any():
                name = ids[int(missing.argmax())]
                raise InputError(f"the post {name!r} has no vector: its picture could not be read")
            return searched.store.vectors(keys)

    def search(self, query: Asked, k: int = 10, by: str = "both", store: str = "auto") -> Ranking:
        """The best `k` posts for a query (docs/query.md), with how it was read.

        `by` "picture" (what pictures show), "words" (what captions and tags say) or "both"; `store` "exact",
        "qdrant" or "auto" (`album.searched`). Raises `QueryError`, which says what to write instead, and
        `AlbumError` for pictures before anything was learnt.
        """
        with self._reading(store) as searched:
            ranking = answer(query, k, self._catalogue, searched, by)
            return replace(ranking, notes=(*ranking.notes, *searched.notes)) if searched else ranking

    def missing_places(self, progress: Progress = SILENT) -> MissingPlaces:
        """The posts without a place, with a guess where neighbours in time and look agree. Writes nothing."""
        with self._reading("exact") as searched:
            if searched is None:
                raise self._nothing_learnt()
            return missing_places(self._catalogue, searched.store, progress)

    def duplicates(self, *, strict: bool = False, progress: Progress = SILENT) -> Duplicates:
        """Pictures that are there more than once, to the byte or nearly (`album.duplicates`).

        `strict`: those alone that differ in size, compression or colour. What pictures look like is kept, so
        that a second call looks at new ones only. Nothing is removed.
        """
        return find_duplicates(self.path, self._catalogue, self.space, progress, strict=strict)

    def info(self, store: str = "auto") -> dict[str, Any]:
        """Counts, bytes, sources, how the active space was learnt and is searched, as a JSON-able dict."""
        facts = about(self.path, self._settings, self._catalogue, self.space)
        return {**facts, "search": indexing.facts(self._catalogue, self._active(), store)}

    @property
    def uuid(self) -> str:
        """What tells it, and its backups, from all other albums."""
        return str(self._settings["uuid"])

    @property
    def settings(self) -> dict[str, str]:
        """What was set for this album (`cartolina.settings`), as text by name."""
        return self._catalogue.settings()

    def feature_caches(self, backbones: Sequence[Backbone]) -> AbstractContextManager[list[FeatureCache]]:
        """The caches of the backbones' features, by `feature_key(content hash, view)`, open in a `with`."""
        return feature_caches(self.path, backbones)

    # Writing

    def add(self, dataset: Dataset, split: str | None = None, progress: Progress = SILENT) -> AddReport:
        """Add a dataset's posts, replacing those that changed; what is unchanged is not read again.

        With an active space they can be found at once. Posts are acknowledged in batches as the work goes
        on: whatever stops it, those stay.
        """
        with self._writing("add", str(dataset.path or dataset.root)) as writer:
            if writer.target is None:
                return writer.take_in(dataset, split, (), (), progress)
            space = writer.target.space
            return writer.take_in(dataset, split, space.backbones, space.views, progress)

    def ingest(
        self,
        dataset: Dataset,
        split: str | None = None,
        *,
        backbones: Sequence[Backbone] = (),
        views: Sequence[str] = ("plain",),
        progress: Progress = SILENT,
    ) -> AddReport:
        """Enter a dataset's posts without vectors, for a space that is yet to be learnt from them.

        With `backbones`, the pictures are decoded and their features kept in `feature_caches`, in the same
        pass; what cannot be decoded is skipped. Without, pictures are only hashed.
        """
        with self._writing("add", str(dataset.path or dataset.root)) as writer:
            return replace(writer, target=None).take_in(dataset, split, backbones, views, progress)

    def activate(self, folder: Path | str, progress: Progress = SILENT) -> AddReport:
        """Install the space at `folder`, give every post its vector, then search in it from now on.

        Until the last step the former space stays in use. Stopped on the way, it goes on where it was when
        called again. The report's `added` counts vectors; posts whose picture is gone are skipped.
        """
        with self._writing("activate") as writer:
            space = install_space(Path(folder), self.path)
            with self._catalogue.transaction():
                self._catalogue.space(space.folder.name, space.dim)
            return self._take_over(writer, space.folder.name, progress)

    def rollback(self, fingerprint: str | None = None, progress: Progress = SILENT) -> AddReport:
        """Search in a former space again: the one active before, or that whose fingerprint begins so.

        It is shown to work and gets the vectors of the posts that came since, which the report's `added`
        counts, before it takes over. Raises `InputError` where there is no such space.
        """
        with self._writing("rollback", learnt=False) as writer:
            name = former_spaces.chosen(self._catalogue, fingerprint)
            self._spaces.pop(name, None)  # what is on the disk counts, not what was loaded once
            check_space(self._space(name))
            return self._take_over(writer, name, progress)

    def spaces(self) -> list[SpaceFacts]:
        """The spaces the album has learnt, in the order they came."""
        return former_spaces.facts(self._catalogue, self.path / "spaces")

    def drop_space(self, fingerprint: str) -> str:
        """Delete a space (what its fingerprint begins with) and its vectors for good; its fingerprint.

        Raises `InputError` for the one that is searched.
        """
        with self._writing(None, learnt=False):
            name = former_spaces.chosen(self._catalogue, fingerprint)
            former_spaces.drop(self._catalogue, self.path, name)
            self._spaces.pop(name, None)
            return name

    def embed_missing(self, progress: Progress = SILENT) -> AddReport:
        """Give each post that lacks one its vector in the active space; `added` counts them."""
        with self._writing(None) as writer:
            if writer.target is None:
                raise self._nothing_learnt()
            return writer.embed(progress)

    def remove(self, ids: Iterable[str]) -> int:
        """Forget posts (their photos stay where they are); how many. An unknown id is an `InputError`."""
        names = list(dict.fromkeys(ids))
        with self._writing("remove", few(names)) as writer:
            writer.remove(self._keys(names))
            return len(names)

    def sync(self, *, prune: bool = False, progress: Progress = SILENT) -> SyncReport:
        """Bring the album in step with the sources it was made from (see `cartolina.album.sync`).

        New and changed pictures are taken in, moved ones keep their ids, missing ones go offline. `prune`
        forgets what is offline, but of no source that is gone or has lost more than a tenth.
        """
        with self._writing("sync") as writer:
            return sync(writer, prune=prune, progress=progress)

    def remove_offline(self) -> int:
        """Forget all posts whose pictures are missing, however many; how many there were."""
        with self._writing("remove", "all that is offline") as writer:
            return writer.forget_offline()

    def set(self, name: str, value: str | int | None) -> None:
        """Set a setting for this album; None forgets it. Raises `UnknownName` and `InputError`."""
        if name not in SETTINGS:
            raise UnknownName("setting", name, SETTINGS)
        said = None if value is None else str(SETTINGS[name].read(value, name))
        with self._lock, self._catalogue.transaction():
            self._catalogue.set_setting(name, said)

    def edit(
        self,
        ids: Iterable[str],
        *,
        tags: Iterable[str] = (),
        not_tags: Iterable[str] = (),
        captions: Iterable[str] = (),
        not_captions: Iterable[str] = (),
        place: Place | None = None,
    ) -> int:
        """Say something of posts by hand, which no reading of their sources takes back; how many posts.

        Tags and captions are put on or taken off, the place goes before any other. Raises `InputError` for
        an unknown id and for edits that say nothing.
        """
        edits = Edits.checked(tags, not_tags, captions, not_captions, place)
        names = list(dict.fromkeys(ids))
        self._edit([(names, edits)])
        return len(names)

    def place(self, places: Mapping[str, Place]) -> int:
        """Say by hand where posts were taken, each by its id, all together or not at all; how many posts."""
        self._edit([([name], Edits.checked(place=place)) for name, place in places.items()])
        return len(places)

    def edited(self) -> Iterator[tuple[Post, Edits]]:
        """The posts of which something was said by hand, oldest first, and what."""
        for keys in batches(self._catalogue.edited(), BATCH):
            with self._catalogue.snapshot():
                posts, edits = self._catalogue.posts(keys), self._catalogue.edits(keys)
            yield from ((posts[key], edits[key]) for key in keys if key in posts)

    # Taking back

    def as_one(self, action: str, detail: str = "") -> AbstractContextManager[None]:
        """What is done to the album inside is one action, undone together; an action within it joins in."""
        return self._catalogue.action(action, detail)

    def actions(self, limit: int = 20) -> list[Action]:
        """The last actions that can be undone, or were, the latest first."""
        return history.actions(self._catalogue, limit)

    def undo(self, *, redo: bool = False, dry_run: bool = False, progress: Progress = SILENT) -> UndoReport:
        """Take the last action that was not taken back yet back, whole or not at all; or the last undo.

        Posts come back under their ids, with words, edits, copies and vectors as they were. `dry_run` only
        says what would be done. Raises `InputError` where there is nothing to take back.
        """
        with self._catalogue.snapshot():
            report, _ = look(self._catalogue, redo=redo)
        if dry_run:
            return report
        with self._writing(
            None if redo else "undo", f"{report.action.name}: {report.action.detail}"
        ) as writer:
            return take_back(writer, self._searchable, redo=redo, progress=progress)

    def forget_history(self) -> None:
        """Make what was done until now final: pictures of removed posts that came in archives are deleted."""
        with self._writing(None) as writer:
            history.prune(self._catalogue, entries=0)
            writer.sweep()

    # The index of the active space (`album.indexing`)

    def rebuild_index(self, progress: Progress = SILENT) -> dict[str, Any]:
        """Index the vectors anew and measure how well the index finds them; what `info` says of it.

        Until the last step the former index stays in use. Raises `MissingPackage` without the engine.
        """
        with self._lock:
            return indexing.rebuild(self.path, self._catalogue, self._learnt(), progress)

    def tend_index(self, store: str = "auto", progress: Progress = SILENT) -> bool:
        """Build or go on with the index where the setting `store` wants one and it is due; whether it was."""
        with self._lock:
            return indexing.tend(self.path, self._catalogue, self._active(), store, progress)

    def drop_index(self) -> bool:
        """Delete the index; whether there was one."""
        with self._lock:
            return indexing.drop(self._learnt())

    # Inside

    def _edit(self, said: Sequence[tuple[Sequence[str], Edits]]) -> None:
        with self._writing("edit", few([name for names, _ in said for name in names])):
            keyed = [(self._keys(names), edits) for names, edits in said]
            with self._catalogue.transaction():
                for keys, edits in keyed:
                    self._catalogue.edit(keys, edits)

    def _say_format(self) -> None:
        with suppress(AlbumError), self._lock:  # whoever writes to it now says so when he opens it next
            self._catalogue.identify(self._settings["uuid"], self._settings["created"])
            self._settings = write_about(self.path, self._settings)

    @contextmanager
    def _writing(self, action: str | None, detail: str = "", *, learnt: bool = True) -> Iterator[Writer]:
        """Hold the lock; what is written is one `action` that can be undone (None: nothing to undo).

        `learnt`: the active space is opened, and written to.
        """
        with self._lock, self._catalogue.action(action, detail) if action else nullcontext():
            active = self._catalogue.active_space() if learnt else None
            try:
                target = self._load(*active) if active else None
                writer = Writer(self.path, self._catalogue, target)
                yield writer
                if action not in (None, "undo") and history.prune(self._catalogue):
                    writer.sweep()
            finally:
                self._searched = None  # what was appended to it may not have become true

    @contextmanager
    def _reading(self, store: str = "auto") -> Iterator[Searched | None]:
        """One moment of the catalogue, and the vectors of that moment; None where nothing was learnt."""
        for _ in range(LOOKS):
            with self._catalogue.snapshot():
                try:
                    self._searched = self._current(store)
                except SegmentMissing as error:
                    missing = error
                else:
                    yield self._searched
                    return
        raise missing

    def _current(self, store: str) -> Searched | None:
        active = self._active()
        if active is None:
            return None
        known = self._searched
        if known and known.is_of(*active, self._catalogue.moment(), store):
            return known
        return Searched.load(self._catalogue, *active, store, known)

    def _active(self) -> tuple[int, Space] | None:
        active = self._catalogue.active_space()
        return (active[0], self._space(active[1])) if active else None

    def _learnt(self) -> tuple[int, Space]:
        active = self._active()
        if active is None:
            raise self._nothing_learnt()
        return active

    def _take_over(self, writer: Writer, fingerprint: str, progress: Progress) -> AddReport:
        """Give every post its vector in a space, then search in it."""
        report = replace(writer, target=self._searchable(fingerprint)).embed(progress)
        with self._catalogue.transaction():
            self._catalogue.set_active_space(fingerprint)
        return report

    def _searchable(self, fingerprint: str) -> Searchable:
        number = self._catalogue.space_number(fingerprint)
        if number is None:
            raise AlbumError(f"there is no space {fingerprint} in the album any more")
        return self._load(number, fingerprint)

    def _load(self, number: int, fingerprint: str) -> Searchable:
        return Searchable.load(self._catalogue, number, self._space(fingerprint))

    def _space(self, fingerprint: str) -> Space:
        if fingerprint not in self._spaces:
            self._spaces[fingerprint] = Space.open(self.path / "spaces" / fingerprint)
        return self._spaces[fingerprint]

    def _keys(self, ids: Sequence[str]) -> list[int]:
        known = self._catalogue.keys_of(ids)
        for name in ids:
            if name not in known:
                near = nearest_id(self._catalogue, name)
                guess = f": did you mean {near!r}?" if near else ""
                raise InputError(f"there is no post {name!r} in the album{guess}")
        return [known[name] for name in ids]

    def _nothing_learnt(self) -> AlbumError:
        return AlbumError(
            f"the album {self.path} has learnt nothing yet, so nothing can be found: run `cartolina build`"
        )
