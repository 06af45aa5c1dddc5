"""What a dataset holds: posts, captions, words, tags, places, dates, and what was skipped.

One pass over the posts; memory does not grow with them (tags that do not fit wait on disk). Pictures are not
decoded.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cartolina.datasets.dataset import NOTES, Dataset, Skipped
from cartolina.datasets.fields import clean
from cartolina.datasets.tag_counts import TagCounts, totals
from cartolina.progress import SILENT, Progress

__all__ = ["Statistics", "describe"]

_MEMORY = 256 << 20
_TOGETHER = 1 << 14


@dataclass(frozen=True)
class Statistics:
    """Numbers of posts, and of what they carry; `words` are what stands between spaces.

    `tags` are occurrences, in any capitals the same tag. `bounds` are (south, west, north, east) in degrees.
    `splits` are posts by split, None where a reader would have to go through everything to say; `skipped`
    counts what is no post by reason, `notes` what a post was read without.
    """

    posts: int
    with_picture: int
    with_captions: int
    captions: int
    words: int
    with_tags: int
    tags: int
    distinct_tags: int
    most_tags: dict[str, int]
    with_place: int
    bounds: tuple[float, float, float, float] | None
    with_date: int
    first: datetime | None
    last: datetime | None
    labels: dict[str, int]
    splits: dict[str, int | None]
    skipped: dict[str, int]
    notes: dict[str, int]


def describe(
    dataset: Dataset, split: str | None = None, *, most: int = 20, progress: Progress = SILENT
) -> Statistics:
    """Go through the posts of `split` (None: all) once; `most` tags and labels are named."""
    dataset.check_split(split)
    left: Counter[str] = Counter()
    number: Counter[str] = Counter()
    labels: Counter[str] = Counter()
    south, west, north, east = 90.0, 180.0, -90.0, -180.0
    first: datetime | None = None
    last: datetime | None = None

    def skip(one: Skipped) -> None:
        left[one.reason] += 1

    with tempfile.TemporaryDirectory(prefix="cartolina-") as scratch:
        counts = TagCounts(Path(scratch), "0", list, _MEMORY)
        waiting: list[bytes] = []
        with progress.task("posts", dataset.count(split), "posts") as step:
            for post in dataset.posts(split, skip):
                number["posts"] += 1
                number["picture"] += post.image is not None
                number["with captions"] += bool(post.captions)
                number["captions"] += len(post.captions)
                number["words"] += sum(len(caption.split()) for caption in post.captions)
                number["tags"] += bool(post.tags)
                labels.update(post.labels)
                waiting += [clean(tag.casefold()).encode() for tag in post.tags]
                if len(waiting) >= _TOGETHER:
                    counts.add(waiting)
                    waiting = []
                if post.place:
                    number["places"] += 1
                    south, north = min(south, post.place.lat), max(north, post.place.lat)
                    west, east = min(west, post.place.lon), max(east, post.place.lon)
                if post.taken:
                    number["dates"] += 1
                    taken = post.taken.replace(tzinfo=None)  # with and without a zone cannot be compared
                    first, last = min(first or taken, taken), max(last or taken, taken)
                step.advance()
        counts.add(waiting)
        counts.write_out()
        tags = totals(Path(scratch), most, memory=_MEMORY, tell=lambda parts: None)
    return Statistics(
        posts=number["posts"],
        with_picture=number["picture"],
        with_captions=number["with captions"],
        captions=number["captions"],
        words=number["words"],
        with_tags=number["tags"],
        tags=tags.occurrences,
        distinct_tags=tags.distinct,
        most_tags={tag.decode(): count for tag, count in tags.most},
        with_place=number["places"],
        bounds=(south, west, north, east) if number["places"] else None,
        with_date=number["dates"],
        first=first,
        last=last,
        labels=dict(sorted(labels.items(), key=lambda pair: (-pair[1], pair[0]))[:most]),
        splits={name: dataset.count(name) for name in dataset.splits},
        skipped={reason: count for reason, count in sorted(left.items()) if reason not in NOTES},
        notes={reason: count for reason, count in sorted(left.items()) if reason in NOTES},
    )
