"""Dividing posts into train, val and test: exact sizes, the same every time, memory for 8 bytes a post.

At random: a post's place in the order is a checksum of the seed and its id, so it does not depend on the
order in which posts are read. In file order, as InstaCities1M divides each city: the first 15 % are test,
the next 5 % val, the rest train. By folder, city or label each group is divided on its own; a group's sizes
are rounded, val's of what test left.

LocSens takes part of the posts only: those with a place and 1 to 15 tags of its vocabulary (§4 "Data"), whose
test and val are numbers (500,000 and 250,000), not shares.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from pathlib import Path

import numpy as np

from cartolina.datasets.vocabulary import hashtag
from cartolina.durable import staged
from cartolina.errors import InputError, UnknownName
from cartolina.geo import localities
from cartolina.post import Post
from cartolina.progress import SILENT, Progress

__all__ = ["GROUPS", "SPLITS", "Grouping", "Posts", "SplitReport", "eligible", "write_splits"]

SPLITS = ("test", "val", "train")
MOST_TAGS = 15

Posts = Callable[[], Iterable[Post]]
"""Gives the posts, each time from the first."""


Grouping = Callable[[Iterable[Post]], Iterator[tuple[str, Post]]]
"""Says of each post, in their order, to which group it belongs."""

_AT_A_TIME = 4096


def _one_group(posts: Iterable[Post]) -> Iterator[tuple[str, Post]]:
    return (("", post) for post in posts)


def _by_folder(posts: Iterable[Post]) -> Iterator[tuple[str, Post]]:
    return ((post.id.rpartition("/")[0], post) for post in posts)


def _by_label(posts: Iterable[Post]) -> Iterator[tuple[str, Post]]:
    return ((post.labels[0] if post.labels else "", post) for post in posts)


def _by_city(posts: Iterable[Post]) -> Iterator[tuple[str, Post]]:
    """The town of the post's place, by the gazetteer; "" without one."""
    remaining = iter(posts)
    while some := list(islice(remaining, _AT_A_TIME)):
        for where, post in zip(localities([post.place for post in some]), some, strict=True):
            yield where.name if where.town else "", post


GROUPS: dict[str, Grouping] = {"city": _by_city, "folder": _by_folder, "label": _by_label}
"""What posts can be grouped by."""


@dataclass(frozen=True)
class SplitReport:
    """How many posts went where, in how many groups, and how many took no part, by reason."""

    sizes: dict[str, int]
    groups: int
    left_out: dict[str, int]


def eligible(posts: Iterable[Post], vocabulary: Collection[bytes], left_out: Counter[str]) -> Iterator[Post]:
    """LocSens's posts: a place and 1 to 15 tags of the vocabulary; the others are counted by reason."""
    for post in posts:
        known = len({tag for one in post.tags if (tag := hashtag(one)) in vocabulary})
        if post.place is None:
            left_out["no place"] += 1
        elif not known:
            left_out["no tag of the vocabulary"] += 1
        elif known > MOST_TAGS:
            left_out[f"more than {MOST_TAGS} tags of the vocabulary"] += 1
        else:
            yield post


def write_splits(
    folder: Path,
    posts: Posts,
    *,
    test: float = 0.15,
    val: float = 0.05,
    by: str | None = None,
    seed: int | None = 0,
    total: int | None = None,
    left_out: Counter[str] | None = None,
    progress: Progress = SILENT,
) -> SplitReport:
    """Write test.txt, val.txt and train.txt, an id a line, into a new `folder`, there when all is done.

    `test` and `val` are shares (below 1) or numbers of posts, of each group of `by` (`GROUPS`; None: of all).
    With `seed` None the posts are taken in their order. `left_out` is what `posts` counts into, if it does.
    Raises `InputError` where sizes make no sense, are more than there is, or an id does not fit on a line;
    `UnknownName` for another `by`.
    """
    _check(test, val)
    if by is not None and by not in GROUPS:
        raise UnknownName("grouping", by, GROUPS)
    grouped = GROUPS[by] if by else _one_group
    keys: dict[str, array[int]] = {}
    with progress.task("sizes", total, "posts") as step:
        for group, post in grouped(posts()):
            if "\n" in post.id or "\r" in post.id:
                raise InputError(f"the id {post.id!r} does not fit on a line of a list")
            places = keys.setdefault(group, array("Q"))
            places.append(len(places) if seed is None else _order(post.id, seed))
            step.advance()
    left = dict(left_out or ())
    if left_out is not None:
        left_out.clear()  # the posts are gone through once more
    limits = {group: _limits(group, key, test, val) for group, key in keys.items()}
    sizes = dict.fromkeys(SPLITS, 0)
    met: Counter[str] = Counter()
    with staged(folder, folder=True) as made, ExitStack() as stack:
        files = {
            split: stack.enter_context((made / f"{split}.txt").open("w", encoding="utf-8", newline=""))
            for split in SPLITS
        }
        with progress.task("lists", sum(map(len, keys.values())), "posts") as step:
            for group, post in grouped(posts()):
                place = met[group] if seed is None else _order(post.id, seed)
                met[group] += 1
                first, second = limits.get(group, (0, 0))
                split = "test" if place < first else "val" if place < second else "train"
                files[split].write(f"{post.id}\n")
                sizes[split] += 1
                step.advance()
        if met != Counter({group: len(key) for group, key in keys.items()}):
            raise InputError("the posts changed while they were divided: nothing was written, try again")
    return SplitReport(sizes, len(keys), left)


def _order(post_id: str, seed: int) -> int:
    """A post's place in the random order, 0 to 2⁶⁴ - 1: the same wherever and whenever it is read."""
    text = f"{seed}:{post_id}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest())


def _check(test: float, val: float) -> None:
    for name, size in (("test", test), ("val", val)):
        if not size >= 0 or (size >= 1 and size != int(size)):
            raise InputError(f"{name} is {size}: expected a share below 1, or a whole number of posts")
    if test < 1 and val < 1 and test + val > 1:
        raise InputError(f"test and val are {test} and {val} of all: together they are more than there is")


def _limits(group: str, keys: array[int], test: float, val: float) -> tuple[int, int]:
    """The places before which a group's posts are test, and val."""
    count = len(keys)
    first = round(test * count) if test < 1 else int(test)
    second = first + (min(round(val * count), count - first) if val < 1 else int(val))
    if second > count:
        of = f" of {group!r}" if group else ""
        raise InputError(f"test and val want {second:,} posts{of}, and there are {count:,}")
    order = np.sort(np.frombuffer(keys, np.uint64))
    at = [int(order[place]) if place < count else 1 << 64 for place in (first, second)]
    return at[0], at[1]
