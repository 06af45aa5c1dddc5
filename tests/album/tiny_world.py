"""A world of plain colours: photos of one colour, a backbone that sees the mean colour, words for colours.

Everything is real (JPEG files, ONNX models, a saved text model), only tiny: what is found can be told by
hand. `python tiny_world.py` is not meant to be run; `churn.py` uses it in processes that are killed.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from cartolina.datasets import Dataset
from cartolina.post import Post
from cartolina.text.word_vectors import WordVectors
from cartolina.vision import Preprocessing

COLOURS = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "yellow": (180, 180, 0),
    "purple": (180, 0, 180),
}


def paint(path, colour, size=(24, 24)):
    """A photo of one colour; PNG by its suffix, so that colours are exact. No two have the same bytes."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    path.parent.mkdir(parents=True, exist_ok=True)
    note = PngInfo()
    note.add_text("Title", path.name)
    Image.new("RGB", size, COLOURS.get(colour, colour)).save(path, pnginfo=note)
    return path


def dataset(root, posts, *, stable_ids=False, name="folder"):
    """A dataset of posts (or of what was skipped) at hand."""
    posts = list(posts)
    return Dataset(
        name, Path(root), "made by hand", (), lambda split: iter(posts), lambda split: len(posts), stable_ids
    )


def painted(root, names, **options):
    """A dataset of one photo for each `name`, whose colour is the name's first word: "red-1.png"."""
    posts = []
    for name in names:
        path = root / name
        if not path.exists():
            paint(path, path.stem.split("-")[0])
        posts.append(Post(name, path, captions=(f"a {path.stem.split('-')[0]} thing",)))
    return dataset(root, posts, **options)


def write_space(folder, *, views=("plain",), turned=False):
    """A space folder in which colour words and photos of that colour meet.

    With `turned`, both sides pass through one rotation: another space that gives the same answers.
    """
    turn = np.eye(3, dtype=np.float32)[[1, 2, 0]] if turned else np.eye(3, dtype=np.float32)
    folder.mkdir(parents=True)
    words = list(COLOURS)
    vectors = np.array([COLOURS[word] for word in words], np.float32) / 255
    WordVectors("colours", words, vectors, language="English").save(folder / "text")
    _head(folder / "image.onnx", "features_0", turn)
    if turned:
        _head(folder / "text_head.onnx", "phi", turn)
    _backbone(folder / "backbones" / "0")
    info = {
        "format": 1,
        "dim": 3,
        "views": list(views),
        "text_head": turned,
        "how": "contrastive",
        "why": "made for tests",
        "language": "English",
        "learned_from": {"posts": 0, "captions": 0},
        "quality": None,
        "text_model": "colours",
        "backbones": ["mean-colour"],
        "validation": None,
        "created": "2026-01-01T00:00:00+00:00",
    }
    (folder / "space.json").write_text(json.dumps(info))
    return folder


def _head(path, name, turn):
    """x (N, 3) -> x @ turn, of length 1."""
    from onnx import TensorProto, helper, numpy_helper

    graph = helper.make_graph(
        [
            helper.make_node("MatMul", [name, "turn"], ["turned"]),
            helper.make_node("LpNormalization", ["turned"], ["vector"], axis=1, p=2),
        ],
        "head",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 3])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["N", 3])],
        [numpy_helper.from_array(turn, "turn")],
    )
    _save(graph, path)


def _backbone(folder):
    """(B, 3, 16, 16) -> the mean of each channel (B, 3), 0 to 1."""
    from onnx import TensorProto, helper

    from cartolina.vision.onnx_backbone import write_card

    folder.mkdir(parents=True)
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["pixels"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["features"], axis=1),
        ],
        "mean-colour",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["B", 3, 16, 16])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["B", 3])],
    )
    _save(graph, folder / "backbone.onnx")
    preprocessing = Preprocessing(16, mean=(0.0, 0.0, 0.0), std=(255.0, 255.0, 255.0))
    write_card(folder, "mean-colour", (3,), preprocessing, "0123456789abcdef")


def _save(graph, path):
    import onnx
    from onnx import helper

    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
