"""One captioned dataset cut in two by theme, for transfer (Table 3) where two datasets are not at hand.

The rule: a photo's score is the number of its captions that name an animal or a landscape less the number
of them that name people or sport. The photos in order of their score, cut in the middle, are the two
halves: `nature` above, `people` below. Both are the same size, so that neither learns from more photos, and
photos of equal score are ordered by a hash of their ids, not by where they lay.

>>> theme_score(["A dog on the beach.", "A dog runs.", "A man and a dog."])   # 3 − 1
2
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from cartolina.text.tokens import tokens

__all__ = ["NATURE", "PEOPLE", "halves", "theme_score"]

_NATURE = """
    animal animals dog dogs puppy puppies horse horses cat cats bird birds duck ducks cow cows sheep goat
    beach ocean sea lake river stream creek pond waterfall mountain mountains hill hills cliff rocks rocky
    forest woods trees tree grass grassy field meadow snow snowy sand sandy flowers desert
"""
NATURE = frozenset(_NATURE.split())
"""Animals and landscapes."""

_PEOPLE = """
    man men woman women boy boys girl girls person people child children kid kids baby toddler lady guy guys
    crowd couple player players team game football soccer basketball baseball tennis hockey ball race racing
    skateboard skateboarder bike biker bicycle cyclist skier snowboarder surfer climber wrestler gymnast
"""
PEOPLE = frozenset(_PEOPLE.split())
"""People and their sports."""


def theme_score(captions: Sequence[str]) -> int:
    """Captions that name animals or landscapes less captions that name people or sport."""
    words = [frozenset(tokens(caption)) for caption in captions]
    return sum((not w.isdisjoint(NATURE)) - (not w.isdisjoint(PEOPLE)) for w in words)


def halves(captions: Mapping[str, Sequence[str]]) -> tuple[list[str], list[str]]:
    """The ids of the `nature` half and of the `people` half, disjoint, sorted; an odd one goes to people.

    `captions` are each photo's, by its id.
    """
    scores = {post: theme_score(texts) for post, texts in captions.items()}
    ordered = sorted(captions, key=lambda post: (-scores[post], hashlib.sha256(post.encode()).hexdigest()))
    middle = len(ordered) // 2
    return sorted(ordered[:middle]), sorted(ordered[middle:])
