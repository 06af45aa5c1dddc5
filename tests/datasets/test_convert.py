import json
import re
import tarfile
import zipfile
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartolina.datasets import list_files, open_dataset, shard_files
from cartolina.datasets.convert import FORMATS, convert
from cartolina.datasets.dataset import Dataset, Skipped
from cartolina.datasets.picture_files import file_name
from cartolina.errors import InputError, UnknownName
from cartolina.post import Place, Post
from photo_files import jpeg, write

ROME, SEA = Place(41.9, 12.5), Place(-48.5, -123.5)


def dataset(items, splits=(), root=Path()):
    """`items` are posts and what was skipped, each with its split."""

    def stream(split):
        return (item for item, of in items if split is None or of == split or isinstance(item, Skipped))

    def count(split):
        return sum(isinstance(item, Post) and split in (None, of) for item, of in items)

    return Dataset("made", root, "Made.", splits, stream, count, True)


@pytest.fixture
def some(tmp_path):
    photos = tmp_path / "photos"
    write(photos / "1.jpg")
    posts = [
        (Post("a/1", photos / "1.jpg", ("Ein Boot, rot", "zwei"), ("New York", "sea"), ROME), "train"),
        (Post("b", jpeg(), ("one",), ("x",), None, datetime(2020, 1, 2, 3, 4), ("coast",)), "train"),
        (Skipped("c", "no such image"), ""),
        (Post("7", jpeg(), (), ("sea;side", "a,b"), SEA), "test"),
    ]
    return dataset(posts, ("train", "test"))


def without_image(post, post_id=None):
    return (post_id or post.id, post.captions, post.tags, post.place, post.taken, post.labels)


@pytest.mark.parametrize("to", ["csv", "tsv", "jsonl", "parquet"])
def test_a_table_is_read_back_with_its_splits_and_pictures(some, tmp_path, to):
    into = tmp_path / "new" / f"posts.{to}"
    report = convert(some, to, into)
    assert (report.posts, report.left_out) == (3, {"no such image": 1})
    back = open_dataset(into)
    assert back.splits == ("train", "test")
    posts, expected = list(back.posts()), list(some.posts())
    if to in ("csv", "tsv"):  # tags that are cut there are said to be (table_files.py)
        assert posts[2].tags == ("sea", "side", "a", "b")
        posts, expected = posts[:2], expected[:2]
    assert [without_image(post) for post in posts] == [without_image(post) for post in expected]
    assert [post.id for post in back.posts("test")] == ["7"]
    assert posts[0].image == tmp_path / "photos" / "1.jpg"
    assert posts[1].image == tmp_path / "new" / "posts-pictures" / "b.jpg"
    assert posts[1].image.read_bytes() == jpeg()


def test_a_folder_is_read_back(some, tmp_path):
    assert convert(some, "folder", tmp_path / "out").posts == 3
    back = list(open_dataset(tmp_path / "out", "folder").posts())
    expected = {"a/1.jpg": "a/1", "b.jpg": "b", "7.jpg": "7"}
    assert {post.id: without_image(post, expected[post.id])[:5] for post in back} == {
        name: without_image(post)[:5] for name, post in zip(expected, some.posts(), strict=True)
    }
    assert (tmp_path / "out/a/1.jpg").read_bytes() == (tmp_path / "photos/1.jpg").read_bytes()
    assert (tmp_path / "out/a/1.jpg.txt").read_text() == "Ein Boot, rot\n"
    assert json.loads((tmp_path / "out/b.jpg.json").read_text())["label"] == ["coast"]


def test_shards(some, tmp_path, monkeypatch):
    monkeypatch.setattr(shard_files, "SHARD", 1)
    assert convert(some, "shards", tmp_path / "out").posts == 3
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [
        "test-00000.tar", "test-00000_stats.json",
        "train-00000.tar", "train-00000_stats.json", "train-00001.tar", "train-00001_stats.json",
    ]  # fmt: skip
    with tarfile.open(tmp_path / "out" / "train-00000.tar") as tar:
        assert tar.getnames() == ["000000000.jpg", "000000000.json", "000000000.txt"]
        values = json.load(tar.extractfile("000000000.json"))
        assert tar.extractfile("000000000.txt").read() == b"Ein Boot, rot"
        assert tar.extractfile("000000000.jpg").read() == (tmp_path / "photos/1.jpg").read_bytes()
    assert values == {
        "caption": ["Ein Boot, rot", "zwei"], "tags": ["New York", "sea"], "lat": 41.9, "lon": 12.5,
        "taken": None, "label": [], "id": "a/1", "key": "000000000", "status": "success",
    }  # fmt: skip
    assert json.loads((tmp_path / "out/train-00001_stats.json").read_text()) == {"successes": 1}
    convert(some, "shards", tmp_path / "again")
    for name in names:
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()


def test_shards_and_lists_are_read_back(some, tmp_path):
    for to, stays in (("shards", slice(1, 6)), ("locsens", slice(3, 4))):
        convert(some, to, tmp_path / to)
        back = open_dataset(tmp_path / to)
        assert (back.format, back.splits) == (to, ("train", "test"))
        for split in back.splits:
            expected = [post for post in some.posts(split) if post.place or to == "shards"]
            posts = list(back.posts(split))
            assert [without_image(post)[stays] for post in posts] == [
                without_image(post)[stays] for post in expected
            ]
            assert len(posts) == back.count(split) == len(expected)
            assert all(post.image for post in posts)
    (rome,) = open_dataset(tmp_path / "locsens").posts("train")
    assert rome.tags == ("New York", "sea")
    assert rome.labels == ("country:Italy", "town:Rome")


