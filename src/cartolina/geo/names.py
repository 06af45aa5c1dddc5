"""One spelling for a name however it is written: `fold`, used when compiling and when looking up.

>>> fold("Saint-Étienne"), fold("ŁÓDŹ"), fold("Xi’an"), fold("東京")
('saint etienne', 'lodz', 'xian', '東京')
"""

from __future__ import annotations

import unicodedata

__all__ = ["fold"]

# Letters of the Latin alphabet that Unicode does not decompose.
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}
)
_APOSTROPHES = frozenset("'’‘ʼʻ`´ʹʺ")


def fold(name: str) -> str:
    """`name` without case, accents, apostrophes and punctuation, single-spaced.

    Only marks above and below letters go (combining class ≥ 200): the Japanese voicing mark or an Indic
    vowel killer makes another letter, not the same one with an accent.
    """
    apart = unicodedata.normalize("NFKD", name.casefold())
    kept = "".join(_kept(c) for c in apart if unicodedata.combining(c) < 200)
    return " ".join(unicodedata.normalize("NFC", kept.translate(_LETTERS)).split())


def _kept(character: str) -> str:
    if character in _APOSTROPHES:
        return ""
    return character if character.isalnum() or unicodedata.category(character)[0] == "M" else " "
