"""A transformer's token vectors pooled like word vectors: by mean, sum or tf-idf (Metric learning, seed 004).

Its folder is that of `onnx_transformer`, with a third input of the graph, "weights" (N, T) float32: the
vector is the tokens' last hidden states, each times its weight. The tokens are word pieces in their
context; those that the tokeniser puts around a text ([CLS], [SEP]) weigh nothing. tf-idf counts pieces,
over the captions `fit` saw (idf.npy), and the weights of a text's pieces have length 1, as those of its
words have in `pooling`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from cartolina.errors import InputError, UnknownName
from cartolina.progress import SILENT, Progress
from cartolina.text.contract import read_card, write_card
from cartolina.text.files import read_array, readable, write_array
from cartolina.text.onnx_transformer import OnnxTransformer
from cartolina.text.pooling import POOLINGS, Pooling, inverse_document_frequency, weigh

if TYPE_CHECKING:
    from tokenizers import Encoding

__all__ = ["OnnxTokens"]

READ_AT_A_TIME = 4096


class OnnxTokens(OnnxTransformer):
    """A text model made of an exported transformer's tokens (see `contract.TextModel`)."""

    kind = "tokens"

    def __init__(
        self,
        folder: Path,
        *,
        pooling: Pooling,
        name: str | None = None,
        idf: NDArray[np.float32] | None = None,
    ) -> None:
        super().__init__(folder)
        if pooling not in POOLINGS:
            raise UnknownName("pooling", pooling, POOLINGS)
        self.pooling: Pooling = pooling
        self.name = name or self.name
        self.idf = idf

    def fit(self, texts: Iterable[str], progress: Progress = SILENT) -> Self:
        """Learn from `texts` how telling each word piece is (tf-idf); the transformer stays."""
        if self.pooling != "tf-idf":
            return self
        texts = list(texts)
        documents = []
        with progress.task("word pieces", len(texts), "texts") as step:
            for start in range(0, len(texts), READ_AT_A_TIME):
                encodings = self.tokenizer.encode_batch(texts[start : start + READ_AT_A_TIME])
                documents += [_pieces(encoding)[0] for encoding in encodings]
                step.advance(len(encodings))
        self.idf = inverse_document_frequency(documents, self.tokenizer.get_vocab_size())
        return self

    def save(self, folder: Path) -> None:
        """Copy the model into `folder`, with idf.npy once fitted."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.idf is not None:
            write_array(folder / "idf.npy", self.idf)
        super().save(folder)
        write_card(
            folder,
            self.card
            | {
                "kind": self.kind,
                "name": self.name,
                "pooling": self.pooling,
                "fitted": self.idf is not None,
            },
        )

    @classmethod
    def load(cls, folder: Path) -> OnnxTokens:
        """Open a folder that `save` wrote."""
        card = read_card(folder)
        with readable(folder, "the weights of the word pieces"):
            idf = np.array(read_array(folder / "idf.npy")) if card["fitted"] else None
            return cls(folder, pooling=card["pooling"], idf=idf)

    def _more_inputs(self, encodings: list[Encoding], longest: int) -> dict[str, NDArray[Any]]:
        weights = np.zeros((len(encodings), longest), np.float32)  # (N, T)
        for row, encoding in enumerate(encodings):
            ids, places = _pieces(encoding)
            if len(ids):
                weights[row, places] = self._weights_of(ids)
        return {"weights": weights}

    def _weights_of(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """The weight of each piece of a text, (n,): a piece said twice has its weight in two halves."""
        if self.idf is None and self.pooling == "tf-idf":
            raise InputError(
                f"tf-idf pooling weighs word pieces by the captions, and {self.name!r} has seen none: "
                "call fit(captions) first, or pool by 'mean'"
            )
        distinct, of_piece, counts = np.unique(ids, return_inverse=True, return_counts=True)
        idf = np.ones(len(distinct), np.float32) if self.idf is None else self.idf[distinct]
        weights = weigh(counts.astype(np.float32), idf, self.pooling) / counts
        spread: NDArray[np.float32] = weights[of_piece].astype(np.float32)
        return spread


def _pieces(encoding: Encoding) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The ids of a text's own tokens, and where they stand."""
    places = np.flatnonzero(np.array(encoding.special_tokens_mask) == 0)
    return np.array(encoding.ids, np.int64)[places], places
