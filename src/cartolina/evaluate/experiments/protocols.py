"""MIRFlickr's three protocols (seed 003, section 7): who asks, among what is looked, and what is relevant.

==========  ==============================================  ==============================================
protocol    who asks, and among what is looked              relevant
==========  ==============================================  ==============================================
"tags"      5 % of the photos ask by their tags; the rest   a photo that shares a tag; and, a second
            are learnt from *and* looked among (published)  judgement, one that shares a concept (which is
                                                            what the compared methods' figures look like)
"classes"   the names of 24 concepts ask; half of the       a photo of the concept; the names of the 14
            photos are learnt from, half are looked among   strong ones once more, by their strong labels
"zhang"     as "tags", but a list says who asks             as "tags"
==========  ==============================================  ==============================================

Labels enter neither what is asked nor what is learnt from. The *strict* split of "tags" looks among photos
that were not learnt from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cartolina.errors import InputError, UnknownName
from cartolina.evaluate.experiments.annotated import FORMAT, Annotated
from cartolina.evaluate.experiments.gallery import GALLERIES
from cartolina.metrics import chance_average_precision

if TYPE_CHECKING:
    from cartolina.datasets import Dataset

__all__ = ["PROTOCOLS", "Judged", "Setup", "asking_ids", "check", "setup"]

PROTOCOLS = ("tags", "classes", "zhang")

ASKING = 0.05
"""Of the photos, those that ask in the protocol "tags"."""

STRICT = 0.2
"""Of the photos, those that the strict split looks among."""

AT_ONCE = 256  # queries whose scores lie in memory together

SPLIT_SEED = 0  # one split for all models and seeds, as the papers have one

Bools = NDArray[np.bool_]
Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Judged:
    """Queries and one way of judging what they find; `relevant(slice)` gives those queries' rows, (q, N)."""

    how: str
    names: tuple[str, ...]
    texts: tuple[str, ...]
    relevant: Callable[[slice], Bools]

    def by_blocks(self, values: Callable[[slice], NDArray[Any]]) -> Numbers:
        """`values` of some queries at a time, together: (Q,)."""
        starts = range(0, len(self.texts), AT_ONCE)
        return np.concatenate([values(slice(start, start + AT_ONCE)) for start in starts]).astype(np.float64)

    def chance(self) -> Numbers:
        """AP of a random order, (Q,)."""
        return self.by_blocks(lambda block: chance_average_precision(self.relevant(block)))

    def counts(self) -> Numbers:
        """How many photos are relevant, (Q,)."""
        return self.by_blocks(lambda block: self.relevant(block).sum(axis=1))


@dataclass(frozen=True)
class Setup:
    """A protocol on a dataset: the photos learnt from, those looked among, and what is asked."""

    learning: Rows
    gallery: Rows
    judged: tuple[Judged, ...]


def setup(data: Annotated, protocol: str, *, strict: bool = False, asking: Sequence[str] = ()) -> Setup:
    """A protocol's split and queries, judged two ways each.

    `asking` are the ids of the photos that ask ("zhang"); those that are not in `data` are left out. Raises
    `UnknownName` for another protocol, `InputError` where nobody asks or nothing is left to learn from.
    """
    check(protocol, strict=strict)
    count = len(data.photos)
    order = np.random.default_rng(SPLIT_SEED).permutation(count)
    if protocol == "classes":
        learning, gallery = np.sort(order[: count // 2]), np.sort(order[count // 2 :])
        return Setup(
            learning, gallery, (_classes(data, gallery, strong=False), _classes(data, gallery, strong=True))
        )
    asked = order[: max(1, round(ASKING * count))] if protocol == "tags" else _listed(data, asking)
    others = order[~np.isin(order, asked)]
    if not len(asked) or len(others) < 2:
        raise InputError(
            f"{len(asked)} of {count} photos ask: the protocol {protocol!r} needs some that ask, and others "
            "to learn from"
        )
    gallery, learning = np.split(others, [round(STRICT * count)]) if strict else (others, others)
    return Setup(np.sort(learning), np.sort(gallery), _shared(data, np.sort(asked), np.sort(gallery)))


def check(protocol: str, *, strict: bool) -> None:
    """Raise `UnknownName` or `InputError` where there is no such protocol, or no strict split of it."""
    if protocol not in PROTOCOLS:
        raise UnknownName("protocol", protocol, PROTOCOLS)
    if strict and protocol != "tags":
        raise InputError(f"there is no strict split of the protocol {protocol!r}: only of 'tags'")


def asking_ids(dataset: Dataset, file: Path | None) -> tuple[str, ...]:
    """The ids of the photos that ask: those of a file, one a line, else those of the part dev, val or test.

    MIRFlickr's ids are "im1" and so on; a line "1" means im1. Raises `InputError` where there is neither.
    """
    if file is not None:
        try:
            lines = file.read_text(encoding="utf-8").split()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"the list of ids {file} cannot be read: {error}") from error
        return tuple(
            f"im{int(line)}" if dataset.format == FORMAT and line.isdecimal() else line for line in lines
        )
    part = next((name for name in GALLERIES if name in dataset.splits), None)
    if part is None:
        raise InputError(
            f"{dataset.root} has no part dev, val or test: the protocol 'zhang' needs --asking FILE, the "
            "ids of the photos that ask, one a line"
        )
    return tuple(post.id for post in dataset.posts(part))


def _listed(data: Annotated, asking: Sequence[str]) -> Rows:
    wanted = frozenset(asking)
    return np.array([row for row, name in enumerate(data.photos.ids) if name in wanted], np.int64)


def _shared(data: Annotated, asked: Rows, gallery: Rows) -> tuple[Judged, ...]:
    """Queries by tags: relevant is what shares a tag, or shares a concept."""
    names = tuple(data.photos.ids[row] for row in asked)
    texts = data.texts(asked)

    def shares(carried: Bools) -> Callable[[slice], Bools]:
        numbers = carried.astype(np.float32)  # as numbers, so that BLAS counts what is shared
        return lambda block: np.asarray(numbers[asked[block]] @ numbers[gallery].T > 0)

    return (
        Judged("tags", names, texts, shares(data.tagged())),
        Judged("concepts", names, texts, shares(data.labelled(data.concepts))),
    )


def _classes(data: Annotated, gallery: Rows, *, strong: bool) -> Judged:
    """Queries by the concepts' names: relevant is what carries the label."""
    labels = data.strong if strong else data.concepts
    plain = [label.removesuffix("_r1") for label in labels]
    carried = data.labelled(labels)[gallery].T
    return Judged(
        "strong" if strong else "weak",
        tuple(f"{name}*" if strong else name for name in plain),
        tuple(name.replace("_", " ") for name in plain),
        lambda block: np.asarray(carried[block]),
    )
