from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from cartolina import text
from cartolina.errors import CartolinaError, InputError
from cartolina.text import export
from cartolina.text.contract import write_card
from cartolina.text.onnx_transformer import FILES, OnnxTransformer
from cartolina.text.transformer import (
    export_onnx,
    fingerprint,
    read_source,
    sentence_transformer,
    torch_model,
)

torch = pytest.importorskip("torch")


def naive(folder, sentence, max_tokens=12):
    """One sentence through torch alone, without padding: the mean of its tokens, made length 1."""
    from tokenizers import Tokenizer

    model, tokenizer_json = torch_model(folder)
    tokenizer = Tokenizer.from_file(str(tokenizer_json))
    tokenizer.no_padding()
    ids = tokenizer.encode(sentence).ids
    if len(ids) > max_tokens:
        ids = [*ids[: max_tokens - 1], ids[-1]]
    with torch.inference_mode():
        hidden = model(input_ids=torch.tensor([ids])).last_hidden_state[0].numpy()
    mean = hidden.mean(axis=0)
    return mean / np.linalg.norm(mean)


def test_agrees_with_torch_whatever_the_length_and_batch(tiny_bert, tiny_transformer):
    sentences = [
        "dog",
        "a dog by the sea",
        "",
        "sea sea sea beach dog .",
        "a long tale of one dog",
    ] * 15
    phi = tiny_transformer.embed(sentences)
    expected = np.stack([naive(tiny_bert, sentence) for sentence in sentences[:5]] * 15)
    np.testing.assert_allclose(phi, expected, atol=1e-5)
    assert np.abs(expected[0] - expected[1]).max() > 0.05  # the random model tells sentences apart


def test_a_long_text_is_cut_where_the_model_stops_reading(tiny_bert, tiny_transformer):
    phi = tiny_transformer.embed(["dog " * 500, "dog " * 10, "dog " * 9])
    np.testing.assert_array_equal(phi[0], phi[1])
    assert np.abs(phi[1] - phi[2]).max() > 1e-4


def test_what_has_no_token_is_unknown(tiny_transformer):
    assert tiny_transformer.unknown("Dog 猫 sea 🦖 猫!") == ["猫", "🦖"]
    assert tiny_transformer.nearest("dgo") is None


def test_a_second_build_exports_nothing(tiny_bert, tiny_transformer, tmp_path, monkeypatch):
    calls = []

    def export(module, tokenizer_json, folder, *, name, **settings):  # the real one takes seconds
        calls.append((name, settings))
        tiny_transformer.save(folder)
        write_card(folder, tiny_transformer.card | {"name": name})

    monkeypatch.setattr("cartolina.text.transformer.export_onnx", export)
    monkeypatch.setenv("CARTOLINA_CACHE", str(tmp_path))
    first = sentence_transformer(tiny_bert, "tiny", "letters")
    again = sentence_transformer(tiny_bert, "tiny", "letters")
    expected = {"dim": 16, "language": "letters", "max_tokens": 12, "weighted": False}
    assert calls == [("tiny", expected)]
    assert again.folder == first.folder
    np.testing.assert_array_equal(first.embed(["a dog"]), tiny_transformer.embed(["a dog"]))
    assert text.create(f"hf:{tiny_bert}").name == f"hf:{tiny_bert}"  # another name, another export
    assert len(calls) == 2
    (first.folder / "text.json").unlink()  # somebody tidied up in part
    sentence_transformer(tiny_bert, "tiny", "letters")
    assert len(calls) == 3
    assert [path.name for path in (tmp_path / "text").glob(".*")] == []  # nothing staged is left


def test_an_export_that_fails_leaves_nothing(tiny_bert, tmp_path, monkeypatch):
    def export(module, tokenizer_json, folder, **settings):
        folder.mkdir(parents=True)
        raise CartolinaError("diverges")

    monkeypatch.setattr("cartolina.text.transformer.export_onnx", export)
    monkeypatch.setenv("CARTOLINA_CACHE", str(tmp_path))
    with pytest.raises(CartolinaError, match="diverges"):
        sentence_transformer(tiny_bert, "tiny", "letters")
    assert list((tmp_path / "text").iterdir()) == []


def test_the_fingerprint_is_of_what_matters(tiny_bert, tmp_path):
    copy = shutil.copytree(tiny_bert, tmp_path / "copy")
    assert fingerprint(copy, "tiny") == fingerprint(tiny_bert, "tiny") != fingerprint(tiny_bert, "other")
    (copy / "README.md").write_text("words")
    assert fingerprint(copy, "tiny") == fingerprint(tiny_bert, "tiny")
    (copy / "sentence_bert_config.json").write_text('{"max_seq_length": 13}')
    assert fingerprint(copy, "tiny") != fingerprint(tiny_bert, "tiny")


