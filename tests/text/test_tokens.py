from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartolina.text.tokens import STOP_WORDS, tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A dog's day at the #Beach!! http://t.co", ["dog", "day", "beach"]),
        ("sea/sky,sun", ["sea", "sky", "sun"]),  # the authors' code glues these into one word
        ("#paris#night_life", ["paris", "night", "life"]),
        ("RT photo: 2 Cats", ["2", "cats"]),
        ("it isn't hers; they've gone", ["gone"]),
        ("ÜBER Straße Ελλάδα", ["über", "straße", "ελλάδα"]),
        ("हिन्दी में", ["हिन्दी", "में"]),  # vowel signs are part of their word
        ("cafe\u0301 caf\u00e9", ["café", "café"]),
        ("❤️ love 🏖️", ["love"]),
        ("東京タワー", ["東京タワー"]),
        ("", []),
    ],
)
def test_known_texts(text, expected):
    assert tokens(text) == expected


def test_stop_words_are_a_choice():
    assert tokens("the photo of a dog", frozenset()) == ["the", "photo", "of", "a", "dog"]
    assert tokens("the photo of a dog", {"dog"}) == ["the", "photo", "of", "a"]


def test_stop_words_are_words_the_tokeniser_makes():
    assert all(tokens(word, frozenset()) == [word] for word in STOP_WORDS)


def test_words_for_what_a_picture_shows_are_kept():
    content = ["fire", "computer", "bottom", "front", "side", "top", "system", "won", "show", "empty"]
    assert tokens(" ".join(content)) == content  # each is in some list of English stop words


@given(st.text())
def test_tokens_of_tokens_are_the_same(text):
    once = tokens(text, frozenset())
    assert tokens(" ".join(once), frozenset()) == once


@given(st.text(), st.sampled_from("#.,;:!?/()_-@'\" \n\t"), st.text())
def test_punctuation_separates(before, mark, after):
    # A capital sigma is written differently at a word's end, so the halves are lower-cased beforehand.
    before, after = before.lower(), after.lower()
    apart = tokens(f"{before} {after}", frozenset())
    assert tokens(f"{before}{mark}{after}", frozenset()) == apart
