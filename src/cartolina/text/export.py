"""From a torch module to the folder an album carries, checked before it is believed.

The dynamo exporter with dynamic shapes: what the traced one makes silently diverges (by .28 for MiniLM) on
sentences of another length than the example's.
"""

from __future__ import annotations

import json
import logging
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cartolina import durable
from cartolina.errors import CartolinaError, require
from cartolina.onnx_session import open_session
from cartolina.text.contract import FORMAT, write_card
from cartolina.text.onnx_transformer import FILES, OnnxTransformer

if TYPE_CHECKING:
    from torch import nn

__all__ = ["TRAIN", "export_onnx"]

TOLERANCE = 1e-4
"""How far a number of ONNX Runtime's may be from torch's, for rows of length 1."""

TRAIN = "pip install 'cartolina[train]'"

Tokens = NDArray[np.int64]


def export_onnx(
    module: nn.Module,
    tokenizer_json: Path,
    folder: Path,
    *,
    name: str,
    dim: int,
    language: str,
    max_tokens: int,
    lengths: Sequence[int] = (2, 5, 11, 24, 61),
) -> OnnxTransformer:
    """Export `module` into `folder` and open it there; raises if ONNX Runtime does not agree with torch.

    `module.forward(input_ids, attention_mask)`, both (N, T) int64, gives (N, dim) float32; a sentence's
    vector must not depend on the others of its batch. The module is left on the CPU, float32, in eval mode.
    Agreement is checked on batches of 1 to 5 sentences, of up to each of `lengths` tokens (those above
    `max_tokens` are left out). Raises `MissingPackage` without torch or onnxscript.
    """
    torch = require("torch", "exporting a sentence encoder", TRAIN)
    require("onnxscript", "exporting a sentence encoder", TRAIN)
    folder.mkdir(parents=True, exist_ok=True)
    facts = _tokenizer_facts(tokenizer_json)
    module.cpu().float().eval()
    either = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    with torch.no_grad(), _quiet():
        program = torch.onnx.export(
            module,
            tuple(map(torch.from_numpy, _batch(3, 11, facts))),
            input_names=["input_ids", "attention_mask"],
            output_names=["vector"],
            dynamic_shapes=(either, either),
            dynamo=True,
            verbose=False,
        )
    program.save(folder / "text.onnx", external_data=True)
    shutil.copyfile(tokenizer_json, folder / "tokenizer.json")
    for file in FILES:
        durable.fsync_file(folder / file)
    _check_agreement(module, folder / "text.onnx", [n for n in lengths if n <= max_tokens], dim, facts)
    write_card(
        folder,
        {
            "format": FORMAT,
            "kind": "transformer",
            "name": name,
            "dim": dim,
            "language": language,
            "max_tokens": max_tokens,
            "padding_id": facts.padding_id,
            "unknown_token": facts.unknown_token,
        },
    )
    return OnnxTransformer(folder)


@dataclass(frozen=True, slots=True)
class _TokenizerFacts:
    size: int
    padding_id: int
    unknown_token: str | None


def _tokenizer_facts(tokenizer_json: Path) -> _TokenizerFacts:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tokenizer_json))
    padding_ids = (tokenizer.token_to_id(token) for token in ("[PAD]", "<pad>"))
    model = json.loads(tokenizer_json.read_text(encoding="utf-8"))["model"]
    unknown = model.get("unk_token")
    if unknown is None and model.get("unk_id") is not None:  # Unigram models name it by its number
        unknown = tokenizer.id_to_token(model["unk_id"])
    return _TokenizerFacts(
        tokenizer.get_vocab_size(), next((id_ for id_ in padding_ids if id_ is not None), 0), unknown
    )


def _check_agreement(
    module: nn.Module, path: Path, lengths: Sequence[int], dim: int, facts: _TokenizerFacts
) -> None:
    """Compare torch and ONNX Runtime on batches of several sizes, lengths and paddings."""
    import torch

    session = open_session(path)
    for number, length in enumerate(lengths):
        input_ids, attention_mask = _batch(1 + number % 5, length, facts)
        with torch.inference_mode():
            expected = module(torch.from_numpy(input_ids), torch.from_numpy(attention_mask)).numpy()
        found = session.run(["vector"], {"input_ids": input_ids, "attention_mask": attention_mask})[0]
        if found.shape != expected.shape or found.shape[1] != dim:
            raise CartolinaError(
                f"the export gives {found.shape} where torch gives {expected.shape} and {dim} numbers a row "
                "were promised"
            )
        apart = float(np.abs(found - expected).max())
        if not apart <= TOLERANCE * max(1.0, float(np.abs(expected).max())):
            raise CartolinaError(
                f"the export diverges from torch by {apart:.2g} on {len(input_ids)} sentences of {length} "
                f"tokens, and {TOLERANCE:g} is allowed: nothing can be searched with it. Try other versions "
                "of torch and onnxscript"
            )


def _batch(size: int, length: int, facts: _TokenizerFacts) -> tuple[Tokens, Tokens]:
    """Ids and mask (size, length) of random sentences, each a token shorter than the one before it."""
    rng = np.random.default_rng(length)
    input_ids = rng.integers(0, facts.size, (size, length))
    ends = np.maximum(length - np.arange(size), 1)
    attention_mask = (np.arange(length) < ends[:, None]).astype(np.int64)
    return np.where(attention_mask == 1, input_ids, facts.padding_id), attention_mask


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep torch's exporter from telling our users about torchvision and its own deprecations."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
