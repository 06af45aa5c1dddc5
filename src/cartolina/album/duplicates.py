"""Pictures an album has more than once: copies to the byte, and others that are nearly the same.

>>> for group in album.duplicates().groups:  # doctest: +SKIP
...     print(group.best.post.id, [other.post.id for other in group.others])

The best picture of a group has the most pixels, then the most bytes, then it is the longest in the album.
What else it is like is compared with it alone (`alike.stars`). Nothing is removed here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cartolina.album.alike import Likeness, stars
from cartolina.album.looks import Unseen, looks
from cartolina.album.writer import feature_caches
from cartolina.post import Post
from cartolina.progress import Progress
from cartolina.vision.efficientnet import SIZES
from cartolina.vision.features import FeatureCache, feature_key
from cartolina.vision.looks import Look, signs

if TYPE_CHECKING:
    from cartolina.album.catalogue import Catalogue
    from cartolina.album.space import Space

__all__ = ["Duplicates", "Group", "Picture", "find_duplicates", "unit_features"]

SHAPE = 0.02
"""How far two pictures' ratio of width to height may differ before one is called cropped."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One post of a group: its size in pixels, its bytes, and further `copies` of the very same file.

    `likeness` is to the best one (None: it is the best); `same_bytes` that its file is the best one's, too.
    """

    post: Post
    width: int
    height: int
    bytes: int
    copies: tuple[Path, ...] = ()
    likeness: Likeness | None = None
    same_bytes: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Pictures that are like `best`."""

    best: Picture
    others: tuple[Picture, ...]

    @property
    def spare_bytes(self) -> int:
        """Bytes of all files but the best one."""
        return len(self.best.copies) * self.best.bytes + sum(
            other.bytes * (1 + len(other.copies)) for other in self.others
        )

    def differs(self, other: Picture) -> tuple[str, ...]:
        """What tells `other` from the best one, in a few stable phrases."""
        if other.same_bytes:
            return ("same bytes",)
        best = self.best
        shape = other.width * best.height / (other.height * best.width)
        pixels = other.width * other.height / (best.width * best.height)
        says_more = (
            set(other.post.captions) - set(best.post.captions)
            or set(other.post.tags) - set(best.post.tags)
            or (other.post.place and not best.post.place)
        )
        said = {
            "mirrored": other.likeness is not None and other.likeness.mirrored,
            "smaller": pixels < 0.98,
            "other shape": abs(np.log(shape)) > SHAPE,
            "fewer bytes": pixels >= 0.98 and other.bytes < 0.95 * best.bytes,
            "says more": bool(says_more),
        }
        return tuple(phrase for phrase, so in said.items() if so)


@dataclass(frozen=True, slots=True)
class Duplicates:
    """What was found among `looked_at` posts: groups, those with the most bytes to spare first.

    `by` says what was compared: "looks and features", or "looks" where there are no features. `unseen` are
    posts whose picture could not be looked at.
    """

    groups: tuple[Group, ...]
    looked_at: int
    by: str
    unseen: tuple[Unseen, ...]


class _Row(NamedTuple):
    key: int
    content: str
    bytes: int


def find_duplicates(
    album: Path, catalogue: Catalogue, space: Space | None, progress: Progress, *, strict: bool
) -> Duplicates:
    """See `Album.duplicates`."""
    found, unseen = looks(catalogue, progress)
    posts: dict[str, list[_Row]] = {}
    for row in catalogue.rows("SELECT key, content_hash, size FROM posts WHERE offline IS NULL ORDER BY key"):
        posts.setdefault(row[1], []).append(_Row(*row))
    seen = {content: found[content] for content in posts if content in found}
    order = sorted(seen, key=lambda content: _quality(seen[content], posts[content][0]))
    with ExitStack() as closing:
        cache = None if strict else _cache(album, space, closing)
        near, by = _near(order, seen, cache, progress, strict=strict)
        in_group = {other for _, others in near for other, _ in others} | {best for best, _ in near}
    files = _copies(catalogue)
    alone: list[tuple[str, list[tuple[str, Likeness]]]] = [
        (content, [])
        for content in order
        if content not in in_group and (len(posts[content]) > 1 or posts[content][0].key in files)
    ]
    drawn = [_drafted(best, others, posts) for best, others in [*near, *alone]]
    keys = [key for group in drawn for key, _, _ in group]
    known = {}
    for start in range(0, len(keys), 4096):
        known.update(catalogue.posts(keys[start : start + 4096]))
    groups = [_group(group, known, seen, files) for group in drawn if all(one[0] in known for one in group)]
    groups.sort(key=lambda group: (-group.spare_bytes, group.best.post.id))
    return Duplicates(tuple(groups), sum(len(posts[content]) for content in seen), by, tuple(unseen))


