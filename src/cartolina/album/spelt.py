"""Words as the full-text index has them: folded, and cut into letters where a script has no spaces.

`spelt` is applied to what is written into the index and to what is looked for in it, so "malaga" is in
"MÁLAGA", and 東京, whose letters stand alone in the index, is inside 東京タワーの夜景.

>>> spelt("Łódź's café"), spelt("東京Tower")
('lodz s cafe', '東 京 tower')
>>> told(["Red car.", "", "Rome"]) == f"red car {BETWEEN} rome"
True
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from unicodedata import normalize

from cartolina.geo.names import fold

__all__ = ["BETWEEN", "pieces", "spelt", "told"]

BETWEEN = "\ue000"
"""Stands between two texts of a post as a word that nobody can write: no phrase goes across it."""

# Thai, Lao, Tibetan, Burmese, Khmer, Han, kana and Hangul. Korean has spaces, but hangs its endings on words.
_ALONE = (
    "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u31ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_PIECE = re.compile(f"[{_ALONE}]+|[^{_ALONE}]+")
_UNSPACED = re.compile(f"[{_ALONE}]")
_ASCII = {code: chr(code).lower() if chr(code).isalnum() else " " for code in range(128)}
_APOSTROPHES = str.maketrans(dict.fromkeys("'’‘ʼʻ`´ʹʺ", " "))  # fold would glue what they part


def spelt(text: str) -> str:
    """`text` as the index has it: its tokens with single spaces between them."""
    return " ".join(token for piece in pieces(text) for token in piece)


def pieces(text: str) -> list[Sequence[str]]:
    """The tokens of `text`: a word by itself, the letters of a run without spaces together."""
    if text.isascii():  # most are, and fold looks at every letter
        return [(word,) for word in text.translate(_ASCII).split()]
    plain = normalize("NFKC", text.translate(_APOSTROPHES))  # first: ᴬ is a capital letter under its form
    runs = (run for word in fold(plain).split() for run in _PIECE.findall(word))
    return [tuple(run) if _UNSPACED.match(run) else (run,) for run in runs]


def told(texts: Iterable[str]) -> str:
    """Several texts as one column of a post: those with any word in them, `BETWEEN` between them."""
    return f" {BETWEEN} ".join(filter(None, map(spelt, texts)))
