"""Which text models an experiment compares: "word2vec,glove,minilm" becomes one row a setting and pooling.

A bare name of a model that is learnt here stands for each of the settings asked for: `word2vec:published` has
exactly the papers' numbers, `word2vec:scaled` numbers fit for thousands of captions. A name with options
("lda:topics=200") stands for itself. Models somebody learnt elsewhere have no settings of ours, and are never
ranked with those that saw only these captions.

>>> [row.label for row in model_rows(["word2vec", "minilm"], settings=("published", "scaled"))]
['word2vec:published', 'word2vec:scaled', 'minilm']
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from cartolina.errors import InputError, UnknownName
from cartolina.text import POOLINGS, Pooling

if TYPE_CHECKING:
    from cartolina.learn.regression import Target

__all__ = ["PRETRAINED", "SETTINGS", "ModelRow", "model_rows"]

PRETRAINED = ("minilm", "hf", "glove-6b-50d", "words")
"""Models that were learnt elsewhere, on far more than the captions at hand."""

SETTINGS = ("published", "scaled")

UNPOOLED = ("doc2vec", "lda")
"""Models that make a text's vector themselves, and in one way only."""


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One row: a model's `name` as `text.create` takes it, its `pooling`, and its regression's `target`."""

    name: str
    pooling: Pooling | None
    target: Target

    @property
    def family(self) -> str:
        """The name without options: "word2vec"."""
        return self.name.partition(":")[0]

    @property
    def pretrained(self) -> bool:
        """Whether it was learnt elsewhere."""
        return self.family in PRETRAINED

    @property
    def label(self) -> str:
        """What the row is called: "word2vec:scaled tf-idf"."""
        return self.name if self.pooling is None else f"{self.name} {self.pooling}"

    def to_json(self) -> dict[str, Any]:
        """Its parts, for a cell's key."""
        return {"name": self.name, "pooling": self.pooling, "target": self.target}


def model_rows(
    names: Sequence[str],
    *,
    settings: Sequence[str] = SETTINGS,
    poolings: Sequence[str] = (),
    target: str | None = None,
) -> list[ModelRow]:
    """The rows of `names`, in order.

    `poolings` (none: each model's own) make a row each of the models that pool words or tokens. `target`
    (None: "itself" for LDA, whose φ is a distribution, and "sigmoid" for the others) holds for all rows.
    Raises `UnknownName` for a family, a setting, an option or a pooling that is none, before anything is
    learnt.
    """
    from cartolina.learn.regression import TARGETS
    from cartolina.text import create

    _check("setting", settings, SETTINGS)
    _check("pooling", poolings, POOLINGS)
    _check("regression target", [] if target is None else [target], TARGETS)
    if not names:
        raise InputError("no text model was named: --models word2vec,minilm")
    rows: dict[ModelRow, None] = {}
    for name in names:
        family = name.partition(":")[0]
        _check("text model", [family], _families())
        is_pooled = family not in UNPOOLED and "pooling=" not in name
        bare = name == family and family not in PRETRAINED and bool(settings)
        own = cast("Target", target or ("itself" if family == "lda" else "sigmoid"))
        for full in [f"{name}:{setting}" for setting in settings] if bare else [name]:
            for pooling in (poolings or (None,)) if is_pooled else (None,):
                rows[ModelRow(full, cast("Pooling | None", pooling), own)] = None
    for row in rows:
        if not row.pretrained:  # nothing is read for those learnt here
            create(row.name, pooling=row.pooling)
    return list(rows)


def _families() -> list[str]:
    from cartolina.text import MODELS

    return [name.rstrip(":") for name in MODELS]


def _check(kind: str, given: Sequence[str], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            raise UnknownName(kind, name, known)
