"""Words to vectors: every text model under one contract (`contract.TextModel`).

>>> model = create("word2vec", pooling="tf-idf")
>>> model.name, model.dim
('word2vec', 400)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cartolina.errors import InputError, UnknownName
from cartolina.progress import SILENT, Progress
from cartolina.text.contract import TextModel, read_card
from cartolina.text.pooling import POOLINGS, Pooling

__all__ = ["MODELS", "POOLINGS", "Pooling", "TextModel", "create", "language", "load"]


def create(
    name: str, *, pooling: Pooling | None = None, seed: int = 0, workers: int = 1, progress: Progress = SILENT
) -> TextModel:
    """A text model by name, ready for `fit`.

    - "minilm": all-MiniLM-L6-v2, English sentences;
    - "word2vec": learnt on the captions by `fit`, with `seed` and `workers` (1: the same vectors each time);
    - "glove": likewise;
    - "glove-6b-50d": GloVe's English words; "words:/path": the words of a word2vec or GloVe file;
    - "hf:/folder": a local sentence encoder of any language.

    `pooling` is for the models made of word vectors ("mean" unless given). Raises `UnknownName`, `InputError`
    for a path that will not do, `MissingPackage` for what is not installed.
    """
    kind, colon, path = name.partition(":")
    if kind + colon not in MODELS or (colon and not path):
        raise UnknownName("text model", name, [f"{m}/path" if m.endswith(":") else m for m in MODELS])
    if pooling is not None and pooling not in POOLINGS:
        raise UnknownName("pooling", pooling, POOLINGS)
    if pooling is not None and kind in ("minilm", "hf"):
        raise InputError(f"{name!r} makes a sentence's vector itself: leave out the pooling {pooling!r}")
    return MODELS[kind + colon](_Asked(Path(path).expanduser(), pooling or "mean", seed, workers, progress))


def load(folder: Path) -> TextModel:
    """Open a saved text model; needs only the core packages, whatever trained it."""
    from cartolina.text.onnx_transformer import OnnxTransformer
    from cartolina.text.word_vectors import WordVectors

    kinds: dict[str, type[TextModel]] = {"transformer": OnnxTransformer, "words": WordVectors}
    kind = read_card(folder).get("kind")
    if kind not in kinds:
        raise UnknownName(f"kind of text model in {folder / 'text.json'}:", str(kind), kinds)
    return kinds[kind].load(folder)


def language(model: TextModel) -> str:
    """The language a model knows, in words for people: "English", "the captions' own"."""
    return model.language


@dataclass(frozen=True, slots=True)
class _Asked:
    """What `create` was asked for; each model takes what concerns it."""

    path: Path
    pooling: Pooling
    seed: int
    workers: int
    progress: Progress


def _minilm(asked: _Asked) -> TextModel:
    from cartolina.text import transformer

    return transformer.sentence_transformer(transformer.minilm_source(), "minilm", "English", asked.progress)


def _hf(asked: _Asked) -> TextModel:
    from cartolina.text import transformer

    return transformer.sentence_transformer(asked.path, f"hf:{asked.path}", "its model's own", asked.progress)


def _word2vec(asked: _Asked) -> TextModel:
    from cartolina.text.word2vec import Word2Vec, Word2VecSettings

    return Word2Vec(Word2VecSettings(seed=asked.seed, workers=asked.workers), pooling=asked.pooling)


def _glove(asked: _Asked) -> TextModel:
    from cartolina.text.glove import GloVe, GloVeSettings

    return GloVe(GloVeSettings(seed=asked.seed, workers=asked.workers), pooling=asked.pooling)


def _glove_6b_50d(asked: _Asked) -> TextModel:
    from cartolina.text.pretrained import glove_6b_50d

    return glove_6b_50d(asked.pooling)


def _words(asked: _Asked) -> TextModel:
    from cartolina.text.pretrained import read_words

    return read_words(asked.path, asked.pooling, asked.progress)


MODELS: dict[str, Callable[[_Asked], TextModel]] = {
    "minilm": _minilm,
    "word2vec": _word2vec,
    "glove": _glove,
    "glove-6b-50d": _glove_6b_50d,
    "words:": _words,
    "hf:": _hf,
}
"""Every text model by name; a name that ends in ":" takes a path."""
