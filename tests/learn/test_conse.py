"""ConSE by hand, and a whole cold-start space written, opened with ONNX Runtime and searched."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from cartolina.errors import InputError
from cartolina.learn import conse
from cartolina.learn.conse import Conse, class_vectors, imagenet_sentences, write_conse_space
from cartolina.learn.space_files import About, write_space
from cartolina.onnx_session import open_session


def softmax(values):
    powers = np.exp(values - np.max(values))
    return powers / powers.sum()


def test_is_the_weighted_mean_of_the_best_classes_by_hand():
    rng = np.random.default_rng(0)
    weight, bias, vectors, features = (
        rng.normal(size=shape).astype(np.float32) for shape in ((7, 4), (7,), (7, 5), (3, 4))
    )
    with torch.no_grad():
        found = Conse(weight, bias, vectors, top=3, temperature=2.0)(torch.from_numpy(features)).numpy()
    for row, vector in zip(features, found, strict=True):
        p = softmax((weight @ row + bias) / 2)
        best = np.argsort(-p)[:3]
        expected = sum(p[c] * vectors[c] for c in best)
        np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=1e-5)


def test_with_all_classes_and_no_temperature_is_the_expectation():
    rng = np.random.default_rng(1)
    weight, vectors = (rng.normal(size=shape).astype(np.float32) for shape in ((4, 2), (4, 3)))
    with torch.no_grad():
        found = Conse(weight, np.zeros(4, np.float32), vectors, top=99, temperature=1.0)(torch.ones(1, 2))
    expected = softmax(weight.sum(1)) @ vectors
    np.testing.assert_allclose(found.numpy()[0], expected / np.linalg.norm(expected), atol=1e-5)


class Dictionary:
    """A text model of whole sentences: what it does not know is a row of zeros."""

    name, dim, language = "dictionary", 3, "English"

    def __init__(self, vectors):
        self.vectors = vectors

    def embed(self, texts):
        return np.array([self.vectors.get(text, (0, 0, 0)) for text in texts], np.float32)

    def save(self, folder):
        folder.mkdir()
        (folder / "text.json").write_text("{}")


def test_a_class_is_the_mean_of_its_sentences_less_the_mean_of_all():
    model = Dictionary({"cat": (2, 0, 0), "a cat": (0, 5, 0), "dog": (0, 0, 3), "a dog": (0, 0, 1)})
    found = class_vectors(model, [["cat", "a cat"], ["dog", "a dog"], ["yeti", "a yeti"]])
    cat, dog = np.array([0.5, 0.5, 0]), np.array([0, 0, 1.0])
    middle = (cat + dog) / 2
    np.testing.assert_allclose(found, [cat - middle, dog - middle, [0, 0, 0]], atol=1e-6)


def test_a_text_model_that_knows_no_class_is_an_error():
    with pytest.raises(InputError, match="'dictionary' knows no word"):
        class_vectors(Dictionary({}), [["cat"], ["dog"]])


def test_every_class_of_imagenet_is_described():
    names = tuple(f"name{number}" for number in range(1000))
    sentences = imagenet_sentences(names)
    assert len(sentences) == 1000
    assert all(len(of_class) == 2 for of_class in sentences)
    assert sentences[207][0].startswith("name207: ")
    assert "retriever" in sentences[207][0]
    assert sentences[207][1] == "a photo of a name207"
    assert sentences[134][0] == "name134"  # the package has no description of this one
    assert not any("available" in sentence or "None" in sentence for pair in sentences for sentence in pair)


class Eye:
    """A backbone that is saved by name alone."""

    name, shape = "efficientnet-lite0@64", (2,)

    def save(self, folder):
        folder.mkdir(parents=True)
        (folder / "backbone.json").write_text("{}")


def test_writes_a_space_that_finds_pictures_before_anything_was_learnt(tmp_path, monkeypatch):
    names = ("cat", "dog", "boat")
    weight, bias = np.array([[9, 0], [0, 9], [-9, -9]], np.float32), np.zeros(3, np.float32)
    asked = []
    monkeypatch.setattr(conse, "classifier", lambda name: asked.append(name) or (weight, bias, names))
    monkeypatch.setattr(conse, "imagenet_sentences", lambda names: [[name] for name in names])
    words = Dictionary({"cat": (1, 0, 0), "dog": (0, 1, 0), "boat": (0, 0, 1)})
    write_conse_space(tmp_path / "space", Eye(), words, why="nobody wrote a caption")
    assert asked == ["efficientnet-lite0"]
    files = {
        p.relative_to(tmp_path / "space").as_posix() for p in (tmp_path / "space").rglob("*") if p.is_file()
    }
    assert files == {"space.json", "image.onnx", "text/text.json", "backbones/0/backbone.json"}
    card = json.loads((tmp_path / "space" / "space.json").read_text())
    created = card.pop("created")
    assert created.endswith("+00:00")
    assert card == {
        "format": 1,
        "dim": 3,
        "views": ["plain"],
        "text_head": False,
        "how": "conse",
        "why": "nobody wrote a caption",
        "language": "English",
        "learned_from": {"posts": 0, "captions": 0},
        "quality": None,
        "text_model": "dictionary",
        "backbones": ["efficientnet-lite0@64"],
        "validation": None,
    }
    session = open_session(tmp_path / "space" / "image.onnx")
    features = np.array([[1, 0], [0, 1], [-1, -1], [0.1, 0.3]], np.float32)
    (vectors,) = session.run(["vector"], {"features_0": features})
    assert (vectors @ words.embed(names).T).argmax(1).tolist() == [0, 1, 2, 1]
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_space_of_two_backbones_and_a_text_head(tmp_path):
    class Mean(nn.Module):
        def forward(self, one, two):
            return nn.functional.normalize(one + two, dim=1)

    class Flip(nn.Module):
        def forward(self, phi):
            return nn.functional.normalize(phi[:, :2].flip(1), dim=1)

    about = About(
        how="contrastive", why="35 captions", posts=7, captions=35, quality="best", validation={"R@1": 3}
    )
    write_space(
        tmp_path,
        about,
        text_model=Dictionary({}),
        backbones=[Eye(), Eye()],
        image_head=Mean(),
        text_head=Flip(),
        views=("plain", "mirror"),
    )
    card = json.loads((tmp_path / "space.json").read_text())
    assert (card["dim"], card["text_head"], card["views"]) == (2, True, ["plain", "mirror"])
    assert card["learned_from"] == {"posts": 7, "captions": 35}
    assert card["backbones"] == ["efficientnet-lite0@64"] * 2
    assert (tmp_path / "backbones" / "1" / "backbone.json").exists()
    one = np.array([[3, 0], [0, 1]], np.float32)
    image, text = open_session(tmp_path / "image.onnx"), open_session(tmp_path / "text_head.onnx")
    (vectors,) = image.run(["vector"], {"features_0": one, "features_1": one[::-1] * 2})
    np.testing.assert_allclose(vectors[0], np.array([3, 2]) / 13**0.5, atol=1e-5)
    (vectors,) = text.run(["vector"], {"phi": np.array([[3, 4, 9]], np.float32)})
    np.testing.assert_allclose(vectors, [[0.8, 0.6]], atol=1e-5)
