import shutil
import subprocess
import sys

import pytest
from export_files import flickr, instagram, lay, takeout
from published_files import huggingface, instacities, locsens, mirflickr, shards, webvision, yfcc

from cartolina.datasets import READERS, open_dataset
from cartolina.datasets.dataset import Dataset, Skipped
from cartolina.errors import InputError, UnknownName
from cartolina.post import Post
from photo_files import write


def make(root, name):
    """Make the smallest dataset of each format."""
    write(root / "images/1.jpg")
    match name:
        case "flickr8k":
            (root / "Flickr8k.token.txt").write_text("1.jpg#0\tA dog .\n")
        case "flickr30k":
            (root / "results_20130124.token").write_text("1.jpg#0\tA dog .\n")
        case "table":
            (root / "posts.csv").write_text("id,image,text\n1,images/1.jpg,A dog .\n")
        case "imagefolder":
            write(root / "cats/2.jpg")
        case "instacities1m":
            instacities(root)
        case "webvision":
            webvision(root)
        case "locsens":
            locsens(root)
        case "shards":
            shards(root)
            shutil.rmtree(root / "images")
        case "huggingface":
            huggingface(root)
        case "yfcc100m":
            yfcc(root)
        case "mirflickr25k":
            mirflickr(root, [["dog"], ["cat"]], {"animals": [1, 2]})
        case "takeout":
            lay(root, takeout())
        case "flickr-export":
            lay(root, {name: data for files in flickr().values() for name, data in files.items()})
        case "instagram":
            lay(root, instagram())
    return root


@pytest.mark.parametrize("name", READERS)
def test_auto_recognises_each_and_says_so_in_a_sentence(tmp_path, name):
    dataset = open_dataset(make(tmp_path, name))
    assert dataset.format == name
    assert dataset.why.startswith(f"Recognised as {name}: ")
    assert dataset.why.endswith(".")
    assert READERS[name].detect(tmp_path)


@pytest.mark.parametrize("name", READERS)
def test_every_reader_keeps_the_contract(tmp_path, name):
    make(tmp_path, name)
    dataset = open_dataset(str(tmp_path), name)
    assert dataset.why.startswith(f"Read as {name}, as asked: ")
    posts = list(dataset.posts())
    assert posts == list(dataset.posts())  # as often as wanted
    assert 1 <= len(posts) == len({post.id for post in posts}) <= dataset.count(None)
    assert all(isinstance(post.image, bytes) or post.image.is_file() for post in posts)
    assert all(isinstance(item, Post | Skipped) for item in dataset.stream(None))
    with pytest.raises(UnknownName, match="unknown split"):
        dataset.posts("no such split")


@pytest.mark.parametrize("name", READERS)
def test_no_reader_takes_what_is_not_its_own(tmp_path, name):
    (tmp_path / "notes.md").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path, tmp_path / "notes.md"):
        assert READERS[name].detect(path) is None
    with pytest.raises(InputError):
        open_dataset(tmp_path / "notes.md", name)


def test_posts_stream_one_at_a_time_and_tell_what_is_skipped(tmp_path):
    told = []

    def stream(split):
        yield Post("1")
        yield Skipped("x", "bad row")
        yield Post("2")
        raise AssertionError("read ahead")

    posts = Dataset("f", tmp_path, "why", ("a",), stream, lambda split: None, True).posts("a", told.append)
    assert (next(posts).id, told) == ("1", [])
    assert (next(posts).id, told) == ("2", [Skipped("x", "bad row")])


def test_mistakes_are_told(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        open_dataset(tmp_path / "nowhere")
    with pytest.raises(InputError, match="nothing known was found"):
        open_dataset(tmp_path)
    with pytest.raises(UnknownName, match="did you mean 'imagefolder'"):
        open_dataset(tmp_path, "image-folder")
    with pytest.raises(UnknownName, match=r"did you mean 'takeout'.*flickr-export.*instagram"):
        open_dataset(tmp_path, "google-takeout")


def test_readers_are_light_to_import():
    code = "import sys, cartolina.datasets; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert {"PIL", "pyarrow", "defusedxml", "numpy", "torch"}.isdisjoint(loaded.split())
