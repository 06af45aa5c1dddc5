from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartolina.datasets.dataset import Dataset, Skipped
from cartolina.datasets.noise import noisy, noisy_captions, noisy_sources
from cartolina.errors import InputError, UnknownName
from cartolina.post import Place, Post


@given(st.integers(2, 60), st.floats(0, 1), st.floats(0, 1), st.integers(0, 9))
def test_none_keeps_its_own_and_levels_are_nested(count, one, other, seed):
    low, high = sorted((one, other))
    noised = []
    for share in (low, high):
        sources = noisy_sources(count, share, seed)
        moved = set(np.flatnonzero(sources != np.arange(count)).tolist())
        assert len(moved) == round(share * count)
        if len(moved) > 1:  # nothing is lost, nothing is said twice
            assert sorted(sources.tolist()) == list(range(count))
            assert set(sources[list(moved)].tolist()) == moved
        noised.append(moved)
    assert noised[0] <= noised[1]
    assert (noisy_sources(count, high, seed) == noisy_sources(count, high, seed)).all()


def test_every_photo_is_as_likely_to_be_noised():
    times = Counter(
        n for seed in range(2000) for n in np.flatnonzero(noisy_sources(10, 0.3, seed) != range(10))
    )
    assert sum(times.values()) == 6000
    assert all(500 < times[n] < 700 for n in range(10))


def test_the_whole_set_or_one_caption():
    captions = [(f"{photo}a", f"{photo}b", f"{photo}c") for photo in range(10)]
    sources = noisy_sources(10, 0.4, seed=3)
    assert noisy_captions(captions, 0.4, seed=3) == [captions[source] for source in sources]
    one = noisy_captions(captions, 0.4, only_one=True, seed=3)
    for row, (before, after) in enumerate(zip(captions, one, strict=True)):
        changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
        if sources[row] == row:
            assert not changed
        else:
            assert len(changed) == 1
            assert changed[0][1] in captions[sources[row]]
    assert noisy_captions(captions, 0) == captions


def test_what_cannot_be_done_is_said():
    for share in (-0.1, 1.1, float("nan"), 30):
        with pytest.raises(InputError, match="expected 0 to 1"):
            noisy_sources(3, share)
    with pytest.raises(InputError, match="only one photo"):
        noisy_sources(1, 1)
    assert noisy_sources(1, 0.4).tolist() == [0]
    assert noisy_sources(0, 1).tolist() == []


def photos(count=20):
    made = [
        Post(
            str(n), None, (f"caption {n}",) if n % 5 else (), (f"tag{n}",), Place(n, n), None, (f"label{n}",)
        )
        for n in range(count)
    ]

    def stream(split):
        yield Skipped("x", "no such image")
        yield from (post for n, post in enumerate(made) if split is None or (n < 10) == (split == "train"))

    def listing(split):
        return iter(())

    return made, Dataset(
        "made", Path(), "Made.", ("train", "test"), stream, lambda split: None, True, listing
    )


def test_a_dataset_with_noise_in_its_training_part():
    made, dataset = photos()
    noised = noisy(dataset, 0.5, split="train", seed=1)
    posts = list(noised.posts())
    assert posts == [*noised.posts("train"), *noised.posts("test")]
    assert posts[10:] == made[10:]
    moved = [(new, old) for new, old in zip(posts, made, strict=True) if new != old]
    assert len(moved) == 4  # of the eight that have captions
    for new, old in moved:
        assert (new.id, new.place, new.labels) == (old.id, old.place, old.labels)
        assert new.captions != old.captions
        number = new.captions[0].removeprefix("caption ")
        assert new.tags == (f"tag{number}",)
    assert noised.listing is None
    assert "50% of the posts of train" in noised.why
    skipped = []
    list(noised.posts("test", skipped.append))
    assert len(skipped) == 1
    one = list(noisy(dataset, 0.5, only_one=True).posts())
    assert [post.tags for post in one] == [post.tags for post in made]
    assert sum(new != old for new, old in zip(one, made, strict=True)) == 8
    with pytest.raises(UnknownName):
        noisy(dataset, 0.1, split="trian")


def test_a_dataset_is_noised_the_same_each_time():
    _, dataset = photos()
    assert list(noisy(dataset, 1, seed=2).posts()) == list(noisy(dataset, 1, seed=2).posts())
    assert list(noisy(dataset, 1, seed=2).posts()) != list(noisy(dataset, 1, seed=3).posts())
