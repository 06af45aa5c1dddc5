"""Several text models learnt on one corpus, side by side: how long, how much, and how well they group
captions.

The measure needs no labels: where a photo has several captions, how often is a caption's nearest other one
of the same photo (cosine of φ; a tie with another photo's counts against the model)? Chance is said beside
it. The models learn from the very captions they are asked about, but never that two of them are of one
photo.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cartolina.errors import InputError
from cartolina.progress import SILENT, Progress
from cartolina.text import create
from cartolina.text.contract import TextModel
from cartolina.text.neighbours import Neighbours, vocabulary_of
from cartolina.text.sources import Texts

__all__ = ["Comparison", "Row", "compare", "same_photo"]

PHOTOS = 1_000
"""Photos whose captions are compared, of those that have several: all with all."""

VOCABULARY = 5_000
"""The commonest words of the corpus, among which every model's neighbours are looked for."""

RANKS = (0, 10, 100)
"""Of the words whose neighbours are told where nobody names any."""

AT_A_TIME = 512


@dataclass(frozen=True, slots=True)
class Row:
    """One model.

    `words` is None where it reads pieces of words, `same_photo` (per cent) where no photo has two captions;
    `neighbours` has the nearest words of each word asked for, none for an unknown one.
    """

    name: str
    dim: int
    words: int | None
    fit_seconds: float
    texts_per_second: float
    same_photo: float | None
    neighbours: dict[str, list[tuple[str, float]]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """All models on one corpus of `texts`; `judged` captions of `photos` photos, `chance` in per cent."""

    texts: int
    photos: int
    judged: int
    chance: float | None
    rows: tuple[Row, ...]

    def to_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def compare(
    corpus: Texts,
    names: Sequence[str],
    *,
    words: Sequence[str] = (),
    k: int = 5,
    seed: int = 0,
    workers: int = 1,
    into: Path | None = None,
    progress: Progress = SILENT,
) -> Comparison:
    """Learn each of `names` (`cartolina.text.create`) on the corpus and measure it; `into` keeps the models.

    `words` are those whose neighbours are told; some of the corpus's own unless given. Which photos are
    judged is drawn by `seed`.
    """
    if len(set(names)) < len(names):
        raise InputError(f"a model is named twice in {', '.join(names)}")
    # All at once: a name that is wrong is found before the first has learnt for an hour.
    models = [create(name, seed=seed, workers=workers, progress=progress) for name in names]
    among = corpus.common_words()[:VOCABULARY]
    chosen = judged_texts(corpus.owner, seed)
    owner = corpus.owner[chosen]
    asked = list(words) or [among[rank] for rank in RANKS if rank < len(among)]
    rows = []
    for model in models:
        begun = time.perf_counter()
        model.fit(corpus.texts, progress)
        fitted = time.perf_counter()
        texts = [corpus.texts[row] for row in chosen] or corpus.texts[:PHOTOS]
        phi = np.concatenate(list(_embedded(model, texts, progress)))
        embedded = time.perf_counter()
        if into is not None:
            model.save(into / _folder(model.name))
        rows.append(
            Row(
                model.name, model.dim, None if (known := vocabulary_of(model)) is None else len(known),
                fitted - begun, len(texts) / (embedded - fitted),
                100 * same_photo(phi, owner) if len(owner) else None,
                _neighbours(model, among, asked, k),
            )
        )  # fmt: skip
    return Comparison(len(corpus.texts), len(np.unique(owner)), len(owner), _chance(owner), tuple(rows))


def judged_texts(owner: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """The rows, ascending, of the texts of at most `PHOTOS` photos, drawn from those with several."""
    photos, counts = np.unique(owner, return_counts=True)
    several = photos[counts > 1]
    if len(several) > PHOTOS:
        several = np.random.default_rng(seed).choice(several, PHOTOS, replace=False)
    return np.flatnonzero(np.isin(owner, several))


def same_photo(phi: NDArray[np.float32], owner: NDArray[np.int64]) -> float:
    """The share of texts whose nearest other one has the same owner; `phi` (N, D), `owner` (N,)."""
    lengths = np.linalg.norm(phi, axis=1, keepdims=True)
    unit = phi / np.where(lengths > 0, lengths, 1)
    hits = 0
    for start in range(0, len(unit), AT_A_TIME):
        rows = np.arange(start, min(start + AT_A_TIME, len(unit)))
        cosines = unit[rows] @ unit.T  # (B, N)
        cosines[np.arange(len(rows)), rows] = -np.inf  # a text is no answer to itself
        same = owner[rows][:, None] == owner
        of_same = np.where(same, cosines, -np.inf).max(axis=1)
        of_others = np.where(same, -np.inf, cosines).max(axis=1)
        # Equal texts come out of a matrix product a rounding apart: that is a tie, too.
        hits += int((of_same > of_others + 1e-6).sum())
    return hits / len(unit)


def _chance(owner: NDArray[np.int64]) -> float | None:
    """The same in per cent for an answer drawn blindly."""
    if len(owner) < 2:
        return None
    _, counts = np.unique(owner, return_counts=True)
    return float(100 * (counts * (counts - 1)).sum() / (len(owner) * (len(owner) - 1)))


def _embedded(model: TextModel, texts: Sequence[str], progress: Progress) -> Iterator[NDArray[np.float32]]:
    with progress.task(f"embedding by {model.name}", len(texts), "texts") as step:
        for start in range(0, len(texts), AT_A_TIME):
            some = texts[start : start + AT_A_TIME]
            yield model.embed(some)
            step.advance(len(some))


def _neighbours(
    model: TextModel, among: Sequence[str], asked: Sequence[str], k: int
) -> dict[str, list[tuple[str, float]]]:
    vocabulary = Neighbours.of(model, among)
    vectors = model.embed(list(asked))
    return {
        word: vocabulary.nearest(vector, k, {word.lower()})
        for word, vector in zip(asked, vectors, strict=True)
    }


def _folder(name: str) -> str:
    """A model's name as that of one folder."""
    return "".join(c if c.isalnum() or c in "-_=." else "_" for c in name)
