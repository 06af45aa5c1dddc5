"""From a torch sentence encoder to the folder an album carries (`cartolina.onnx_export`)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cartolina import durable
from cartolina.errors import TRAIN, InputError, require
from cartolina.onnx_export import export
from cartolina.text.contract import FORMAT, write_card
from cartolina.text.onnx_transformer import OnnxTransformer

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["export_onnx"]


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
    weighted: bool = False,
) -> OnnxTransformer:
    """Export `module` into `folder` and open it there; raises if ONNX Runtime does not agree with torch.

    `module.forward(input_ids, attention_mask)`, both (N, T) int64, gives (N, dim) float32; a sentence's
    vector must not depend on the others of its batch. With `weighted` it takes a third argument, `weights`
    (N, T) float32, a factor of each token. The module is left on the CPU, float32, in eval mode.
    Agreement is checked on batches of 1 to 5 sentences, of up to each of `lengths` tokens (those above
    `max_tokens` are left out). Raises `MissingPackage` without torch or onnxscript.
    """
    torch = require("torch", "exporting a sentence encoder", TRAIN)
    folder.mkdir(parents=True, exist_ok=True)
    facts = _tokenizer_facts(tokenizer_json)
    module.cpu().float().eval()
    inputs = ["input_ids", "attention_mask", "weights"][: 3 if weighted else 2]
    either = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    example = _batch(3, 11, facts)[: len(inputs)]
    with torch.inference_mode():
        promised = module(*example).shape[1]
    if promised != dim:
        raise InputError(f"{dim} numbers a row were promised, and the module gives {promised}")
    export(
        module,
        example,
        folder / "text.onnx",
        inputs=inputs,
        output="vector",
        dynamic_shapes=(either,) * len(inputs),
        checks=[
            _batch(1 + number % 5, n, facts)[: len(inputs)]
            for number, n in enumerate(lengths)
            if n <= max_tokens
        ],
        external_data=True,
    )
    shutil.copyfile(tokenizer_json, folder / "tokenizer.json")
    durable.fsync_file(folder / "tokenizer.json")
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


def _batch(size: int, length: int, facts: _TokenizerFacts) -> tuple[Tensor, Tensor, Tensor]:
    """Ids, mask and weights (size, length) of random sentences, each a token shorter than the one before it.

    The weights are positive where the mask is 1, and a text's sum to 1.
    """
    import torch

    rng = np.random.default_rng(length)
    input_ids = rng.integers(0, facts.size, (size, length))
    ends = np.maximum(length - np.arange(size), 1)
    attention_mask = (np.arange(length) < ends[:, None]).astype(np.int64)
    padded = np.where(attention_mask == 1, input_ids, facts.padding_id)
    weights = rng.uniform(0.1, 1, (size, length)) * attention_mask
    weights = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return torch.from_numpy(padded), torch.from_numpy(attention_mask), torch.from_numpy(weights)
