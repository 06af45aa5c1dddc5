from datetime import UTC, datetime
from pathlib import Path

from cartolina.datasets.dataset import Dataset, Skipped
from cartolina.datasets.statistics import describe
from cartolina.post import Place, Post

ITEMS = [
    Post("1", Path("1.jpg"), ("A red  boat", "the sea"), ("Sea", "boat"), Place(41, 2), datetime(2019, 7, 4)),
    Skipped("2.jpg", "no such image"),
    Skipped("1", "bad date"),
    Post("3", b"x", (), ("sea",), Place(-3, -60), datetime(2018, 1, 1, tzinfo=UTC), ("coast", "x")),
    Post("4", None, ("one",), (), None, None, ("coast",)),
]


def dataset(items, splits=()):
    count = lambda split: {None: 3, "train": 2, "test": None}[split]  # noqa: E731
    return Dataset("made", Path(), "Made.", splits, lambda split: iter(items), count, True)


def test_all_that_is_counted():
    found = describe(dataset(ITEMS, ("train", "test")), most=1)
    assert (found.posts, found.with_picture) == (3, 2)
    assert (found.with_captions, found.captions, found.words) == (2, 3, 6)
    assert (found.with_tags, found.tags, found.distinct_tags, found.most_tags) == (2, 3, 2, {"sea": 2})
    assert (found.with_place, found.bounds) == (2, (-3, -60, 41, 2))
    assert (found.with_date, found.first, found.last) == (2, datetime(2018, 1, 1), datetime(2019, 7, 4))
    assert found.labels == {"coast": 2}
    assert found.splits == {"train": 2, "test": None}
    assert (found.skipped, found.notes) == ({"no such image": 1}, {"bad date": 1})


def test_nothing_at_all():
    found = describe(dataset([]))
    assert (found.posts, found.words, found.tags, found.bounds, found.first) == (0, 0, 0, None, None)