def test_shards_have_only_what_has_a_picture(tmp_path, monkeypatch):
    monkeypatch.setattr(shard_files, "SHARD", 1)
    posts = [Post("1", jpeg()), Post("2"), Post("3", b"text"), Post("4", jpeg()), Post("5")]
    report = convert(dataset([(post, "") for post in posts]), "shards", tmp_path / "out")
    assert (report.posts, report.left_out) == (2, {"no picture": 2, "not a picture": 1})
    tars = sorted(path.name for path in (tmp_path / "out").glob("*.tar"))
    assert tars == ["00000.tar", "00001.tar"]
    for number, name in enumerate(tars):
        with tarfile.open(tmp_path / "out" / name) as tar:
            assert tar.getnames() == [f"00000000{number}.jpg", f"00000000{number}.json"]


def test_locsens_lists(some, tmp_path):
    report = convert(some, "locsens", tmp_path / "out")
    assert (report.posts, report.left_out) == (2, {"no such image": 1, "no place": 1})
    assert sorted(path.name for path in (tmp_path / "out" / "splits").iterdir()) == ["test.txt", "train.txt"]
    number = list_files.number_of("a/1")
    assert re.fullmatch(r"\d{18}", number)
    train = (tmp_path / "out/splits/train.txt").read_text()
    assert train == f"{number};New York,sea;Italy;Rome;41.9;12.5;a/1\n"
    assert (tmp_path / "out/splits/test.txt").read_text() == "7;sea side,a b;;;-48.5;-123.5;7\n"
    assert (tmp_path / f"out/img/{number}.jpg").read_bytes() == (tmp_path / "photos/1.jpg").read_bytes()
    assert (tmp_path / "out/img/7.jpg").read_bytes() == jpeg()


def test_nothing_is_overwritten_and_nothing_left_half_done(some, tmp_path):
    def breaks(split):
        yield from some.stream("train")
        raise OSError(28, "No space left on device")

    broken = Dataset("made", Path(), "Made.", (), breaks, lambda split: None, True)
    before = sorted(path.name for path in tmp_path.iterdir())
    for to in FORMATS:
        with pytest.raises(OSError, match="No space"):
            convert(broken, to, tmp_path / f"out.{to}")
        assert sorted(path.name for path in tmp_path.iterdir()) == before
    mine = tmp_path / "out.csv"
    mine.write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        convert(some, "csv", mine)
    assert mine.read_text() == "mine"
    assert not (tmp_path / "out-pictures").exists()
    with pytest.raises(InputError, match="is there already"):
        convert(some, "folder", tmp_path / "photos")
    with pytest.raises(InputError, match=r"should end in \.csv"):
        convert(some, "csv", tmp_path / "out.tsv")
    with pytest.raises(UnknownName, match="did you mean 'parquet'"):
        convert(some, "parket", tmp_path / "out.parquet")
    with pytest.raises(InputError, match=r"none of the posts can be written as locsens: no place 1"):
        convert(dataset([(Post("1", jpeg()), "")]), "locsens", tmp_path / "out")


def test_posts_in_no_split_are_told_of(tmp_path):
    posts = [(Post("1", jpeg()), "train"), (Post("2", jpeg()), "")]
    assert convert(dataset(posts, ("train",)), "folder", tmp_path / "out").left_out == {"in no split": 1}


def test_an_archive_becomes_a_folder(tmp_path):
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("2019/x.jpg", jpeg())
        archive.writestr("2019/x.txt", "A red boat")
    assert convert(open_dataset(tmp_path / "photos.zip"), "folder", tmp_path / "out").posts == 1
    (post,) = open_dataset(tmp_path / "out").posts()
    assert (post.id, post.captions) == ("2019/x.jpg", ("A red boat",))


@pytest.mark.parametrize(
    "post_id",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "..",
        "a/../b",
        "a//b",
        "con.jpg",
        "x" * 300,
        "a\\b",
        "C:/x",
        ".h",
        "é\ud800",
    ],
)
def test_ids_stay_where_they_are_put(post_id, tmp_path):
    posts = [(Post(post_id, jpeg()), "")]
    assert convert(dataset(posts), "folder", tmp_path / "a" / "out").posts == 1
    inside = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(inside) == 2
    assert all(path.is_relative_to(tmp_path / "a" / "out") for path in inside)


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_names_are_safe_and_told_apart(one, other):
    name = file_name(one)
    steps = name.split("/")
    assert all(step not in ("", ".", "..") and len(step.encode()) < 160 for step in steps)
    assert not re.search(r'[\x00-\x1f\\:*?"<>|]', name)
    assert not name.startswith("/")
    if one != other:
        assert file_name(other) != name
    if re.fullmatch(r"[a-z0-9]+(/[a-z0-9]+)*\.jpg", one):
        assert name == one


def test_an_id_that_is_a_folder_too_is_left_out(tmp_path):
    posts = [(Post("a.jpg", jpeg()), ""), (Post("a.jpg/b.jpg", jpeg()), "")]
    assert convert(dataset(posts), "folder", tmp_path / "out").left_out == {"name is taken": 1}
