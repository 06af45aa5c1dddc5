"""Tokenising as in the papers (Learning from web data, §3.2; the LDA post's "Text preprocessing").

`#` becomes a space, everything but letters and digits is deleted, the rest is lower-cased, English stop words
and a little web noise are dropped. Two deviations: what is deleted leaves a *space*, or words glue together
("sea/sky" is two words), and a letter is a letter of any script, with the marks that belong to it.

>>> tokens("A dog's day at the #Beach!! http://t.co")
['dog', 'day', 'beach']
"""

from __future__ import annotations

import unicodedata
from collections.abc import Set as AbstractSet

__all__ = ["ENGLISH", "STOP_WORDS", "WEB_NOISE", "tokens"]

# The Snowball list, cut where our tokeniser cuts ("isn't" is "isn" and "t"), without "won", also a verb.
_ENGLISH = """
a about above after again against all am an and any are aren as at be because been before being below between
both but by can cannot could couldn d did didn do does doesn doing don down during each few for from further
had hadn has hasn have haven having he her here hers herself him himself his how i if in into is isn it its
itself let ll m me more most mustn my myself no nor not of off on once only or other ought our ours ourselves
out over own re s same shan she should shouldn so some such t than that the their theirs them themselves then
there these they this those through to too under until up ve very was wasn we were weren what when where which
while who whom why with would wouldn you your yours yourself yourselves
"""

# The authors' `words2filter`, less what only their captions made noise of ("now", "much", "say", "figure").
_WEB_NOISE = (
    "rt http https www gt amp co com tweet photo photos picture pictures pic image images url homepage"
)

ENGLISH = frozenset(_ENGLISH.split())
WEB_NOISE = frozenset(_WEB_NOISE.split())
STOP_WORDS = ENGLISH | WEB_NOISE


class _KeepLetters(dict[int, str | int]):
    """A translation table filled as characters are met: letters, digits and marks stay, others are spaces."""

    def __missing__(self, code: int) -> str | int:
        char = chr(code)
        # Marks (vowel signs, accents) belong to their letter; the emoji variation selectors do not.
        mark = unicodedata.category(char) in ("Mn", "Mc") and not 0xFE00 <= code <= 0xFE0F
        self[code] = kept = code if mark or char.isalnum() else " "
        return kept


_KEEP = _KeepLetters()


def tokens(text: str, stop_words: AbstractSet[str] = STOP_WORDS) -> list[str]:
    """The words of `text`, lower-case and NFC, in order, without `stop_words`.

    An empty set keeps all. Scripts written without spaces (Chinese, Thai) give one word for
    each unbroken run.
    """
    words = unicodedata.normalize("NFC", text.lower()).translate(_KEEP).split()
    return [word for word in words if word not in stop_words]
