"""What a text model learns with: the papers' numbers, and what a small corpus makes of them.

A family's settings are a frozen dataclass whose defaults are the papers'
(`../shared/reference/protocols.md`). Three ways to have them, each settled once the corpus is known
(`for_corpus`):

- as they are: the papers' numbers, only that in a corpus under 50,000 words the count a word must be seen
  falls in proportion (`min_count`), or a small album would know none of its words;
- `published()`: the papers' numbers, that count included, whatever the corpus;
- `scale=True`: the family's own numbers for thousands of captions (`scaled`); `fixed` fields stay as given.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

from cartolina.errors import InputError

__all__ = ["LearntSettings", "rare"]

LARGE = 50_000
"""Words from which on a corpus can bear the papers' `min_count`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LearntSettings:
    """What every family learns with. Every number but `seed` must be above zero.

    Words seen fewer than `min_count` times are left out; None is the papers' count, or less in a small
    corpus. With `workers=1` the same texts and `seed` give the same vectors, bit for bit.
    """

    published_min_count: ClassVar[int] = 5

    min_count: int | None = None
    scale: bool = False
    fixed: frozenset[str] = frozenset()
    seed: int = 0
    workers: int = 1

    def __post_init__(self) -> None:
        for field in fields(self):
            value: Any = getattr(self, field.name)
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if number and field.name != "seed" and not value > 0:
                raise InputError(f"{field.name}={value} will not do: it must be above zero")

    @classmethod
    def published(cls) -> Self:
        """Exactly the papers' numbers."""
        return cls(min_count=cls.published_min_count)

    def scaled(self, words: int, texts: int) -> Self:
        """These settings for a corpus of `words` words in `texts` texts, where it is a small one."""
        return self

    def for_corpus(self, words: int, texts: int) -> Self:
        """The settings to learn with: nothing is left open."""
        settings = self
        if self.scale:
            kept = {name: getattr(self, name) for name in self.fixed}
            settings = replace(self.scaled(words, texts), scale=False, **kept)
        if settings.min_count is not None:
            return settings
        most = settings.published_min_count
        return replace(settings, min_count=min(most, max(1, words * most // LARGE)))


def rare(most: int, words: int) -> int:
    """How often a word must be seen in a small corpus: once a thousand words, `most` times at most."""
    return min(most, max(1, words // 1_000))
