import json
import random
import tracemalloc
from collections import Counter

import pytest
from published_files import IMAGE, TEXT, huggingface, saved

from cartolina.datasets import open_dataset
from cartolina.errors import InputError, MissingPackage, UnknownName
from cartolina.post import Place
from photo_files import jpeg, write


def picture(path=None):
    return {"bytes": jpeg(), "path": path}


def read(path, split=None, **options):
    skipped = []
    dataset = open_dataset(path, **options)
    return list(dataset.posts(split, on_skip=skipped.append)), [(one.where, one.reason) for one in skipped]


def test_a_dictionary_of_splits(tmp_path):
    dataset = open_dataset(huggingface(tmp_path))
    assert (dataset.format, dataset.splits, dataset.stable_ids) == ("huggingface", ("train", "test"), False)
    assert dataset.why == (
        "Recognised as huggingface: train is a Hugging Face dataset, its columns read as "
        "image=image, text=caption."
    )
    posts, skipped = read(tmp_path, "test")
    assert [(post.id, post.captions) for post in posts] == [
        (f"test#{number + 1}", (f"A test dog {number}", f"Dog {number}")) for number in range(3)
    ]
    assert posts[0].image == jpeg()
    assert (skipped, dataset.count("test"), dataset.count(None)) == ([], 3, 6)
    assert [post.id for post in dataset.posts()] == [
        f"{split}#{n}" for split in ("train", "test") for n in (1, 2, 3)
    ]


def test_one_split_saved_alone_or_given_of_a_dictionary(tmp_path):
    saved(tmp_path / "dogs", {"image": [picture()], "text": ["A dog #rex"]})
    dataset = open_dataset(tmp_path / "dogs")
    (post,) = dataset.posts()
    assert (dataset.splits, post.id, post.captions, post.tags) == ((), "dogs#1", ("A dog #rex",), ("rex",))
    huggingface(tmp_path / "two")
    assert [post.id for post in open_dataset(tmp_path / "two/test").posts()] == ["test#1", "test#2", "test#3"]


def test_several_files_and_batches_are_one_sequence_of_rows(tmp_path):
    count = 50
    columns = {"image": [picture() for _ in range(count)], "text": [f"{n}" for n in range(count)]}
    saved(tmp_path, columns, files=3, rows_a_batch=5)
    posts, skipped = read(tmp_path)
    assert [post.text for post in posts] == [f"{n}" for n in range(count)]
    assert [post.id.partition("#")[2] for post in posts] == [f"{n}" for n in range(1, count + 1)]
    assert skipped == []


def test_classes_are_named_as_the_features_say(tmp_path):
    features = {
        "image": IMAGE,
        "label": {"names": ["cat", "dog"], "_type": "ClassLabel"},
        "text": TEXT,
    }
    columns = {"image": [picture()] * 4, "label": [1, 0, -1, 7], "text": list("abcd")}
    saved(tmp_path / "a", columns, features)
    assert [post.labels for post in open_dataset(tmp_path / "a").posts()] == [("dog",), ("cat",), (), ("7",)]
    for at, kind in enumerate(({"feature": features["label"], "_type": "Sequence"}, [features["label"]])):
        columns["label"] = [[1, 0], [], None, [0]]
        saved(tmp_path / f"b{at}", columns, {**features, "label": kind})
        labels = [post.labels for post in open_dataset(tmp_path / f"b{at}").posts()]
        assert labels == [("dog", "cat"), (), (), ("cat",)]


def test_ids_places_and_columns_named_by_the_user(tmp_path):
    columns = {
        "img": [picture(), picture(), picture()],
        "image_id": [7, 7, 8],
        "note": ["one", "two", "three"],
        "latitude": [1.5, 1.5, 99.0],
        "longitude": [2.0, 2.0, 2.0],
    }
    saved(tmp_path, columns)
    posts, skipped = read(tmp_path, columns="text=note")
    assert [(post.id, post.captions, post.place) for post in posts] == [
        ("7", ("one", "two"), Place(1.5, 2)),
        ("8", ("three",), None),
    ]
    assert [reason for _, reason in skipped] == ["bad coordinates"]
    assert open_dataset(tmp_path, columns="text=note").stable_ids
    with pytest.raises(UnknownName, match="unknown column 'nte': did you mean 'note'"):
        open_dataset(tmp_path, "huggingface", columns="text=nte")
    with pytest.raises(InputError, match="no column known to hold pictures"):
        open_dataset(tmp_path, columns="image=")


