"""Ranks against a naive sort, recalls by hand, and the bootstrap against what is known of it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartolina.metrics import (
    image_to_text_ranks,
    median_rank,
    recall_at_k,
    recall_interval,
    text_to_image_ranks,
)
from cartolina.metrics import ranks as ranks_module


def naive_text_to_image(texts, images, owner):
    ranks = []
    for q, text in enumerate(texts):
        scores = [float(np.dot(text, image)) for image in images]
        own = scores[owner[q]]
        before = [i for i in range(len(images)) if i != owner[q] and scores[i] >= own]
        ranks.append(1 + len(before))
    return ranks


def naive_image_to_text(images, texts, owner):
    ranks = []
    for i, image in enumerate(images):
        scores = [float(np.dot(image, text)) for text in texts]
        own = [scores[j] for j in range(len(texts)) if owner[j] == i]
        if not own:
            ranks.append(0)
            continue
        before = [j for j in range(len(texts)) if owner[j] != i and scores[j] >= max(own)]
        ranks.append(1 + len(before))
    return ranks


@st.composite
def worlds(draw):
    """Small whole numbers, so that dot products are exact and ties are many."""
    n, m, d = draw(st.integers(1, 7)), draw(st.integers(1, 12)), draw(st.integers(1, 3))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    images = rng.integers(-1, 2, (n, d)).astype(np.float32)
    texts = rng.integers(-1, 2, (m, d)).astype(np.float32)
    return texts, images, rng.integers(0, n, m)


@settings(max_examples=150, deadline=None)
@given(worlds(), st.integers(1, 30))
def test_ranks_are_those_of_a_naive_loop_whatever_the_block(world, block):
    texts, images, owner = world
    before = ranks_module.BLOCK_SCORES
    ranks_module.BLOCK_SCORES = block
    try:
        assert text_to_image_ranks(texts, images, owner).tolist() == naive_text_to_image(texts, images, owner)
        assert image_to_text_ranks(images, texts, owner).tolist() == naive_image_to_text(images, texts, owner)
    finally:
        ranks_module.BLOCK_SCORES = before


def test_a_constant_model_finds_nothing():
    same = np.ones((20, 4), np.float32) / 2
    owner = np.arange(20)
    assert recall_at_k(text_to_image_ranks(same, same, owner), 10) == 0
    assert recall_at_k(image_to_text_ranks(same, same, owner), 10) == 0


def test_scores_that_are_no_numbers_rank_last():
    images = np.eye(3, dtype=np.float32)
    broken = images * np.nan
    assert text_to_image_ranks(broken, images, np.arange(3)).tolist() == [3, 3, 3]
    assert image_to_text_ranks(broken, images, np.arange(3)).tolist() == [3, 3, 3]


def test_own_captions_do_not_stand_before_each_other():
    images = np.eye(2, dtype=np.float32)
    texts = images[[0, 0, 0, 1]]
    assert image_to_text_ranks(images, texts, np.array([0, 0, 0, 1])).tolist() == [1, 1]


def test_a_perfect_and_a_shifted_model():
    eye = np.eye(6, dtype=np.float32)
    owner = np.arange(6)
    assert text_to_image_ranks(eye, eye, owner).tolist() == [1] * 6
    noisy = eye + 1.5 * np.roll(eye, 1, axis=1)  # the next image scores above the right one
    assert text_to_image_ranks(noisy, eye, owner).tolist() == [2] * 6


def test_recall_and_median_by_hand():
    ranks = np.array([1, 2, 5, 11])
    assert [recall_at_k(ranks, k) for k in (1, 2, 5, 10, 11)] == [25, 50, 75, 75, 100]
    assert median_rank(ranks) == 3.5
    assert median_rank(np.array([7, 1, 3])) == 3


def test_images_without_captions_are_distractors_not_queries():
    images = np.eye(3, dtype=np.float32)
    texts = np.array([[0.6, 0.8, 0]], np.float32)  # of image 0, but nearer to the caption-less image 1
    owner = np.array([0])
    assert text_to_image_ranks(texts, images, owner).tolist() == [2]
    ranks = image_to_text_ranks(images, texts, owner)
    assert ranks.tolist() == [1, 0, 0]
    assert recall_at_k(ranks, 1) == 100


def test_nothing_asked_is_not_a_number():
    nothing = np.zeros(3, np.int64)
    assert math.isnan(recall_at_k(nothing, 1))
    assert math.isnan(median_rank(nothing))
    assert all(map(math.isnan, recall_interval(nothing, np.arange(3), 1, np.random.default_rng(0))))


def test_interval_matches_the_binomial_when_each_photo_has_one_caption():
    rng = np.random.default_rng(1)
    ranks = np.where(rng.random(1000) < 0.3, 1, 50)
    low, high = recall_interval(ranks, np.arange(1000), 10, np.random.default_rng(0), resamples=2000)
    p = (ranks == 1).mean()
    half = 196 * math.sqrt(p * (1 - p) / 1000)
    assert low == pytest.approx(100 * p - half, abs=0.4)
    assert high == pytest.approx(100 * p + half, abs=0.4)


def test_interval_is_wider_when_captions_of_a_photo_fail_together():
    photo = np.repeat(np.arange(200), 5)
    together = np.where(photo % 2 == 0, 1, 50)
    alone = np.where(np.arange(1000) % 2 == 0, 1, 50)
    wide = np.subtract(*recall_interval(together, photo, 1, np.random.default_rng(0))[::-1])
    narrow = np.subtract(*recall_interval(alone, photo, 1, np.random.default_rng(0))[::-1])
    assert wide > 2 * narrow


def test_many_captions_in_little_memory():
    """20,000 × 20,000 scores would be 1.6 GB at once."""
    rng = np.random.default_rng(0)
    images = rng.standard_normal((20_000, 8)).astype(np.float32)
    images /= np.linalg.norm(images, axis=1, keepdims=True)
    import tracemalloc

    tracemalloc.start()
    try:
        assert (text_to_image_ranks(images[:2000], images, np.arange(2000)) == 1).all()
        assert tracemalloc.get_traced_memory()[1] < 60e6
    finally:
        tracemalloc.stop()