def _quality(look: Look, first: _Row) -> tuple[int, int, int]:
    """Sorts the best picture first."""
    return -look.width * look.height, -first.bytes, first.key


def _near(
    order: Sequence[str],
    seen: dict[str, Look],
    cache: FeatureCache | None,
    progress: Progress,
    *,
    strict: bool,
) -> tuple[list[tuple[str, list[tuple[str, Likeness]]]], str]:
    """Groups of contents, and what they were compared by. Flat pictures take no part."""
    hashed = [content for content in order if seen[content].bits is not None]
    if not hashed:
        return [], "looks"
    rows = signs([bits for content in hashed if (bits := seen[content].bits) is not None])
    there = np.zeros(len(hashed), bool)
    if cache is not None:
        there[:] = [feature_key(content, "plain") in cache for content in hashed]

    def features(wanted: NDArray[np.int64]) -> NDArray[np.float32]:
        assert cache is not None
        raw = cache.get([feature_key(hashed[row], "plain") for row in wanted.tolist()])
        return unit_features(raw)

    groups = stars(rows, there, features, progress, strict=strict)
    named = [
        (hashed[best], [(hashed[other], likeness) for other, likeness in others]) for best, others in groups
    ]
    return named, "looks and features" if there.any() else "looks"


def unit_features(raw: NDArray[np.float32]) -> NDArray[np.float32]:
    """Square roots of a backbone's averages, unit rows: they are less ruled by a few large numbers."""
    rows = np.sqrt(np.maximum(raw.reshape(len(raw), -1), 0))
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), np.float32)


def _cache(album: Path, space: Space | None, closing: ExitStack) -> FeatureCache | None:
    """What the space's first backbone saw, if it is one whose features were measured for this."""
    if space is None or space.backbones[0].name.partition("@")[0] not in SIZES:
        return None
    try:
        (cache,) = closing.enter_context(feature_caches(album, space.backbones[:1]))
    except (OSError, sqlite3.Error):  # an album that may only be read
        return None
    return cache


def _copies(catalogue: Catalogue) -> dict[int, tuple[Path, ...]]:
    files: dict[int, tuple[Path, ...]] = {}
    for key, image in catalogue.rows("SELECT key, image FROM copies ORDER BY key, source, source_id"):
        files[key] = (*files.get(key, ()), catalogue.image_from(image))
    return files


def _drafted(
    best: str, others: list[tuple[str, Likeness]], posts: dict[str, list[_Row]]
) -> list[tuple[int, _Row, Likeness | None]]:
    """Keys of a group's posts, the best one first, the most alike before others."""
    others = sorted(others, key=lambda pair: (pair[1].bits, -(pair[1].cosine or 0)))
    same = Likeness(0, False, 1.0)
    contents: list[tuple[str, Likeness]] = [(best, same), *others]
    rows = [(row.key, row, likeness) for content, likeness in contents for row in posts[content]]
    return [(rows[0][0], rows[0][1], None), *rows[1:]]


def _group(
    drafted: list[tuple[int, _Row, Likeness | None]],
    known: dict[int, Post],
    seen: dict[str, Look],
    files: dict[int, tuple[Path, ...]],
) -> Group:
    content = drafted[0][1].content
    pictures = [
        Picture(
            known[key],
            seen[row.content].width,
            seen[row.content].height,
            row.bytes,
            files.get(key, ()),
            likeness,
            likeness is not None and row.content == content,
        )
        for key, row, likeness in drafted
    ]
    return Group(pictures[0], tuple(pictures[1:]))
