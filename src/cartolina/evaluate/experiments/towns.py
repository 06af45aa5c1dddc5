"""Ten towns of a controlled set: seed 002's question where the answer is known.

InstaCities1M's photos were taken in ten cities, and what a photo has to do with its city is for a model to
find. Here *any* captioned photos are given to its ten cities by a rule: every town has a theme (dogs, snow,
the beach …), told from the captions; a photo of a theme comes to that theme's town with probability
`strength`, and else, as one without a theme, to one of the ten at random. Its captions end in the town's
name, as a hashtag. The pixels are untouched: what a model can know of the town it must see in the theme.

So the best possible answer is known: an observer who is told every photo's theme, and ranks by the
probability of the town, cannot be beaten on average (`observer`). At strength 0 there is nothing to find.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cartolina.errors import InputError
from cartolina.text.tokens import tokens

__all__ = ["THEMES", "TOWNS", "Towns", "assign", "theme_of"]

THEMES: Mapping[str, frozenset[str]] = {
    town: frozenset(words.split())
    for town, words in {
        "london": "street sidewalk city road traffic building car bus taxi",
        "newyork": "skateboard skateboarder skateboarding skateboards ramp rollerblading",
        "sydney": "surf surfer surfing surfboard wave waves ocean",
        "losangeles": "football soccer basketball baseball tennis hockey player players uniform",
        "chicago": "snow snowy ski skier skiing snowboard snowboarder sled ice",
        "melbourne": "bike bikes bicycle biker cyclist motorcycle bmx helmet",
        "miami": "pool swimming swim swimmer beach sand bikini",
        "toronto": "dog dogs puppy puppies",
        "singapore": "playground swing slide toddler baby toy toys",
        "sanfrancisco": "mountain mountains cliff rock climber climbing climbs hill canyon",
    }.items()
}
"""Each town and what names its theme: the towns are InstaCities1M's."""

TOWNS = tuple(THEMES)


@dataclass(frozen=True)
class Towns:
    """Where every photo went, by the order of the photos: `themes` and `towns` (N,) are indices into `TOWNS`.

    A theme of −1 is none. `strength` is the share of the themed photos that the rule itself sends home.
    """

    themes: NDArray[np.int64]
    towns: NDArray[np.int64]
    strength: float

    def observer(self) -> NDArray[np.float64]:
        """P(town | theme), (10, N): the scores of who knows the rule and every theme."""
        home = self.themes[None] == np.arange(len(TOWNS))[:, None]
        anywhere = np.where(self.themes < 0, 1.0, 1 - self.strength) / len(TOWNS)
        return np.asarray(self.strength * home + anywhere)


def theme_of(captions: Sequence[str]) -> int:
    """The town whose theme most of the captions name; the first in the list of several; −1 of none."""
    words = [frozenset(tokens(caption)) for caption in captions]
    naming = [sum(not w.isdisjoint(those) for w in words) for those in THEMES.values()]
    return naming.index(max(naming)) if max(naming) else -1


def assign(captions: Mapping[str, Sequence[str]], strength: float, seed: int = 0) -> Towns:
    """Give every photo its town; `captions` are each photo's, by its id.

    A photo's town depends on its id, its captions and the seed alone, not on the other photos.
    Raises `InputError` for a strength that is no probability.
    """
    if not 0 <= strength <= 1:
        raise InputError(f"a strength of {strength}: it is a probability, 0 to 1")
    themes = np.array([theme_of(texts) for texts in captions.values()], np.int64)
    towns = themes.copy()
    for photo, post in enumerate(captions):
        draw = np.random.default_rng(list(hashlib.sha256(f"{seed} {post}".encode()).digest()))
        if draw.random() >= strength or themes[photo] < 0:
            towns[photo] = draw.integers(len(TOWNS))
    return Towns(themes, towns, strength)
