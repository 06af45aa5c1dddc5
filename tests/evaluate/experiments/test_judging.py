"""Judging by captions: by hand, with plurals, synonyms and all captions."""

import numpy as np
import pytest

from cartolina.errors import InputError
from cartolina.evaluate.experiments.judging import Judge, asked, concept, plurals, read_synonyms, synonyms
from cartolina.evaluate.experiments.query_sets import generated, query_sets, table_1

GALLERY = [
    ("A man on a bench.", "Someone feeds pigeons", "the boy's bicycles lean there"),  # 0
    ("Two puppies!",),  # 1
    ("An ice-cream van", "the beach"),  # 2
    ("cream on ice",),  # 3
    ("carpets and scars",),  # 4
    (),  # 5
]


def found(query, **options):
    return np.flatnonzero(Judge(GALLERY, **options).relevant(asked(query))).tolist()


def test_by_hand():
    assert found("man") == [0]
    assert found("bike") == [0]  # a synonym's plural, in the third caption
    assert found("dog") == [1]
    assert found("ice-cream") == [2]  # the words in a row, not each
    assert found("car") == []  # whole words only: no carpet, no scar
    assert found("man+bike") == [0]  # two captions, one photo
    assert found("ice-cream+beach") == [2]
    assert found("dog+man") == []


def test_synonyms_are_those_of_the_list():
    assert Judge(GALLERY).relevant(asked("bike", {})).sum() == 0
    given = read_synonyms("# a remark\nbike: bicycle, two wheeler  # another\ndog:\n")
    assert given == {"bike": ("bicycle", "two wheeler"), "dog": ()}
    assert ("two", "wheelers") in concept("bike", given).phrases
    assert Judge(GALLERY).relevant(asked("bike", given)).tolist() == [True] + [False] * 5


@pytest.mark.parametrize("text", ["bike", "bike: a\nbike: b", ": a"])
def test_a_list_that_is_none_is_refused(text):
    with pytest.raises(InputError, match=r"synonyms, line \d"):
        read_synonyms(text)


def test_plurals():
    by_hand = {
        "dog": "dogs", "bus": "buses", "beach": "beaches", "box": "boxes", "puppy": "puppies", "boy": "boys",
        "woman": "women", "child": "children", "person": "people", "tomato": "tomatoes", "video": "videos",
    }  # fmt: skip
    for one, many in by_hand.items():
        assert many in plurals(one)
    assert "boies" not in plurals("boy")


def test_our_list_has_every_concept_of_table_1():
    for query in table_1():
        for one in query.concepts:
            assert one.name in synonyms()


def test_table_1_is_the_papers():
    queries = table_1()
    assert [query.kind for query in queries] == ["simple"] * 12 + ["complex"] * 12
    assert "ice-cream+beach" in {query.name for query in queries}


def test_verdicts_win():
    assert found("dog", verdicts={("dog", 1): False, ("dog", 5): True, ("cat", 0): True}) == [5]


def test_a_concept_without_letters_is_no_query():
    with pytest.raises(InputError, match="names no concept"):
        asked("dog+!")


def drawn(rng, words, photos, share):
    return [tuple(f"a {word} there" for word in words if rng.random() < share) for _ in range(photos)]


def test_generated_queries_have_enough_photos_and_are_no_doubles():
    rng = np.random.default_rng(0)
    words = [f"thing{letter}" for letter in "abcdefgh"] + ["dogs", "dog", "rare"]
    gallery = drawn(rng, words[:-1], 1000, 0.12) + [("a rare one",)] * 9
    training = drawn(rng, words, 300, 0.12)
    judge = Judge(gallery)
    queries = generated(training, judge, simple=20, complex_=12)
    names = [query.name for query in queries]
    assert {"thinga", "dog"} <= set(names)
    assert not {"dogs", "rare", "there"} & set(names)  # a plural; too few photos; a stop word
    assert sum(query.kind == "complex" for query in queries) == 12
    for query in queries:
        assert 10 <= judge.relevant(query).sum() <= 0.25 * len(gallery)
    assert generated(training, judge, simple=20, complex_=12) == queries  # the same each time
    used = [word for name in names if "+" in name for word in name.split("+")]
    assert max(map(used.count, used)) <= 8


def test_sets_know_who_is_who():
    gallery = [("a red car",), ("a blue ball",)] * 12 + [("a hill",)] * 60
    sets = query_sets([("a red car on a hill",), ("a blue ball",)] * 5, gallery)
    names = [query.name for query in sets.asked]
    assert len(names) == len(set(names))
    assert sets.table_1.sum() == 24
    assert sets.ranked[names.index("car")]  # of both sets
    assert sets.table_1[names.index("car")]
    assert not sets.ranked[names.index("pizza")]
    values = np.array([float(name == "car") for name in names])
    assert sets.means(values) == {"all": 1 / 24, "simple": 1 / 12, "complex": 0.0}