class Averages(torch.nn.Module):
    """The average of the tokens' embeddings, then a head: what a fine-tuned tower looks like from outside."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.words = torch.nn.Embedding(100, 6)
        self.head = torch.nn.Sequential(torch.nn.Linear(6, dim), torch.nn.Dropout(0.5))
        self.drift = 0.0

    def forward(self, input_ids, attention_mask):
        weights = attention_mask.unsqueeze(-1).float()
        return self.head((self.words(input_ids) * weights).sum(1) / weights.sum(1)) + self.drift


def exported(module, tiny_bert, folder, **options):
    settings = {"name": "tower", "dim": 5, "language": "letters", "max_tokens": 30} | options
    return export_onnx(module, tiny_bert / "tokenizer.json", folder, **settings)


def test_any_tower_exports(tiny_bert, tmp_path):
    module = Averages(5).train()  # and in training: dropout must not be exported
    model = exported(module, tiny_bert, tmp_path / "tower")
    assert isinstance(text.load(tmp_path / "tower"), OnnxTransformer)
    ids = torch.tensor([model.tokenizer.encode("a dog").ids])
    expected = module(ids, torch.ones_like(ids)).detach().numpy()
    np.testing.assert_allclose(model.embed(["a dog"]), expected, atol=1e-6)


def test_a_diverging_export_is_refused(tiny_bert, tmp_path, monkeypatch):
    module = Averages(5)
    honest = torch.onnx.export

    def off_by_a_little(module, *args, **kwargs):
        program = honest(module, *args, **kwargs)
        module.drift = 3e-4
        return program

    monkeypatch.setattr(torch.onnx, "export", off_by_a_little)
    with pytest.raises(CartolinaError, match="differs from torch by"):
        exported(module, tiny_bert, tmp_path / "tower")
    with pytest.raises(InputError, match="not a saved text model"):
        text.load(tmp_path / "tower")


def test_a_wrong_dimension_is_refused(tiny_bert, tmp_path):
    with pytest.raises(CartolinaError, match="7 numbers a row were promised"):
        exported(Averages(5), tiny_bert, tmp_path / "tower", dim=7)


def test_batches_checked_are_padded_and_ragged(tiny_bert):
    facts = export._tokenizer_facts(tiny_bert / "tokenizer.json")
    assert (facts.padding_id, facts.unknown_token) == (0, "[UNK]")
    input_ids, attention_mask, weights = export._batch(3, 4, facts)
    assert attention_mask.tolist() == [[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 0, 0]]
    assert (input_ids[attention_mask == 0] == 0).all()
    assert (weights[attention_mask == 0] == 0).all()
    assert (weights[attention_mask == 1] > 0).all()
    np.testing.assert_allclose(weights.sum(1), 1, rtol=1e-6)
    assert input_ids.max() < facts.size


@pytest.mark.parametrize("file", FILES)
def test_a_folder_that_lacks_a_file(file, tiny_transformer, tmp_path):
    tiny_transformer.save(tmp_path)
    (tmp_path / file).unlink()
    with pytest.raises(InputError, match=f"lacks {file}"):
        text.load(tmp_path)


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_source_that_lacks_a_file(file, tiny_bert, tmp_path):
    copy = shutil.copytree(tiny_bert, tmp_path / "copy")
    (copy / file).unlink()
    with pytest.raises(InputError, match=f"no {file}, which .* writes"):
        text.create(f"hf:{copy}")


def test_a_source_that_pools_otherwise(tiny_bert, tmp_path):
    copy = shutil.copytree(tiny_bert, tmp_path / "copy")
    (copy / "2_Dense").mkdir()
    with pytest.raises(InputError, match="dense layer"):
        read_source(copy)
    (copy / "2_Dense").rmdir()
    (copy / "1_Pooling").mkdir()
    (copy / "1_Pooling" / "config.json").write_text('{"pooling_mode_mean_tokens": false}')
    with pytest.raises(InputError, match="does not pool by the mean"):
        read_source(copy)


def test_a_source_that_is_damaged(tiny_bert, tmp_path):
    copy = shutil.copytree(tiny_bert, tmp_path / "copy")
    (copy / "sentence_bert_config.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        read_source(copy)
    (copy / "sentence_bert_config.json").unlink()
    (copy / "config.json").write_text('{"model_type": "no such thing"}')
    with pytest.raises(InputError, match="transformers cannot read"):
        torch_model(copy)


def test_how_long_a_text_may_be(tiny_bert, tmp_path):
    assert read_source(tiny_bert).max_tokens == 12
    copy = shutil.copytree(tiny_bert, tmp_path / "copy")
    (copy / "sentence_bert_config.json").unlink()
    assert read_source(copy).max_tokens == 40  # the positions it has
    (copy / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 24}))
    assert read_source(copy).max_tokens == 24
    (copy / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 1e30}))
    assert read_source(copy).max_tokens == 40
