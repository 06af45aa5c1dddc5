"""The character n-grams of a word, hashed into buckets as FastText does it (Bojanowski et al. 2017, §3.2).

A word gets "<" before and ">" behind; its n-grams are its runs of `shortest` to `longest` characters, the
brackets counted, a bracket alone aside. Each is hashed by FNV-1a over its UTF-8 bytes, in 32 bits. One oddity
is FastText's own, and vectors learnt by it depend on it: a byte above 127 counts as a negative number, so
that it flips the upper 24 bits too.
"""

from __future__ import annotations

__all__ = ["fnv1a", "ngram_buckets"]

_START, _PRIME, _32_BITS = 2166136261, 16777619, 0xFFFFFFFF


def fnv1a(data: bytes, value: int = _START) -> int:
    """The hash of `data`; `value` is the hash of what comes before it.

    >>> fnv1a(b"<se")
    1668351175
    """
    for byte in data:
        value = ((value ^ (byte if byte < 128 else byte | 0xFFFFFF00)) * _PRIME) & _32_BITS
    return value


def ngram_buckets(word: str, buckets: int, shortest: int = 3, longest: int = 6) -> list[int]:
    """The bucket (below `buckets`) of each n-gram of `word`, repeats included; in no order to rely on."""
    letters = [letter.encode() for letter in f"<{word}>"]
    last = len(letters)
    found: list[int] = []
    for first in range(last):
        value = _START
        for end in range(first + 1, min(first + longest, last) + 1):
            value = fnv1a(letters[end - 1], value)  # one letter more: its n-grams share their beginnings
            if end - first >= shortest and not (end - first == 1 and (first == 0 or end == last)):
                found.append(value % buckets)
    return found
