from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartolina.datasets.splits import eligible, write_splits
from cartolina.errors import InputError, UnknownName
from cartolina.post import Place, Post


def made(count, cities=1):
    return [Post(f"city{n % cities}/{n}.jpg", labels=(f"city{n % cities}",)) for n in range(count)]


def lists(folder):
    return {name: (folder / f"{name}.txt").read_text().split() for name in ("train", "val", "test")}


@given(st.integers(0, 60), st.floats(0, 0.5), st.floats(0, 0.49), st.integers(0, 3))
def test_sizes_are_exact_and_every_post_is_somewhere_once(tmp_path_factory, count, test, val, seed):
    folder = tmp_path_factory.mktemp("splits") / "lists"
    posts = made(count)
    report = write_splits(folder, lambda: posts, test=test, val=val, seed=seed)
    found = lists(folder)
    assert sorted(one for ids in found.values() for one in ids) == sorted(post.id for post in posts)
    assert {name: len(ids) for name, ids in found.items()} == report.sizes
    assert report.sizes["test"] == round(test * count)
    assert report.sizes["val"] == min(round(val * count), count - report.sizes["test"])


def test_chance_does_not_depend_on_the_order_and_the_lists_keep_it(tmp_path):
    posts = made(500)
    write_splits(tmp_path / "a", lambda: posts, seed=1)
    write_splits(tmp_path / "b", lambda: posts[::-1], seed=1)
    write_splits(tmp_path / "c", lambda: posts, seed=2)
    a, b, c = (lists(tmp_path / name) for name in "abc")
    assert {name: sorted(ids) for name, ids in a.items()} == {name: sorted(ids) for name, ids in b.items()}
    assert a["test"] != c["test"]
    assert a["train"] == [post.id for post in posts if post.id in set(a["train"])]
    assert len(a["test"]) == 75
    numbers = [int(one.split("/")[1].removesuffix(".jpg")) for one in a["test"]]
    assert sum(number < 250 for number in numbers) in range(20, 56)  # all over the posts


def test_each_city_is_divided_in_file_order(tmp_path):
    """InstaCities1M: the first 15 % of each city are test, the next 5 % val."""
    posts = made(60, cities=3)
    for by in ("folder", "label"):
        report = write_splits(tmp_path / by, lambda: posts, by=by, seed=None)
        assert report.sizes == {"test": 9, "val": 3, "train": 48}
        assert report.groups == 3
        assert lists(tmp_path / by)["test"] == [post.id for post in posts[:9]]
        assert lists(tmp_path / by)["val"] == [post.id for post in posts[9:12]]


def test_cities_are_those_of_the_gazetteer(tmp_path):
    towns = [Place(41.385, 2.173), Place(48.857, 2.352), None]
    posts = [Post(str(n), place=towns[n % 3]) for n in range(30)]
    report = write_splits(tmp_path / "lists", lambda: posts, by="city", test=1, val=2, seed=0)
    assert report.groups == 3
    for name, each in (("test", 1), ("val", 2), ("train", 7)):
        cities = Counter(int(one) % 3 for one in lists(tmp_path / "lists")[name])
        assert cities == dict.fromkeys(range(3), each)


def test_numbers_of_posts(tmp_path):
    posts = made(10)
    report = write_splits(tmp_path / "lists", lambda: posts, test=4, val=0.5)
    assert report.sizes == {"test": 4, "val": 5, "train": 1}
    with pytest.raises(InputError, match="want 11 posts, and there are 10"):
        write_splits(tmp_path / "more", lambda: posts, test=9, val=2)
    assert not (tmp_path / "more").exists()


@pytest.mark.parametrize(("test", "val"), [(-0.1, 0.1), (1.5, 0), (float("nan"), 0), (0.6, 0.6)])
def test_sizes_that_make_no_sense(tmp_path, test, val):
    with pytest.raises(InputError, match=r"expected a share|more than there is"):
        write_splits(tmp_path / "lists", list, test=test, val=val)


def test_what_cannot_be_written(tmp_path):
    with pytest.raises(InputError, match="does not fit on a line"):
        write_splits(tmp_path / "lists", lambda: [Post("a\nb")])
    with pytest.raises(UnknownName, match="did you mean 'city'"):
        write_splits(tmp_path / "lists", list, by="citty")
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "train.txt").write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        write_splits(tmp_path / "lists", lambda: made(3))
    assert (tmp_path / "lists" / "train.txt").read_text() == "mine"
    answers = iter([made(5), made(6)])
    with pytest.raises(InputError, match="changed while they were divided"):
        write_splits(tmp_path / "new", lambda: next(answers))
    assert [path.name for path in tmp_path.iterdir()] == ["lists"]


def test_locsens_takes_posts_with_a_place_and_known_tags():
    rome = Place(41.9, 12.5)
    posts = [
        Post("1", tags=("New York", "newyork"), place=rome),
        Post("2", tags=("sea",)),
        Post("3", tags=("unknown", "a1"), place=rome),
        Post("4", tags=tuple("abcdefghijklmnop"), place=rome),
        Post("5", tags=tuple("abcdefghijklmno"), place=rome),
    ]
    left = Counter()
    known = {b"newyork", b"sea", *(bytes([c]) for c in b"abcdefghijklmnop")}
    assert [post.id for post in eligible(posts, known, left)] == ["1", "5"]
    assert left == {
        "no place": 1,
        "no tag of the vocabulary": 1,
        "more than 15 tags of the vocabulary": 1,
    }


def test_what_a_killed_process_left_is_taken_away(tmp_path):
    dead = tmp_path / ".lists.4194305.tmp"  # above Linux's largest process number
    dead.mkdir()
    (dead / "train.txt").write_text("half")
    other = tmp_path / ".other.4194305.tmp"
    other.write_text("not ours")
    write_splits(tmp_path / "lists", lambda: made(3))
    assert sorted(Path(path).name for path in tmp_path.iterdir()) == [other.name, "lists"]
