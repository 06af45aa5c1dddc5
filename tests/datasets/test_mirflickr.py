from datetime import datetime

import pytest
from published_files import link, mirflickr

from cartolina.datasets import open_dataset
from cartolina.datasets.mirflickr import CONCEPTS, STRONG, filtered
from cartolina.errors import InputError
from cartolina.post import Post

TAGS = [["baby", "sleeping"], ["beach", "water", "Beach"], [], ["été"]]
CONCEPT_FILES = {"baby": [1, 3], "baby_r1": [1], "sky": [2, 3], "plant_life": [3]}


def read(dataset):
    skipped = []
    return list(dataset.posts(on_skip=skipped.append)), [(one.where, one.reason) for one in skipped]


@pytest.mark.parametrize("given", ["", "mirflickr"])
def test_tags_and_concepts_weak_and_strong(tmp_path, given):
    mirflickr(tmp_path, TAGS, CONCEPT_FILES)
    dataset = open_dataset(tmp_path / given)
    assert (dataset.format, dataset.splits, dataset.stable_ids) == ("mirflickr25k", (), True)
    assert dataset.why == (
        "Recognised as mirflickr25k: photos named im1.jpg, …, their tags in meta/tags/, "
        "the concepts of mirflickr25k_annotations_v080/."
    )
    posts, skipped = read(dataset)
    assert [(post.id, post.tags, post.labels) for post in posts] == [
        ("im1", ("baby", "sleeping"), ("baby", "baby_r1")),
        ("im2", ("beach", "water"), ("sky",)),
        ("im3", (), ("baby", "plant_life", "sky")),
        ("im4", ("été",), ()),
    ]
    assert posts[1].image == tmp_path / "mirflickr/im2.jpg"
    assert posts[1].taken == datetime(2007, 5, 2, 12, 39, 16)
    assert posts[1].captions == ()
    assert (skipped, dataset.count(None)) == ([], 4)


def test_photos_and_annotations_in_one_folder_in_order_of_numbers(tmp_path):
    mirflickr(tmp_path, [["t"]] * 11, {"sky": [10]}, inner=".")
    posts, _ = read(open_dataset(tmp_path))
    assert [post.id for post in posts] == [f"im{number}" for number in range(1, 12)]
    assert posts[9].labels == ("sky",)


def test_either_of_tags_and_annotations_may_be_missing(tmp_path):
    mirflickr(tmp_path, TAGS, {})
    (tmp_path / "mirflickr25k_annotations_v080/README.txt").unlink()
    (tmp_path / "mirflickr25k_annotations_v080").rmdir()
    dataset = open_dataset(tmp_path)
    assert "no annotations" in dataset.why
    assert [post.labels for post in dataset.posts()] == [()] * 4
    for file in (tmp_path / "mirflickr/meta/tags").iterdir():
        file.unlink()
    assert [post.tags for post in dataset.posts()] == [()] * 4


def test_there_are_24_concepts_and_14_strong_ones():
    assert (len(CONCEPTS), len(STRONG), len({*CONCEPTS, *STRONG})) == (24, 14, 38)
    assert {name.removesuffix("_r1") for name in STRONG} < set(CONCEPTS)


def test_what_makes_no_sense_is_counted_and_the_rest_read(tmp_path):
    mirflickr(tmp_path, [["a"]] * 4, {"sky": [1, 9, "x", -2, "", 1, "9" * 30], "sea": [9]})
    outside = tmp_path.parent / "private.txt"
    outside.write_text("secret")
    home = tmp_path / "mirflickr"
    link(home / "meta/tags/tags2.txt", outside)
    (home / "meta/tags/tags3.txt").write_bytes(b"caf\xe9\nnull\0byte\n")
    (home / "meta/exif/exif3.txt").write_text("-Date and Time\nyesterday\n")
    (home / "meta/exif/exif4.txt").write_text("-Date and Time (Original)\n0000:00:00 00:00:00\n")
    link(tmp_path / "mirflickr25k_annotations_v080/water.txt", outside)
    posts, skipped = read(open_dataset(tmp_path))
    assert [(post.id, post.tags, post.labels) for post in posts] == [
        ("im1", ("a",), ("sky",)),
        ("im2", (), ()),
        ("im3", ("café", "null byte"), ()),
        ("im4", ("a",), ()),
    ]
    assert (posts[2].taken, posts[3].taken) == (None, None)
    assert skipped == [
        ("sky.txt, line 3", "bad row"),
        ("sky.txt, line 4", "bad row"),
        ("sky.txt, line 7", "bad row"),
        ("water.txt", "bad sidecar"),
        ("im9.jpg", "no such image"),
        ("im2.jpg", "bad sidecar"),
        ("im3.jpg", "bad date"),
    ]


def test_filtering_drops_rare_tags_then_posts_without_tags_or_labels():
    posts = [Post(f"im{n}", tags=("sky", f"rare{n}"), labels=("sky",)) for n in range(19)]
    posts += [
        Post("im19", tags=("sky", "sky"), labels=("sky_r1",)),  # the twentieth, once though it says it twice
        Post("im20", tags=("rare0",), labels=("sky",)),
        Post("im21", tags=("sky",)),
        Post("im22", labels=("sky",)),
    ]
    kept = filtered(iter(posts))
    assert [post.id for post in kept] == [f"im{n}" for n in range(20)]
    assert {tag for post in kept for tag in post.tags} == {"sky"}
    # "sky" is on 21 posts, of which one has no label: what counts is how many posts say it.
    assert filtered(posts, at_least=22) == []
    assert {tag for post in filtered(posts, at_least=2) for tag in post.tags} == {"sky", "rare0"}


def test_another_folder_is_told(tmp_path):
    with pytest.raises(InputError, match=r"expected mirflickr/im1.jpg"):
        open_dataset(tmp_path, "mirflickr25k")
