"""Porter's stemmer: "running" and "runs" to "run" (M. F. Porter, An algorithm for suffix stripping, 1980).

With the two departures of the author's own program, which gensim has too: "bli" becomes "ble" (his paper says
"abli" to "able"), and "logi" becomes "log". Written here because a saved LDA has to read a query without
gensim; a test compares the two on every word of GloVe's.

>>> [stem(word) for word in ("running", "skies", "relational", "happy")]
['run', 'ski', 'relat', 'happi']
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise

__all__ = ["stem"]

# Steps 2 to 4 take one ending each, the first that fits; in each list the longer of two stands first.
_STEP_2 = (
    ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"),
    ("bli", "ble"), ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"), ("ization", "ize"),
    ("ation", "ate"), ("ator", "ate"), ("alism", "al"), ("iveness", "ive"), ("fulness", "ful"),
    ("ousness", "ous"), ("aliti", "al"), ("iviti", "ive"), ("biliti", "ble"), ("logi", "log"),
)  # fmt: skip
_STEP_3 = (
    ("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""),
    ("ness", ""),
)  # fmt: skip
_STEP_4 = (
    ("al", ""), ("ance", ""), ("ence", ""), ("er", ""), ("ic", ""), ("able", ""), ("ible", ""), ("ant", ""),
    ("ement", ""), ("ment", ""), ("ent", ""), ("ion", ""), ("ou", ""), ("ism", ""), ("ate", ""), ("iti", ""),
    ("ous", ""), ("ive", ""), ("ize", ""),
)  # fmt: skip


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The stem of a word in small letters; one of two letters, or of another script, stays as it is."""
    if len(word) <= 2:
        return word
    word = _past_and_gerund(_plural(word))
    if word.endswith("y") and _has_vowel(word[:-1]):
        word = word[:-1] + "i"
    word = _ending(word, _STEP_2, lambda rest: _measure(rest) > 0)
    word = _ending(word, _STEP_3, lambda rest: _measure(rest) > 0)
    word = _ending(word, _STEP_4, lambda rest: _measure(rest) > 1)
    return _final_e_and_l(word)


def _plural(word: str) -> str:
    """Step 1a."""
    if word.endswith(("sses", "ies")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _past_and_gerund(word: str) -> str:
    """Step 1b."""
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) > 0 else word
    ending = next((one for one in ("ed", "ing") if word.endswith(one)), None)
    if ending is None or not _has_vowel(word[: -len(ending)]):
        return word
    word = word[: -len(ending)]
    if word.endswith(("at", "bl", "iz")):
        return word + "e"
    if _doubled(word):
        return word if word[-1] in "lsz" else word[:-1]
    return word + "e" if _measure(word) == 1 and _short_end(word) else word


def _ending(word: str, endings: tuple[tuple[str, str], ...], allowed: Callable[[str], bool]) -> str:
    """Replace the first of `endings` that `word` has, where what is left is `allowed`; no other is tried."""
    for ending, instead in endings:
        if word.endswith(ending):
            rest = word[: -len(ending)]
            if ending == "ion" and not rest.endswith(("s", "t")):
                return word
            return rest + instead if allowed(rest) else word
    return word


def _final_e_and_l(word: str) -> str:
    """Step 5."""
    if word.endswith("e"):
        measure = _measure(word[:-1])
        if measure > 1 or (measure == 1 and not _short_end(word[:-1])):
            word = word[:-1]
    return word[:-1] if word.endswith("ll") and _measure(word) > 1 else word


def _consonant(word: str, at: int) -> bool:
    """Whether the letter is one; y is where it begins a word or follows a vowel."""
    if word[at] == "y":
        return at == 0 or not _consonant(word, at - 1)
    return word[at] not in "aeiou"


def _measure(rest: str) -> int:
    """m: how often a consonant follows a vowel."""
    kinds = [_consonant(rest, at) for at in range(len(rest))]
    return sum(after and not before for before, after in pairwise(kinds))


def _has_vowel(rest: str) -> bool:
    return not all(_consonant(rest, at) for at in range(len(rest)))


def _doubled(word: str) -> bool:
    """Whether it ends in a consonant twice."""
    return len(word) > 1 and word[-1] == word[-2] and _consonant(word, len(word) - 1)


def _short_end(word: str) -> bool:
    """*o: whether it ends in consonant, vowel, consonant, the last not w, x or y."""
    last = len(word) - 1
    return (
        last >= 2
        and _consonant(word, last)
        and not _consonant(word, last - 1)
        and _consonant(word, last - 2)
        and word[-1] not in "wxy"
    )
