"""What all readers of published formats keep, whatever is in their files."""

import random
import shutil

import pytest
from published_files import huggingface, instacities, locsens, mirflickr, shards, webvision, yfcc

from cartolina.datasets import READERS, open_dataset
from cartolina.datasets.dataset import Skipped
from cartolina.errors import InputError
from cartolina.post import Post


def concepts(root):
    return mirflickr(root, [["dog", "park"], ["cat"]], {"animals": [1, 2], "dog_r1": [1]})


PUBLISHED = {
    "huggingface": huggingface,
    "instacities1m": instacities,
    "locsens": locsens,
    "mirflickr25k": concepts,
    "shards": shards,
    "webvision": webvision,
    "yfcc100m": yfcc,
}


def damaged(data, chance):
    """The bytes cut short, with others in places, or with something put in."""
    data = bytearray(data)
    at = chance.randrange(len(data) + 1)
    match chance.randrange(4):
        case 0:
            del data[at:]
        case 1:
            for _ in range(min(len(data), 20)):
                data[chance.randrange(len(data))] = chance.randrange(256)
        case 2:
            data[at:at] = chance.randbytes(200)
        case _:
            data[at:at] = chance.choice([b"\0", b"\n\n", b"\t\t;;,,", b"\xff\xfe", b"../", b"[" * 5_000])
    return data


@pytest.mark.parametrize("name", PUBLISHED)
def test_damaged_files_give_posts_or_reasons_and_no_other_error(tmp_path, name):
    whole = PUBLISHED[name](tmp_path / "whole")
    texts = [file.relative_to(whole) for file in sorted(whole.rglob("*")) if file.is_file()]
    texts = [file for file in texts if file.suffix != ".jpg"]
    for seed in range(12):
        chance = random.Random(seed)
        root = tmp_path / f"{seed}"
        shutil.copytree(whole, root)
        for file in chance.sample(texts, min(2, len(texts))):
            (root / file).write_bytes(damaged((root / file).read_bytes(), chance))
        READERS[name].detect(root)
        try:
            dataset = open_dataset(root, name)
        except InputError:
            continue
        items = list(dataset.stream(None))
        assert all(isinstance(item, Post | Skipped) for item in items)
        assert items == list(dataset.stream(None))


@pytest.mark.parametrize("name", PUBLISHED)
def test_splits_are_parts_of_the_whole(tmp_path, name):
    dataset = open_dataset(PUBLISHED[name](tmp_path / "whole"))
    assert dataset.format == name
    everything = {post.id for post in dataset.posts()}
    parts = [{post.id for post in dataset.posts(split)} for split in dataset.splits]
    assert everything
    assert not parts or (set().union(*parts) == everything and sum(map(len, parts)) == len(everything))
    assert dataset.count(None) == sum(dataset.count(split) for split in dataset.splits or [None])


@pytest.mark.parametrize("name", PUBLISHED)
def test_no_published_folder_is_taken_for_another_format(tmp_path, name):
    root = PUBLISHED[name](tmp_path / "whole")
    assert [other for other in PUBLISHED if READERS[other].detect(root)] == [name]
