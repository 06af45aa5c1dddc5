import io
import tracemalloc

import numpy as np
import pytest
from published_files import locsens

from cartolina.datasets import Skipped, open_dataset
from cartolina.datasets.embeddings import embedding_batches
from cartolina.datasets.locsens import LOCSENS, read_geo_queries, read_vocabulary
from cartolina.errors import InputError
from cartolina.post import Place


def read(dataset, split=None):
    skipped = []
    return list(dataset.posts(split, on_skip=skipped.append)), [(one.where, one.reason) for one in skipped]


def test_a_list_a_split(tmp_path):
    dataset = open_dataset(locsens(tmp_path))
    assert (dataset.format, dataset.splits, dataset.stable_ids) == ("locsens", ("train", "val", "test"), True)
    assert dataset.why == (
        "Recognised as locsens: lists of id;tags;country;town;lat;lon;url "
        "(train_filtered.txt, val.txt, test.txt), photos in img/."
    )
    posts, skipped = read(dataset, "val")
    assert [post.id for post in posts] == ["100", "101", "102"]
    first = posts[0]
    assert (first.tags, first.labels) == (("sagrada", "gaudí"), ("country:Spain", "town:New York"))
    assert (first.place, first.image, first.captions) == (
        Place(41.4036, 2.1744),
        tmp_path / "img/100.jpg",
        (),
    )
    assert (skipped, dataset.count("val"), dataset.count(None)) == ([], 3, 9)


def test_one_list_and_one_without_a_splits_name(tmp_path):
    locsens(tmp_path)
    dataset = open_dataset(tmp_path / "splits/val.txt")
    assert (dataset.splits, dataset.root, len(read(dataset)[0])) == (("val",), tmp_path, 3)
    (tmp_path / "splits/val.txt").rename(tmp_path / "mine.lst")
    dataset = open_dataset(tmp_path / "mine.lst")
    assert (dataset.format, dataset.splits, len(read(dataset)[0])) == ("locsens", (), 3)


def test_without_photos_posts_have_no_image(tmp_path):
    posts, skipped = read(open_dataset(locsens(tmp_path, images=None)))
    assert ([post.image for post in posts], skipped) == ([None] * 9, [])


def test_photos_in_a_folder_a_split(tmp_path):
    locsens(tmp_path, images="test_img")
    posts, _ = read(open_dataset(tmp_path))
    assert [post.image is None for post in posts] == [True] * 6 + [False] * 3


def test_what_makes_no_sense_is_counted_and_the_rest_read(tmp_path):
    locsens(tmp_path)
    lines = [
        "0;a;;;91;2;u",
        "1;a,,A,b;Spain;;nan;nan;u;with;more",
        "2;;;;;;",
        "",
        "99;a;Spain;Town;1;2;u",
        "../../1;a;Spain;Town;1;2;u",
        "0;too;few",
        "x" * (2 << 20),
    ]
    (tmp_path / "splits/train_filtered.txt").write_text("\n".join(lines))
    posts, skipped = read(open_dataset(tmp_path), "train")
    assert [(post.id, post.tags, post.place, post.labels) for post in posts] == [
        ("0", ("a",), None, ()),
        ("1", ("a", "b"), None, ("country:Spain",)),
        ("2", (), None, ()),
    ]
    assert [(where.rpartition(" ")[2], reason) for where, reason in skipped] == [
        ("1", "bad coordinates"),
        ("2", "bad coordinates"),
        ("5", "no such image"),
        ("6", "bad row"),
        ("7", "bad row"),
        ("8", "bad row"),
    ]


def test_the_vocabulary(tmp_path):
    (tmp_path / "vocab.txt").write_text("square\nbeach\r\n\n caf\u00e9 \nbeach\n")
    assert read_vocabulary(tmp_path / "vocab.txt") == ["square", "beach", "café"]


def test_queries_have_a_tag_and_a_place(tmp_path):
    file = tmp_path / "queries.txt"
    file.write_text("gaudi,41.5,2.25\n\nno place\na,b,-10.5,170\nx,1,200\n,1,2\ny,,\nz,nan,1\n")
    found = list(read_geo_queries(file))
    assert [one for one in found if isinstance(one, tuple)] == [
        ("gaudi", Place(41.5, 2.25)),
        ("a,b", Place(-10.5, 170)),
    ]
    assert [(one.where, one.reason) for one in found if isinstance(one, Skipped)] == [
        ("queries.txt, line 3", "bad coordinates"),
        ("queries.txt, line 5", "bad coordinates"),
        ("queries.txt, line 6", "bad row"),
        ("queries.txt, line 7", "bad row"),
        ("queries.txt, line 8", "bad coordinates"),
    ]


def test_embeddings_come_in_batches_as_they_were_written(tmp_path):
    written = np.random.default_rng(0).normal(size=(10, 6)).astype(np.float32)
    file = tmp_path / "e.txt"
    file.write_text("".join(f"{at}," + ",".join(map(str, row)) + "\n" for at, row in enumerate(written)))
    batches = list(embedding_batches(file, size=4))
    assert [len(ids) for ids, _ in batches] == [4, 4, 2]
    assert [one for ids, _ in batches for one in ids] == [str(at) for at in range(10)]
    assert np.array_equal(np.concatenate([vectors for _, vectors in batches]), written)
    assert batches[0][1].dtype == np.float32


def test_bad_embeddings_are_told(tmp_path):
    file = tmp_path / "e.txt"
    file.write_text("1,x,2\n2,.5,1\n3,1\n4,1,nan\n5,1,1e39\n,1,2\n\n6,1,2,3\n7,-1,2e-3\n8\n")
    skipped = []
    ((ids, vectors),) = embedding_batches(file, on_skip=skipped.append)
    assert ids == ["2", "7"]
    assert np.allclose(vectors, [[0.5, 1], [-1, 0.002]])
    assert [one.where for one in skipped] == [f"e.txt, line {line}" for line in (1, 3, 4, 5, 6, 8, 10)]
    assert {one.reason for one in skipped} == {"bad row"}
    (tmp_path / "none.txt").write_text("")
    assert list(embedding_batches(tmp_path / "none.txt")) == []


def test_memory_does_not_grow_with_the_lines(tmp_path):
    line = "5;sagrada,gaudi;Spain;Barcelona;41.4;2.1;http://farm8/1.jpg\n"
    (tmp_path / "val.txt").write_text(line * 20_000)  # 1.3 MB, 10 as posts
    dataset = open_dataset(tmp_path)
    tracemalloc.start()
    assert sum(1 for _ in dataset.posts()) == 20_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_500_000


def test_of_a_large_file_that_is_no_list_only_the_beginning_is_looked_at(tmp_path, monkeypatch):
    read = []

    class Counted(io.BytesIO):
        def readline(self, size=-1):
            read.append(size)
            return super().readline(size)

    monkeypatch.setattr("cartolina.datasets.locsens.open_long", lambda path: Counted(bytes(5 << 20)))
    (tmp_path / "video.bin").touch()
    assert LOCSENS.detect(tmp_path / "video.bin") is None
    assert read == [65_536] * 5


def test_another_folder_is_told(tmp_path):
    (tmp_path / "train.txt").write_text("a.jpg\n")
    with pytest.raises(InputError, match="id;tag,tag;country;town;lat;lon;url"):
        open_dataset(tmp_path, "locsens")