def test_pictures_named_by_their_path(tmp_path):
    write(tmp_path / "img/1.jpg")
    paths = ["img/1.jpg", "../x.jpg", "img/2.jpg", "http://x/1.jpg", None]
    columns = {"image": [{"bytes": None, "path": path} for path in paths], "text": list("abcde")}
    columns["image"][4] = None
    saved(tmp_path / "train", columns)
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train"]}')
    posts, skipped = read(tmp_path)
    assert [(post.id, post.image) for post in posts] == [("img/1.jpg", tmp_path / "img/1.jpg")]
    assert sorted(skipped) == [
        ("train, row 2", "image outside the dataset"),
        ("train, row 3", "no such image"),
        ("train, row 4", "image is a web address"),
        ("train, row 5", "no image named"),
    ]


def arrow(folder):
    return next(folder.glob("*.arrow"))


def test_a_file_that_is_cut_short_gives_what_comes_before(tmp_path):
    count = 40
    noise = random.Random(0)
    images = [{"bytes": noise.randbytes(2_000), "path": None} for _ in range(count)]
    saved(tmp_path, {"image": images, "text": ["x"] * count}, rows_a_batch=4)
    file = arrow(tmp_path)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    posts, skipped = read(tmp_path)
    assert 10 < len(posts) < 30
    assert [reason for _, reason in skipped] == ["bad row"]


@pytest.mark.parametrize("seed", range(30))
def test_damage_anywhere_is_told_and_ends_no_process(tmp_path, seed):
    saved(tmp_path, {"image": [picture(f"{n}.jpg") for n in range(8)], "text": ["x" * n for n in range(8)]})
    file = arrow(tmp_path)
    data, chance = bytearray(file.read_bytes()), random.Random(seed)
    for _ in range(20):
        data[chance.randrange(len(data))] = chance.randrange(256)
    file.write_bytes(data)
    try:
        posts, skipped = read(tmp_path, format="huggingface")
    except InputError:
        return
    assert len(posts) + sum(reason == "bad row" for _, reason in skipped) <= 9


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("dataset_dict.json", "{"),
        ("dataset_dict.json", '["train"]'),
        ("dataset_dict.json", '{"splits": []}'),
        ("dataset_dict.json", '{"splits": ["../other"]}'),
        ("dataset_dict.json", '{"splits": ["missing"]}'),
        ("dataset_dict.json", '{"splits": [7]}'),
        ("dataset_dict.json", "[" * 100_000),
        ("train/state.json", "{}"),
        ("train/state.json", '{"_data_files": [{"filename": "../../x.arrow"}]}'),
        ("train/state.json", '{"_data_files": [{"filename": "x.arrow"}]}'),
        ("train/state.json", '{"_data_files": 7}'),
        ("train/state.json", '{"_data_files": [{"filename": "dataset_info.json"}]}'),
        ("train/dataset_info.json", "[]"),
    ],
)
def test_what_was_not_saved_by_datasets_is_told(tmp_path, file, text):
    (huggingface(tmp_path) / file).write_text(text)
    with pytest.raises(InputError):
        open_dataset(tmp_path)


def test_a_selection_kept_beside_the_rows_is_refused(tmp_path):
    huggingface(tmp_path)
    state = json.loads((tmp_path / "train/state.json").read_text())
    state["_indices_data_files"] = [{"filename": "indices.arrow"}]
    (tmp_path / "train/state.json").write_text(json.dumps(state))
    with pytest.raises(InputError, match="save it again"):
        open_dataset(tmp_path)


def test_without_pyarrow_the_command_to_install_it_is_told(tmp_path, monkeypatch):
    huggingface(tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingPackage, match=r"cartolina\[table\]"):
        open_dataset(tmp_path)


def test_memory_is_that_of_a_few_rows(tmp_path):
    import pyarrow as pa

    noise = random.Random(0)
    images = [{"bytes": noise.randbytes(20_000), "path": None} for _ in range(500)]
    saved(tmp_path, {"image": images, "text": ["x"] * 500}, files=2, rows_a_batch=250)  # 10 MB, 5 a batch
    del images
    dataset = open_dataset(tmp_path)
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    sizes = Counter()
    for post in dataset.posts():
        sizes[len(post.image)] += 1
        assert pa.total_allocated_bytes() - before < 1_000_000  # batches stay on disk
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sizes == {20_000: 500}
    assert peak < 3_000_000
