"""Token vectors pooled by mean, sum and tf-idf, against torch and a loop."""

from __future__ import annotations

import numpy as np
import pytest
from tokenizers import Tokenizer

from cartolina import text
from cartolina.errors import InputError, UnknownName
from cartolina.text.onnx_tokens import OnnxTokens
from cartolina.text.transformer import torch_model

torch = pytest.importorskip("torch")

CAPTIONS = ["dog sea", "dog beach", "dog dog!", "sea"]
SAID = ["dog sea dog", "a beach", "sea !", "zq dog"]


def naive(folder, sentence: str, how: str, documents: list[str]) -> np.ndarray:
    """One sentence through torch alone, and its tokens' vectors one by one, without [CLS] and [SEP]."""
    model, tokenizer_json = torch_model(folder)
    tokenizer = Tokenizer.from_file(str(tokenizer_json))
    tokenizer.no_padding()
    tokens = tokenizer.encode(sentence).tokens
    with torch.inference_mode():
        hidden = model(input_ids=torch.tensor([tokenizer.encode(sentence).ids])).last_hidden_state[0].numpy()
    own = [
        (token, vector)
        for token, vector in zip(tokens, hidden, strict=True)
        if token not in ("[CLS]", "[SEP]")
    ]
    if how == "mean":
        return sum(vector for _, vector in own) / len(own)
    if how == "sum":
        return sum(vector for _, vector in own)
    pieces = [set(tokenizer.encode(one).tokens) for one in documents]
    idf = {token: np.log2(len(documents) / max(1, sum(token in one for one in pieces))) for token, _ in own}
    length = np.sqrt(sum((tokens.count(token) * idf[token]) ** 2 for token in set(tokens) & set(idf)))
    return sum(idf[token] / length * vector for token, vector in own)


@pytest.mark.parametrize("how", ["mean", "sum", "tf-idf"])
def test_agrees_with_torch(how, tiny_bert, tiny_tokens):
    model = OnnxTokens(tiny_tokens.folder, pooling=how).fit(CAPTIONS)
    expected = [naive(tiny_bert, sentence, how, CAPTIONS) for sentence in SAID]
    np.testing.assert_allclose(model.embed(SAID), expected, atol=1e-5)


def test_one_export_serves_every_pooling(tiny_bert, tmp_path, monkeypatch, tiny_tokens):
    calls = []

    def export(module, tokenizer_json, folder, *, weighted, **settings):  # the real one takes seconds
        calls.append(weighted)
        folder.mkdir(parents=True)
        for file in tiny_tokens.folder.iterdir():
            (folder / file.name).write_bytes(file.read_bytes())

    monkeypatch.setattr("cartolina.text.transformer.export_onnx", export)
    monkeypatch.setenv("CARTOLINA_CACHE", str(tmp_path))
    made = {how: text.create(f"hf:{tiny_bert}:pooling={how}") for how in ("mean", "sum", "tf-idf")}
    assert calls == [True]
    assert {how: model.pooling for how, model in made.items()} == {how: how for how in made}
    assert made["sum"].name == f"hf:{tiny_bert}:pooling=sum"
    phi = made["mean"].embed(["dog sea"])
    np.testing.assert_allclose(made["sum"].embed(["dog sea"]), 2 * phi, atol=1e-5)


def test_tf_idf_needs_captions_first(tiny_tokens, tmp_path):
    model = OnnxTokens(tiny_tokens.folder, pooling="tf-idf")
    with pytest.raises(InputError, match=r"call fit\(captions\)"):
        model.embed(["dog"])
    model.save(tmp_path)
    assert text.load(tmp_path).idf is None
    with pytest.raises(UnknownName, match="did you mean 'mean'"):
        OnnxTokens(tiny_tokens.folder, pooling="meen")


def test_the_tokens_around_a_text_weigh_nothing(tiny_tokens):
    assert not tiny_tokens.embed([""]).any()
