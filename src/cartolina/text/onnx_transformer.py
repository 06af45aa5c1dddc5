"""A sentence encoder as an album carries it: ONNX Runtime, `tokenizers` and numpy, no torch.

Its folder: text.json; text.onnx (inputs "input_ids" and "attention_mask" (N, T) int64, output "vector"
(N, dim) float32) with its weights beside it in text.onnx.data, which are mapped rather than read, so that a
cold process is ready in half the time; tokenizer.json.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from cartolina import durable
from cartolina.errors import InputError
from cartolina.onnx_session import available_cores, open_session
from cartolina.progress import SILENT, Progress
from cartolina.text.contract import read_card, write_card

if TYPE_CHECKING:
    import onnxruntime
    from tokenizers import Encoding, Tokenizer

__all__ = ["FILES", "OnnxTransformer"]

FILES = ("text.onnx", "text.onnx.data", "tokenizer.json")
"""What lies beside text.json."""

BATCH = 32
"""Sentences encoded at a time on one core, of like length; more were no faster."""


class OnnxTransformer:
    """A text model made of an exported transformer (see `contract.TextModel`); its rows are as exported.

    Nothing but the card is read until a text has to be encoded.
    """

    def __init__(self, folder: Path) -> None:
        card = read_card(folder)
        missing = [file for file in FILES if not (folder / file).is_file()]
        if missing:
            raise InputError(f"the text model in {folder} lacks {', '.join(missing)}: build or copy it again")
        self.folder = folder
        self.card = card
        self.name: str = card["name"]
        self.dim: int = card["dim"]
        self.language: str = card["language"]

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokeniser, cutting texts at the model's longest input and padding nothing."""
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(self.card["max_tokens"])
        return tokenizer

    @cached_property
    def session(self) -> onnxruntime.InferenceSession:
        """The encoder, for one core: sentences are short, and one call on two cores took twice the time
        that a call on each takes (3.1 against 6.1 CPU-milliseconds a caption)."""
        return open_session(self.folder / "text.onnx", threads=1)

    def fit(self, texts: Iterable[str], progress: Progress = SILENT) -> Self:
        """Nothing to do: a sentence encoder comes trained."""
        return self

    def embed(self, texts: Sequence[str], progress: Progress = SILENT) -> NDArray[np.float32]:
        """The vector of each text: (N, dim) float32. A text longer than the model's longest input is cut."""
        vectors = np.empty((len(texts), self.dim), np.float32)
        encodings = self.tokenizer.encode_batch(list(texts))
        # Texts of like length go together: padding is work for nothing.
        order = sorted(range(len(texts)), key=lambda row: len(encodings[row].ids))
        batches = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]

        def encode(rows: list[int]) -> int:
            vectors[rows] = self._encode([encodings[row] for row in rows])
            return len(rows)

        with progress.task("texts", len(texts), "texts") as step:
            if len(batches) == 1:  # a query: no threads to start
                step.advance(encode(batches[0]))
                return vectors
            with ThreadPoolExecutor(available_cores()) as cores:
                for done in cores.map(encode, batches):
                    step.advance(done)
        return vectors

    def unknown(self, text: str) -> list[str]:
        """The pieces of `text` that the tokeniser has no token for, once each, in order; most have none."""
        token = self.card["unknown_token"]
        if token is None:
            return []
        encoding = self.tokenizer.encode(text)
        spans = zip(encoding.tokens, encoding.offsets, strict=True)
        return list(dict.fromkeys(text[start:end] for piece, (start, end) in spans if piece == token))

    def nearest(self, word: str) -> str | None:
        """Always None: it reads words in pieces, and has no list of them to suggest from."""
        return None

    def save(self, folder: Path) -> None:
        """Copy the model into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        for file in FILES:
            shutil.copyfile(self.folder / file, folder / file)
            durable.fsync_file(folder / file)
        write_card(folder, self.card)

    @classmethod
    def load(cls, folder: Path) -> OnnxTransformer:
        """Open a folder that `save` or `transformer.export_onnx` wrote."""
        return cls(folder)

    def _encode(self, encodings: list[Encoding]) -> NDArray[np.float32]:
        """One batch (N texts of at most T tokens): (N, dim) float32."""
        longest = max(len(encoding.ids) for encoding in encodings)
        input_ids = np.full((len(encodings), longest), self.card["padding_id"], np.int64)  # (N, T)
        attention_mask = np.zeros_like(input_ids)  # (N, T)
        for row, encoding in enumerate(encodings):
            input_ids[row, : len(encoding.ids)] = encoding.ids
            attention_mask[row, : len(encoding.ids)] = 1
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask}
        inputs |= self._more_inputs(encodings, longest)
        vectors: NDArray[np.float32] = self.session.run(["vector"], inputs)[0]
        return vectors

    def _more_inputs(self, encodings: list[Encoding], longest: int) -> dict[str, NDArray[Any]]:
        """What the graph takes besides, for N texts of at most `longest` tokens."""
        return {}
