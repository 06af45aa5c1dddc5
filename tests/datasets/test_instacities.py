import os
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from published_files import instacities, link

from cartolina.datasets import open_dataset
from cartolina.datasets.instacities import split_bounds
from cartolina.errors import InputError


def read(dataset, split=None):
    skipped = []
    return list(dataset.posts(split, on_skip=skipped.append)), [(one.where, one.reason) for one in skipped]


def captions_of(root, city="london"):
    return root / "captions_resized_1M/cities_instagram" / city


def test_a_caption_file_beside_each_photo(tmp_path):
    dataset = open_dataset(instacities(tmp_path))
    assert (dataset.format, dataset.splits, dataset.stable_ids) == (
        "instacities1m",
        ("train", "val", "test"),
        True,
    )
    assert dataset.why == (
        "Recognised as instacities1m: captions of 2 cities (london, newyork) beside their photos, "
        "the city read as a label."
    )
    posts, skipped = read(dataset)
    assert [post.id for post in posts] == [
        f"{city}/{number}" for city in ("london", "newyork") for number in (1000, 1001, 1002)
    ]
    first = posts[0]
    assert first.image == tmp_path / "img_resized_1M/cities_instagram/london/1000.jpg"
    assert first.captions == ("Sunset 1000 in #london 🌇 #sun",)
    assert (first.tags, first.labels, first.place) == (("london", "sun"), ("london",), None)
    assert (skipped, dataset.count(None)) == ([], 6)


def test_the_first_fifteen_of_a_hundred_are_test_the_next_five_val(tmp_path):
    dataset = open_dataset(instacities(tmp_path, count=100))
    ids = {split: [post.id for post in dataset.posts(split)] for split in dataset.splits}
    for city in ("london", "newyork"):
        of_city = {split: [one for one in ids[split] if one.startswith(city)] for split in ids}
        assert of_city["test"] == [f"{city}/{number}" for number in range(1000, 1015)]
        assert of_city["val"] == [f"{city}/{number}" for number in range(1015, 1020)]
        assert of_city["train"] == [f"{city}/{number}" for number in range(1020, 1100)]
    assert {split: dataset.count(split) for split in ids} == {"train": 160, "val": 10, "test": 30}


@given(st.integers(0, 100_000))
def test_splits_cover_each_caption_once_as_the_released_code_counts(count):
    bounds = split_bounds(count)
    assert [*bounds["test"], *bounds["val"], *bounds["train"]] == list(range(count))
    if count % 100 == 0:  # where its floating point is exact
        released = [
            "test" if at < count * 0.15 else "val" if at < count * 0.15 + count * 0.05 else "train"
            for at in (0, len(bounds["test"]) - 1, len(bounds["test"]), count // 5 - 1, count // 5)
            if 0 <= at < count
        ]
        ours = [
            next(split for split in bounds if at in bounds[split])
            for at in (0, len(bounds["test"]) - 1, len(bounds["test"]), count // 5 - 1, count // 5)
            if 0 <= at < count
        ]
        assert ours == released


def test_order_is_that_of_names_whatever_the_file_system_says(tmp_path):
    instacities(tmp_path, count=1, cities=("london",))
    (captions_of(tmp_path) / "1000.txt").unlink()
    (tmp_path / "img_resized_1M/cities_instagram/london/1000.jpg").unlink()
    for name in ("99", "100", "9", "1000"):
        (captions_of(tmp_path) / f"{name}.txt").write_text(name)
    _, skipped = read(open_dataset(tmp_path))
    assert [where for where, _ in skipped] == [
        "london/100.txt",
        "london/1000.txt",
        "london/9.txt",
        "london/99.txt",
    ]


def test_what_is_missing_or_hostile_is_counted_and_the_rest_read(tmp_path):
    instacities(tmp_path, count=8, cities=("london",))
    outside = tmp_path.parent / "private.txt"
    outside.write_text("a secret")
    (tmp_path / "img_resized_1M/cities_instagram/london/1000.jpg").unlink()
    captions = captions_of(tmp_path)
    link(captions / "1001.txt", outside)
    (captions / "1002.txt").write_bytes("Café ☕".encode())
    (captions / "1003.txt").write_bytes("Café".encode("latin-1"))
    (captions / "1004.txt").write_text("x" * (8 << 20) + "y")
    (captions / "1005.txt").write_text("")
    (captions / "1006.txt").unlink()
    os.mkfifo(captions / "1006.txt")
    (captions / "notes.md").write_text("not a caption")
    posts, skipped = read(open_dataset(tmp_path))
    assert [(post.id, post.captions) for post in posts] == [
        ("london/1001", ()),
        ("london/1002", ("Café ☕",)),
        ("london/1003", ("Café",)),
        ("london/1004", ()),
        ("london/1005", ()),
        ("london/1006", ()),
        ("london/1007", ("Sunset 1007 in #london 🌇 #sun",)),
    ]
    assert skipped == [
        ("london/1000.txt", "no such image"),
        ("london/1001.txt", "bad sidecar"),
        ("london/1004.txt", "bad sidecar"),
        ("london/1006.txt", "bad sidecar"),
    ]


def test_a_name_that_is_not_utf_8(tmp_path):
    instacities(tmp_path, count=1, cities=("london",))
    (captions_of(tmp_path) / os.fsdecode(b"\xe9.txt")).write_text("x")
    posts, skipped = read(open_dataset(tmp_path))
    assert (len(posts), skipped) == (1, [("london/\\xe9.txt", "bad file name")])


def test_another_folder_is_told(tmp_path):
    (tmp_path / "captions_resized_1M").mkdir()
    with pytest.raises(InputError, match="img_resized_1M"):
        open_dataset(tmp_path, "instacities1m")


def test_memory_is_that_of_one_citys_names(tmp_path):
    dataset = open_dataset(instacities(tmp_path, count=300))
    for caption in tmp_path.rglob("*.txt"):
        caption.write_text("Sunset " * 3_000)  # 12 MB in all
    tracemalloc.start()
    assert sum(len(post.text) > 20_000 for post in dataset.posts()) == 600
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000  # pathlib keeps names, and the interpreter doubles its table of them at times
