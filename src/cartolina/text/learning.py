"""What the families that learn from captions share: cutting them, gensim, and counted epochs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from cartolina.errors import InputError, require
from cartolina.progress import Step
from cartolina.text.tokens import tokens

__all__ = ["TEXT", "Captions", "epoch_counter", "gensim_for", "known_words"]

TEXT = "pip install 'cartolina[text]'"
"""The command that installs what learning words needs."""


@dataclass(frozen=True, slots=True)
class Captions:
    """The texts to learn from, cut into words; those without any are in `texts` only."""

    texts: list[str]
    sentences: list[list[str]]

    @classmethod
    def read(cls, texts: Iterable[str], learner: str) -> Captions:
        """Cut `texts`; raises `InputError` where there is no word in them."""
        texts = list(texts)
        sentences = [words for text in texts if (words := tokens(text))]
        if not sentences:
            raise InputError(f"{learner} learns from captions, and the {len(texts)} given hold no words")
        return cls(texts, sentences)

    @property
    def words(self) -> int:
        """How many words there are, each as often as it is said."""
        return sum(map(len, self.sentences))


def gensim_for(purpose: str, module: str = "gensim.models") -> ModuleType:
    """gensim, or `MissingPackage`."""
    return require(module, purpose, TEXT)


def known_words(model: Any, captions: Captions, min_count: int | None) -> list[str]:  # noqa: ANN401
    """The vocabulary of a gensim model that has seen the captions, most frequent first."""
    words = list(model.wv.index_to_key)
    if not words:
        raise InputError(
            f"no word of the {len(captions.texts)} captions is seen {min_count} times: set a lower min_count"
        )
    return words


def epoch_counter(step: Step) -> Any:  # noqa: ANN401  (gensim's own type, not imported at the top)
    """A callback of gensim's that advances `step` after each epoch."""
    from gensim.models.callbacks import CallbackAny2Vec

    class EpochCounter(CallbackAny2Vec):  # type: ignore[misc]
        def on_epoch_end(self, model: object) -> None:
            step.advance()

    return EpochCounter()
