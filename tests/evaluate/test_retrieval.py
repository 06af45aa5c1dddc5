"""Retrieval in the tiny world of colours, where every rank can be told by hand."""

import numpy as np
import pytest
from tiny_world import dataset, paint, write_space

from cartolina.album import Album
from cartolina.datasets import Dataset, Skipped
from cartolina.errors import AlbumError, InputError, UnknownName
from cartolina.evaluate.retrieval import evaluate_retrieval, retrieval_ranks
from cartolina.post import Post


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    return write_space(tmp_path_factory.mktemp("evaluate") / "colours")


@pytest.fixture
def album(tmp_path, space):
    with Album.create(tmp_path / "A") as made:
        made.activate(space)
        yield made


def post(root, name, *captions, colour=None):
    return Post(name, paint(root / f"{name}.png", colour or name), captions=captions)


def test_ranks_by_hand(album, tmp_path):
    posts = [
        post(tmp_path, "red", "red", "red thing"),
        post(tmp_path, "green", "blue"),  # a caption that misleads
        post(tmp_path, "blue", "blue"),
        post(tmp_path, "yellow"),  # no caption: a distractor only
    ]
    ranks = retrieval_ranks(album, dataset(tmp_path, posts))
    assert ranks.owner.tolist() == [0, 0, 1, 2]
    # "blue" finds the blue photo first, then red, green and yellow tie at 0: the right one counts last.
    assert ranks.text_to_image.tolist() == [1, 1, 4, 1]
    # The green photo's caption scores 0, as do all others; the blue photo's ties with the misleading one.
    assert ranks.image_to_text.tolist() == [1, 4, 2, 0]
    assert evaluate_retrieval(album, dataset(tmp_path, posts)) == {
        "text_to_image": {"R@1": 75.0, "R@5": 100.0, "R@10": 100.0, "median_rank": 1.0},
        "image_to_text": {"R@1": pytest.approx(100 / 3), "R@5": 100.0, "R@10": 100.0, "median_rank": 2.0},
        "images": 4,
        "captions": 4,
    }


def test_nothing_is_added_to_the_album_and_features_are_computed_once(album, tmp_path, monkeypatch):
    data = dataset(tmp_path, [post(tmp_path, name, name) for name in ("red", "green", "blue")])
    before = evaluate_retrieval(album, data)
    assert len(album) == 0
    backbone = type(album.space.backbones[0])
    monkeypatch.setattr(backbone, "__call__", lambda *_: pytest.fail("the features are in the cache"))
    assert evaluate_retrieval(album, data) == before


def test_the_words_of_a_photo_take_no_part_in_its_vector(album, tmp_path):
    """Captions turned round among the photos: a model that saw them would not notice."""
    names = ("red", "green", "blue")
    straight = dataset(tmp_path, [post(tmp_path, name, name) for name in names])
    turned = dataset(tmp_path, [post(tmp_path, name, names[i - 1]) for i, name in enumerate(names)])
    assert evaluate_retrieval(album, straight)["text_to_image"]["R@1"] == 100
    assert evaluate_retrieval(album, turned)["text_to_image"]["R@1"] == 0


def test_a_photo_that_cannot_be_read_takes_its_captions_along(album, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no photo")
    broken = Post("broken", tmp_path / "broken.png", captions=("red", "green"))
    gone = Skipped("row 7", "no such image")
    data = dataset(tmp_path, [post(tmp_path, "red", "red"), broken, gone, post(tmp_path, "blue", "blue")])
    ranks = retrieval_ranks(album, data)
    assert ranks.text_to_image.tolist() == [1, 1]
    assert ranks.to_json()["images"] == 2
    assert sum(ranks.skipped.values()) == 2
    assert ranks.skipped["no such image"] == 1


def test_captions_arrive_in_batches_like_all_at_once(album, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    words = ["red", "green", "blue", "yellow", "purple"]
    posts = [
        post(tmp_path, f"p{i}", *rng.choice(words, 3), colour=tuple(int(c) for c in rng.integers(0, 256, 3)))
        for i in range(13)
    ]
    whole = retrieval_ranks(album, dataset(tmp_path, posts))
    monkeypatch.setattr("cartolina.evaluate.retrieval.BATCH", 4)
    parts = retrieval_ranks(album, dataset(tmp_path, posts))
    assert parts.text_to_image.tolist() == whole.text_to_image.tolist()
    assert parts.image_to_text.tolist() == whole.image_to_text.tolist()


def test_the_split_is_asked_for(album, tmp_path):
    splits = {"train": [post(tmp_path, "red", "red")], "test": [post(tmp_path, "blue", "blue")] * 2}
    data = Dataset(
        "made", tmp_path, "by hand", tuple(splits), lambda s: iter(splits[s]), lambda s: len(splits[s]), True
    )
    assert evaluate_retrieval(album, data, "test")["images"] == 2
    with pytest.raises(UnknownName, match="dev"):
        evaluate_retrieval(album, data, "dev")


def test_nothing_to_measure_with_or_on(album, tmp_path):
    with pytest.raises(InputError, match="no photo with a caption"):
        evaluate_retrieval(album, dataset(tmp_path, [post(tmp_path, "red")]))
    with pytest.raises(InputError, match="1 × no such image"):
        evaluate_retrieval(album, dataset(tmp_path, [Skipped("row 1", "no such image")]))
    with Album.create(tmp_path / "B") as fresh, pytest.raises(AlbumError, match="learnt nothing"):
        evaluate_retrieval(fresh, dataset(tmp_path, [post(tmp_path, "red", "red")]))
