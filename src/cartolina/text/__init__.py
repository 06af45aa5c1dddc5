"""Words to vectors: every text model under one contract (`contract.TextModel`).

>>> model = create("word2vec", pooling="tf-idf")
>>> model.name, model.dim
('word2vec', 400)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cartolina.errors import UnknownName
from cartolina.progress import SILENT, Progress
from cartolina.text.contract import TextModel, read_card
from cartolina.text.names import Asked, asked_for
from cartolina.text.pooling import POOLINGS, Pooling

__all__ = [
    "MODELS",
    "POOLINGS",
    "Asked",
    "Pooling",
    "TextModel",
    "create",
    "embed_queries",
    "language",
    "load",
]


def create(
    name: str, *, pooling: Pooling | None = None, seed: int = 0, workers: int = 1, progress: Progress = SILENT
) -> TextModel:
    """A text model by name, ready for `fit`.

    Learnt on the captions by `fit`, with `seed` and `workers` (1: the same vectors each time):

    - "word2vec", "fasttext", "glove": word vectors; "fasttext" reads words it never saw;
    - "doc2vec": vectors of texts; "lda": topics.

    Learnt by others:

    - "minilm": all-MiniLM-L6-v2, English sentences; "hf:/folder": a local sentence encoder of any language;
    - "glove-6b-50d": GloVe's English words; "words:/path": the words of a word2vec or GloVe file.

    Options follow a name (`names`): "word2vec:skip_gram=true", "lda:published", "minilm:pooling=tf-idf".
    `pooling` makes a text's vector out of its words' ("mean" unless given), or out of a transformer's tokens
    (the sentence's own vector unless given). Raises `UnknownName` for a name or an option, with the nearest
    known one, `InputError` for a path or a value that will not do, `MissingPackage` for what is not
    installed.
    """
    asked = asked_for(name, MODELS, pooling=pooling, seed=seed, workers=workers, progress=progress)
    return MODELS[asked.kind if asked.kind in MODELS else f"{asked.kind}:"](asked)


def load(folder: Path) -> TextModel:
    """Open a saved text model; needs only the core packages, whatever trained it."""
    from cartolina.text.doc2vec import Doc2Vec
    from cartolina.text.lda import Lda
    from cartolina.text.onnx_tokens import OnnxTokens
    from cartolina.text.onnx_transformer import OnnxTransformer
    from cartolina.text.subwords import Subwords
    from cartolina.text.word_vectors import WordVectors

    kinds: dict[str, type[TextModel]] = {
        "transformer": OnnxTransformer,
        "tokens": OnnxTokens,
        "words": WordVectors,
        "subwords": Subwords,
        "paragraphs": Doc2Vec,
        "topics": Lda,
    }
    kind = read_card(folder).get("kind")
    if kind not in kinds:
        raise UnknownName(f"kind of text model in {folder / 'text.json'}:", str(kind), kinds)
    return kinds[kind].load(folder)


def embed_queries(model: TextModel, texts: Sequence[str]) -> NDArray[np.float32]:
    """φ of each query: (N, dim) float32. As `embed`, but for LDA, where a query is the mean of its words."""
    from cartolina.text.lda import Lda

    return model.embed_queries(texts) if isinstance(model, Lda) else model.embed(texts)


def language(model: TextModel) -> str:
    """The language a model knows, in words for people: "English", "the captions' own"."""
    return model.language


def _minilm(asked: Asked) -> TextModel:
    from cartolina.text import transformer

    return _transformer(asked, transformer.minilm_source(), "minilm", "English")


def _hf(asked: Asked) -> TextModel:
    return _transformer(asked, asked.path, f"hf:{asked.path}", "its model's own")


def _transformer(asked: Asked, folder: Path, name: str, language: str) -> TextModel:
    from cartolina.text import transformer

    asked.nothing_to_learn()
    if asked.pooling is None:
        return transformer.sentence_transformer(folder, name, language, asked.progress)
    pooled = transformer.token_transformer(folder, name, language, asked.pooling, asked.progress)
    pooled.name = f"{name}:pooling={asked.pooling}"
    return pooled


def _word2vec(asked: Asked) -> TextModel:
    from cartolina.text.word2vec import Word2Vec, Word2VecSettings

    return Word2Vec(asked.settings(Word2VecSettings), pooling=asked.pooling or "mean", name=asked.name)


def _fasttext(asked: Asked) -> TextModel:
    from cartolina.text.fasttext import FastText, FastTextSettings

    return FastText(asked.settings(FastTextSettings), pooling=asked.pooling or "mean", name=asked.name)


def _glove(asked: Asked) -> TextModel:
    from cartolina.text.glove import GloVe, GloVeSettings

    return GloVe(asked.settings(GloVeSettings), pooling=asked.pooling or "mean", name=asked.name)


def _doc2vec(asked: Asked) -> TextModel:
    from cartolina.text.doc2vec import Doc2Vec, Doc2VecSettings

    asked.pools_itself()
    return Doc2Vec(asked.settings(Doc2VecSettings), name=asked.name)


def _lda(asked: Asked) -> TextModel:
    from cartolina.text.lda import Lda, LdaSettings

    asked.pools_itself()
    return Lda(asked.settings(LdaSettings), name=asked.name)


def _glove_6b(asked: Asked) -> TextModel:
    from cartolina.text.pretrained import glove_6b_50d

    asked.nothing_to_learn()
    return _called(glove_6b_50d(asked.pooling or "mean"), asked)


def _words(asked: Asked) -> TextModel:
    from cartolina.text.pretrained import read_words

    asked.nothing_to_learn()
    return _called(read_words(asked.path, asked.pooling or "mean", asked.progress), asked)


def _called(model: TextModel, asked: Asked) -> TextModel:
    """A model that comes learnt, with the pooling in its name where the name asked for it."""
    if ":pooling=" in asked.name:
        model.name = f"{model.name}:pooling={asked.pooling}"
    return model


MODELS: dict[str, Callable[[Asked], TextModel]] = {
    "minilm": _minilm,
    "word2vec": _word2vec,
    "fasttext": _fasttext,
    "glove": _glove,
    "doc2vec": _doc2vec,
    "lda": _lda,
    "glove-6b-50d": _glove_6b,
    "words:": _words,
    "hf:": _hf,
}
"""Every text model by name; a name that ends in ":" takes a path."""
