"""What every text model promises: texts in, vectors φ(x) out, and a folder that holds all of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from cartolina import durable
from cartolina.errors import InputError
from cartolina.progress import SILENT, Progress

__all__ = ["FORMAT", "Card", "TextModel", "read_card", "write_card"]

FORMAT = 1
"""The format of a saved folder; `load` refuses newer ones."""

Card = dict[str, Any]
"""What `text.json` holds: "format", "kind", "name", "dim", "language", and the kind's own settings."""


class TextModel(Protocol):
    """A model that turns texts into vectors.

    `name` is what `create` was asked for, `dim` the length of its vectors, `language` the language it knows,
    in words for people ("English", "the captions' own").
    """

    name: str
    dim: int
    language: str

    def fit(self, texts: Iterable[str], progress: Progress = SILENT) -> Self:
        """Learn what there is to learn from `texts`; a model learnt elsewhere may have nothing to do."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """φ of each text: (N, dim) float32, finite; a text's neighbours change nothing but the rounding.

        Sentence encoders give unit rows, others do not. A text of which no word is known is a row of zeros.
        """

    def unknown(self, text: str) -> list[str]:
        """The words of `text` that the model cannot read, once each, in order."""

    def nearest(self, word: str) -> str | None:
        """A word the model knows that is spelt much like `word`, or None."""

    def save(self, folder: Path) -> None:
        """Write everything needed into `folder` (made if missing), on disk when this returns."""

    @classmethod
    def load(cls, folder: Path) -> TextModel:
        """Open a folder that `save` wrote; needs only the core packages, whatever trained the model."""


def write_card(folder: Path, card: Card) -> None:
    """Write `text.json`, last of a folder's files: its presence says that the others are whole."""
    durable.write_bytes(folder / "text.json", json.dumps(card, indent=1, ensure_ascii=False).encode())


def read_card(folder: Path) -> Card:
    """Read `text.json`, or say why `folder` is not a text model of ours."""
    path = folder / "text.json"
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{folder} is not a saved text model: it has no text.json") from error
    except ValueError as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    if not isinstance(card, dict) or not isinstance(card.get("format"), int):
        raise InputError(f"{path} is not a text model's card: it says nothing of its format")
    if card["format"] > FORMAT:
        raise InputError(
            f"{folder} was written in format {card['format']}, and this cartolina reads up to {FORMAT}: "
            "upgrade cartolina"
        )
    return card
