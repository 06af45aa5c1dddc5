import json
import tracemalloc

import pytest
from published_files import ENTRIES, webvision

from cartolina.datasets import open_dataset
from cartolina.datasets.webvision import read_queries
from cartolina.errors import InputError

TENCH, GOLDFISH = "n01440764 tench, Tinca tinca", "n01443537 goldfish, Carassius auratus"


def read(dataset, split=None):
    skipped = []
    return list(dataset.posts(split, on_skip=skipped.append)), [(one.where, one.reason) for one in skipped]


def test_words_of_the_metadata_and_classes_of_the_list(tmp_path):
    dataset = open_dataset(webvision(tmp_path))
    assert (dataset.format, dataset.splits, dataset.stable_ids) == ("webvision", ("train", "val"), True)
    assert dataset.why == (
        "Recognised as webvision: the lists train_filelist_google.txt, train_filelist_flickr.txt, "
        "val_filelist.txt in info/, words in the queries' JSON, labels as listed."
    )
    posts, skipped = read(dataset, "train")
    assert [(post.id, post.captions, post.tags, post.labels) for post in posts[:3]] == [
        ("google/q0001/a", ("A tench & a net", "By me"), ("fish", "New York"), (TENCH,)),
        ("google/q0001/b", ("Another",), (), (TENCH,)),
        ("google/q0001/c", ("Third",), (), (TENCH,)),
    ]
    assert [post.id for post in posts[3:]] == ["flickr/q0002/a", "flickr/q0002/b", "flickr/q0002/c"]
    assert posts[3].labels == (GOLDFISH,)
    assert posts[0].image == tmp_path / "google/q0001/a.jpg"
    assert (skipped, dataset.count("train"), dataset.count("val"), dataset.count(None)) == ([], 6, 2, 8)


def test_val_has_labels_and_no_words(tmp_path):
    posts, skipped = read(open_dataset(webvision(tmp_path)), "val")
    assert [(post.id, post.captions, post.labels) for post in posts] == [
        ("val/val000001", (), (GOLDFISH,)),
        ("val/val000002", (), (TENCH,)),
    ]
    assert posts[0].image == tmp_path / "val_images_256/val000001.jpg"
    assert skipped == []


@pytest.mark.parametrize(
    "folder", ["val", "val_images", "val_images_resized", "resized_images/val_images_256"]
)
def test_where_photos_of_val_may_lie(tmp_path, folder):
    webvision(tmp_path)
    (tmp_path / folder).parent.mkdir(exist_ok=True)
    (tmp_path / "val_images_256").rename(tmp_path / folder)
    assert len(read(open_dataset(tmp_path), "val")[0]) == 2


def test_resized_images_and_json_beside_them(tmp_path):
    webvision(tmp_path)
    for source in ("google", "flickr"):
        (tmp_path / "resized_images").mkdir(exist_ok=True)
        (tmp_path / source).rename(tmp_path / "resized_images" / source)
        (tmp_path / f"{source}_json").rename(tmp_path / source)
    posts, skipped = read(open_dataset(tmp_path), "train")
    # The JSON lies in google/, which is then no folder of photos.
    assert (len(posts), skipped) == (6, [])
    assert posts[0].captions == ("A tench & a net", "By me")


def test_queries_say_the_class_where_the_list_does_not(tmp_path):
    webvision(tmp_path)
    assert read_queries(tmp_path) == {1: ("tench", 0), 2: ("goldfish pond", 1)}
    (tmp_path / "info/train_filelist_flickr.txt").write_text("flickr/q0002/a.jpg\n")
    (tmp_path / "info/val_filelist.txt").write_text("val000001.jpg\nval000002.jpg 7\n")
    posts, _ = read(open_dataset(tmp_path))
    assert [post.labels for post in posts[3:]] == [(GOLDFISH,), (), ("7",)]


def test_what_is_missing_or_hostile_is_counted_and_the_rest_read(tmp_path):
    webvision(tmp_path)
    (tmp_path.parent / "secret.json").write_text(json.dumps(ENTRIES))
    (tmp_path / "google/q0001/b.jpg").unlink()
    names = [
        "google/q0001/a.jpg 0",
        "google/q0001/b.jpg 0",
        "",
        "../x.jpg 0",
        "http://x/y.jpg 0",
        "google/q0001/c.jpg 0",
    ]
    (tmp_path / "info/train_filelist_google.txt").write_text("\n".join([*names, "y" * (2 << 20), names[0]]))
    meta = ["google/q0001.json 9", "google/q0001.json 1", "", "-", "-", "../secret.json 1", "-", "nonsense"]
    (tmp_path / "info/train_meta_list_google.txt").write_text("\n".join(meta))
    posts, skipped = read(open_dataset(tmp_path), "train")
    assert [(post.id, post.captions) for post in posts[:3]] == [
        ("google/q0001/a", ()),
        ("google/q0001/c", ()),
        ("google/q0001/a", ()),
    ]
    listed = "train_filelist_google.txt, line"
    assert skipped == [
        (f"{listed} 1", "bad metadata"),
        (f"{listed} 2", "no such image"),
        (f"{listed} 4", "image outside the dataset"),
        (f"{listed} 5", "image is a web address"),
        (f"{listed} 6", "bad metadata"),
        (f"{listed} 7", "bad row"),
        (f"{listed} 8", "bad metadata"),
    ]


@pytest.mark.parametrize("broken", [b"[", b"{}", b"[1, 2, 3]", b"[" * 100_000, b"\xff\xfe\x00"])
def test_metadata_that_cannot_be_read_leaves_the_posts(tmp_path, broken):
    webvision(tmp_path)
    (tmp_path / "google_json/q0001.json").write_bytes(broken)
    posts, skipped = read(open_dataset(tmp_path), "train")
    assert [post.captions for post in posts[:3]] == [(), (), ()]
    assert [reason for _, reason in skipped] == ["bad metadata"] * 3
    assert posts[3].captions == ("A tench & a net", "By me")


def test_lists_without_metadata_are_read_without_words(tmp_path):
    webvision(tmp_path)
    (tmp_path / "info/train_meta_list_google.txt").unlink()
    with (tmp_path / "info/train_meta_list_flickr.txt").open("w") as file:
        file.write("flickr/q0002.json 1\n")  # cut short
    posts, skipped = read(open_dataset(tmp_path), "train")
    assert [len(post.captions) for post in posts] == [0, 0, 0, 2, 0, 0]
    assert skipped == []


def test_memory_is_that_of_a_few_queries(tmp_path):
    webvision(tmp_path)
    lines = [(f"google/q{number:04}/a.jpg 0\n", f"google/q{number:04}.json 1\n") for number in range(1, 61)]
    (tmp_path / "info/train_filelist_google.txt").write_text("".join(line for line, _ in lines))
    (tmp_path / "info/train_meta_list_google.txt").write_text("".join(meta for _, meta in lines))
    big = json.dumps([{"title": f"{n} " + "word " * 200} for n in range(100)])  # 100 KB
    for number in range(1, 61):
        (tmp_path / f"google_json/q{number:04}.json").write_text(big)
        folder = tmp_path / f"google/q{number:04}"
        folder.mkdir(exist_ok=True)
        (folder / "a.jpg").touch()
    dataset = open_dataset(tmp_path)
    tracemalloc.start()
    assert sum(bool(post.captions) for post in dataset.posts("train")) == 63
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000  # all of them are 6 MB


def test_another_folder_is_told(tmp_path):
    with pytest.raises(InputError, match=r"expected info/train_filelist_google.txt"):
        open_dataset(tmp_path, "webvision")
