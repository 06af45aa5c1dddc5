from collections import Counter

import pytest

from cartolina.datasets import open_dataset
from cartolina.errors import InputError, UnknownName
from photo_files import dms, exif, iptc, write


def scenes(root, *names):
    for name in names:
        write(root / name)
    return root


def read(dataset, split=None):
    skipped = Counter()
    posts = list(dataset.posts(split, on_skip=lambda one: skipped.update([one.reason])))
    return [(post.id, post.labels) for post in posts], skipped


def test_a_class_per_folder(tmp_path):
    scenes(tmp_path, "coast/2.jpg", "coast/10.png", "forest/x.jpg", "forest/more/y.jpg")
    dataset = open_dataset(tmp_path)
    assert dataset.format == "imagefolder"
    assert dataset.why == (
        "Recognised as imagefolder: 2 folders named by class (coast, forest), "
        "the classes read as labels, not tags."
    )
    assert read(dataset)[0] == [
        ("coast/2.jpg", ("coast",)),
        ("coast/10.png", ("coast",)),
        ("forest/more/y.jpg", ("forest",)),
        ("forest/x.jpg", ("forest",)),
    ]
    assert all(post.tags == () for post in dataset.posts())
    assert (dataset.splits, dataset.stable_ids, dataset.count(None)) == ((), False, 4)


def test_splits_on_top(tmp_path):
    scenes(
        tmp_path,
        "test/coast/3.jpg",
        "test/city/4.jpg",
        "train/coast/1.jpg",
        "train/city/2.jpg",
        "extra/e/5.jpg",
    )
    dataset = open_dataset(tmp_path)
    assert (dataset.format, dataset.splits) == ("imagefolder", ("train", "test"))
    assert read(dataset, "test")[0] == [("test/city/4.jpg", ("city",)), ("test/coast/3.jpg", ("coast",))]
    assert [label for _, (label,) in read(dataset)[0]] == ["city", "coast", "city", "coast"]
    assert (dataset.count("train"), dataset.count(None)) == (2, 4)
    with pytest.raises(UnknownName, match="did you mean 'train'"):
        dataset.posts("trian")


def test_a_picture_beside_the_class_folders_is_counted(tmp_path):
    scenes(tmp_path, "train/stray.jpg", "train/coast/1.jpg", "val/coast/1.jpg")
    posts, skipped = read(open_dataset(tmp_path, "imagefolder"))
    assert len(posts) == 2
    assert skipped == {"no class folder": 1}


def test_what_the_pictures_carry_is_read_too(tmp_path):
    write(tmp_path / "coast/a.jpg", exif=exif(dms(1), dms(2)), iptc=iptc((2, 25, b"sea")))
    post = next(open_dataset(tmp_path, "imagefolder").posts())
    assert (post.tags, post.labels, post.place.lat) == (("sea",), ("coast",), 1)


@pytest.mark.parametrize(
    "photos",
    [
        {"a/1.jpg": {}, "b/2.jpg": {}, "3.jpg": {}},  # a picture of no class
        {"a/1.jpg": {}},  # one class is none
        {"a/1.jpg": {}, "b/c/2.jpg": {}},  # a class without pictures of its own
        {"a/1.jpg": {"exif": exif(dms(1), dms(2))}, "b/2.jpg": {}},  # knows its place
        {"a/1.jpg": {"iptc": iptc((2, 25, b"x"))}, "b/2.jpg": {}},  # has words
    ],
)
def test_other_trees_are_photos_in_folders(tmp_path, photos):
    for name, parts in photos.items():
        write(tmp_path / name, **parts)
    assert open_dataset(tmp_path).format == "folder"


def test_sidecars_make_it_a_folder_of_photos(tmp_path):
    scenes(tmp_path, "a/1.jpg", "b/2.jpg")
    (tmp_path / "a/1.txt").write_text("A caption")
    assert open_dataset(tmp_path).format == "folder"


def test_mistakes_are_told(tmp_path):
    write(tmp_path / "a.jpg")
    with pytest.raises(InputError, match="no folders in it"):
        open_dataset(tmp_path, "imagefolder")
