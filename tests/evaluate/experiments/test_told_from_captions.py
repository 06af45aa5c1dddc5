"""What is told from captions: concepts and tags kept apart, themes cut in halves, towns given by a rule."""

import numpy as np
import pytest

from cartolina.errors import InputError
from cartolina.evaluate.experiments.concepts import CONCEPTS, STRONG, annotated, labels_of
from cartolina.evaluate.experiments.themes import halves, theme_score
from cartolina.evaluate.experiments.towns import THEMES, TOWNS, assign, theme_of
from cartolina.post import Post


def test_there_are_24_concepts_and_14_strong_ones_of_them():
    assert len(CONCEPTS) == 24
    assert len(STRONG) == 14
    assert {label.removesuffix("_r1") for label in STRONG} <= set(CONCEPTS)


def test_one_caption_makes_a_concept_weak_and_most_make_it_strong():
    captions = ["A dog runs on grass.", "Two dogs.", "A brown animal.", "Something fast."]
    assert labels_of(captions) == ("animals", "dog", "plant_life")  # two of four are not most
    assert labels_of(captions[:3]) == ("animals", "dog", "plant_life", "dog_r1")
    assert labels_of([]) == ()


def test_the_captions_that_judge_are_not_those_that_ask():
    post = Post("p", None, captions=("A dog's beach!", "a dog", "a cat", "a kitten", "somebody's cat"))
    made = annotated(post)
    assert made.tags == ("dog", "beach")
    assert made.labels == ("animals",)
    assert made.captions == ()
    assert annotated(Post("p", None, captions=("a dog", "a dog"))).labels == ()


def test_halves_are_equal_disjoint_and_do_not_depend_on_the_order():
    captions = {f"n{i}": ["a dog in a field", "a lake"] for i in range(3)}
    captions |= {f"p{i}": ["a man", "a football player"] for i in range(3)}
    captions |= {"both": ["a man and his dog"], "neither": ["a red car"]}
    nature, people = halves(captions)
    assert {"n0", "n1", "n2"} < set(nature)
    assert {"p0", "p1", "p2"} < set(people)
    assert len(nature) == len(people) == 4
    assert not set(nature) & set(people)
    assert halves(dict(reversed(captions.items()))) == (nature, people)
    assert theme_score(captions["both"]) == theme_score(captions["neither"]) == 0
    assert theme_score(["a dog", "a dog and a man", "a man", "two men"]) == 2 - 3


def test_a_photo_has_the_theme_most_of_its_captions_name():
    assert (
        TOWNS[theme_of(["a dog in snow", "a puppy", "snow"])] == "chicago"
    )  # snow first, where both are two
    assert TOWNS[theme_of(["a dog in snow", "a puppy"])] == "toronto"
    assert theme_of(["nothing of the kind"]) == -1
    words = [word for those in THEMES.values() for word in those]
    assert len(words) == len(set(words))
    assert len(TOWNS) == 10


def described(count=4000):
    """Photos of ten themes and of none, in turn."""
    said = [*(sorted(words)[0] for words in THEMES.values()), "nothing"]
    return {f"photo{n}": (f"a {said[n % 11]}",) for n in range(count)}


@pytest.mark.parametrize("strength", [0.0, 0.6, 1.0])
def test_the_rule_sends_home_as_many_as_it_says(strength):
    towns = assign(described(), strength, seed=1)
    themed = towns.themes >= 0
    expected = strength + (1 - strength) / 10
    assert (towns.themes == towns.towns)[themed].mean() == pytest.approx(expected, abs=0.03)
    assert np.bincount(towns.towns[~themed], minlength=10).min() > 20  # those without a theme go anywhere


def test_a_photo_s_town_does_not_depend_on_the_others():
    photos = described(200)
    towns = assign(photos, 0.5).towns
    some = {post: photos[post] for post in list(photos)[50:60]}
    assert assign(some, 0.5).towns.tolist() == towns[50:60].tolist()
    assert assign(photos, 0.5, seed=1).towns.tolist() != towns.tolist()


def test_the_observer_s_scores_are_the_shares_there_are():
    towns = assign(described(), 0.6)
    scores = towns.observer()
    assert scores.sum(0) == pytest.approx(np.ones(4000))
    for town in range(10):
        for level in np.unique(scores[town]):
            of_level = scores[town] == level
            assert (towns.towns[of_level] == town).mean() == pytest.approx(level, abs=0.06)


def test_a_strength_that_is_no_probability_is_refused():
    with pytest.raises(InputError, match="a probability, 0 to 1"):
        assign({}, 1.5)
