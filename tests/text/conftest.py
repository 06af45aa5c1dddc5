"""Small text models made on the spot: word files in each format, and a random BERT of one layer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cartolina.text.onnx_tokens import OnnxTokens
from cartolina.text.onnx_transformer import OnnxTransformer
from cartolina.text.transformer import sentence_transformer, token_transformer
from cartolina.torch_libraries import import_transformers

WORDS = ["sea", "sand", "dog", "beach", "child", "running", "Über", "don't", "猫"]


@pytest.fixture(scope="session")
def vectors() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(len(WORDS), 6)).astype(np.float32)


@pytest.fixture
def word_file(tmp_path: Path, vectors: np.ndarray) -> Callable[[str], Path]:
    """Write WORDS and `vectors` in the format asked for, as the formats' own tools do."""

    def write(form: str) -> Path:
        path = tmp_path / f"words.{form}"
        header = f"{len(WORDS)} 6\n".encode()
        pairs = list(zip(WORDS, vectors, strict=True))
        lines = b"".join(f"{word} {' '.join(map(repr, row.tolist()))}\n".encode() for word, row in pairs)
        binary = b"".join(word.encode() + b" " + row.tobytes() + b"\n" for word, row in pairs)
        gensim_binary = b"".join(word.encode() + b" " + row.tobytes() for word, row in pairs)
        contents = {
            "text": header + lines,
            "glove": lines,
            "binary": header + binary,
            "gensim-binary": header + gensim_binary,
        }
        path.write_bytes(contents[form])
        return path

    return write


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as sentence-transformers saves it: a BERT of 16 dimensions, 12 tokens at most."""
    torch = pytest.importorskip("torch")
    transformers = import_transformers("this test")
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    folder = tmp_path_factory.mktemp("tiny-bert")
    letters = [prefix + chr(code) for code in range(ord("a"), ord("z") + 1) for prefix in ("", "##")]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, "dog", "sea", "beach", ".", "!"]
    ids = {token: id_ for id_, token in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.enable_padding(length=9)  # as MiniLM's own file does, and as ours must not
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=40,
        initializer_range=0.5,
    )
    transformers.BertModel(config).save_pretrained(folder)
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 12}')
    return folder


@pytest.fixture(scope="session")
def tiny_transformer(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> OnnxTransformer:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARTOLINA_CACHE", str(tmp_path_factory.mktemp("cache")))
        return sentence_transformer(tiny_bert, "hf:tiny", "letters")


@pytest.fixture(scope="session")
def tiny_tokens(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> OnnxTokens:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARTOLINA_CACHE", str(tmp_path_factory.mktemp("cache")))
        return token_transformer(tiny_bert, "hf:tiny", "letters", "mean")
