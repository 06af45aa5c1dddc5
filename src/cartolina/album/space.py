"""A space: the folder of models that puts words and pictures side by side as unit vectors.

    space.json        what it is, how it was learnt, from what, how well (see docs/album-format.md)
    text/             a saved text model; its sentences are φ
    text_head.onnx    "phi" (N, text dim) -> "vector" (N, D), where the words were learnt to meet the pictures
    image.onnx        "features_0" (N, …), "features_1" … -> "vector" (N, D)
    backbones/0/ …    saved backbones, which turn pixels into those features

It never changes once written. Each model is loaded when it is first needed: a query of words loads none of
those that look at pictures.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cartolina.errors import AlbumError, InputError
from cartolina.onnx_session import open_session

if TYPE_CHECKING:
    import onnxruntime

    from cartolina.text import TextModel
    from cartolina.vision import Backbone
    from cartolina.vision.features import FeatureCache

__all__ = ["Space"]

Vectors = NDArray[np.float32]

FORMAT = 1


class Space:
    """An opened space; `info` is its space.json."""

    def __init__(self, folder: Path, info: dict[str, Any]) -> None:
        self.folder = folder
        self.info = info

    @classmethod
    def open(cls, folder: Path | str) -> Space:
        """Open the space at `folder`; raises `AlbumError` where it is none, or newer than this program."""
        path = Path(folder) / "space.json"
        try:
            info = json.loads(path.read_bytes())
            known = info["format"] <= FORMAT
            info["dim"], info["views"], info["text_head"], info["backbones"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise AlbumError(f"{folder} is not a space ({type(error).__name__}: {error})") from error
        if not known:
            raise AlbumError(f"{folder} has format {info['format']}; this program reads {FORMAT}: update it")
        return cls(Path(folder), info)

    @property
    def dim(self) -> int:
        """The length D of its vectors."""
        return int(self.info["dim"])

    @property
    def views(self) -> tuple[str, ...]:
        """The views of a picture whose vectors are averaged: "plain", "mirror"."""
        return tuple(self.info["views"])

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """(N, D) float32 unit rows; a row of zeros for a text of which the model knows no word."""
        phi = np.asarray(self.text_model.embed(texts), np.float32)  # (N, text dim)
        nothing = ~phi.any(axis=1)
        vectors = phi if self._text_head is None else _run(self._text_head, {"phi": phi})
        vectors = _unit(vectors)
        vectors[nothing] = 0  # a head's answer to nothing would be an arbitrary direction
        return vectors

    def encode_features(self, features: Sequence[NDArray[np.float32]]) -> Vectors:
        """(N, D) float32 unit rows from each backbone's features (N, *shape) of one view."""
        names = self.info["backbones"]
        if len(features) != len(names):
            raise InputError(f"features of {len(features)} backbones; the space has {len(names)}: {names}")
        given = {f"features_{i}": np.asarray(one, np.float32) for i, one in enumerate(features)}
        return _unit(_run(self._image_head, given))

    def encode_views(self, views: Iterable[Sequence[NDArray[np.float32]]]) -> Vectors:
        """(N, D) float32 unit rows: the mean over views of `encode_features`."""
        return _unit(np.sum([self.encode_features(features) for features in views], axis=0))

    def encode_cached(self, caches: Sequence[FeatureCache], hashes: Sequence[str]) -> Vectors:
        """(N, D) float32 unit rows of the pictures with these content hashes, whose features are cached."""
        from cartolina.vision.features import feature_key

        return self.encode_views(
            [cache.get([feature_key(content, view) for content in hashes]) for cache in caches]
            for view in self.views
        )

    def encode_images(self, images: Sequence[Path | bytes]) -> Vectors:
        """(N, D) float32 unit rows of pictures; raises `UnreadableImage` for one that is none."""
        from cartolina.vision.decode import open_rgb
        from cartolina.vision.features import VIEWS

        needed = max(backbone.preprocessing.source_size for backbone in self.backbones)
        pictures = [open_rgb(image, at_least=needed) for image in images]
        pixels = [
            backbone.preprocessing.normalised([backbone.preprocessing.resized(one) for one in pictures])
            for backbone in self.backbones
        ]  # (N, 3, H, W) for each backbone
        return self.encode_views(
            [backbone(VIEWS[view](seen)) for backbone, seen in zip(self.backbones, pixels, strict=True)]
            for view in self.views
        )

    def unknown(self, text: str) -> list[str]:
        """The words of `text` that the text model does not know."""
        return self.text_model.unknown(text)

    def nearest(self, word: str) -> str | None:
        """The word the text model knows that is spelt most like `word`."""
        return self.text_model.nearest(word)

    @cached_property
    def text_model(self) -> TextModel:
        """The model that turns sentences into φ."""
        from cartolina.text import load

        return load(self.folder / "text")

    @cached_property
    def backbones(self) -> list[Backbone]:
        """The models that turn pixels into features."""
        from cartolina.vision import load_backbone

        folders = [self.folder / "backbones" / str(i) for i in range(len(self.info["backbones"]))]
        return [load_backbone(folder) for folder in folders]

    @cached_property
    def _text_head(self) -> onnxruntime.InferenceSession | None:
        # A query is one row: a second thread doubled its time, and then spun while NumPy searched.
        return open_session(self.folder / "text_head.onnx", threads=1) if self.info["text_head"] else None

    @cached_property
    def _image_head(self) -> onnxruntime.InferenceSession:
        return open_session(self.folder / "image.onnx")


def _run(session: onnxruntime.InferenceSession, given: dict[str, NDArray[np.float32]]) -> Vectors:
    (vectors,) = session.run(["vector"], given)
    return np.asarray(vectors, np.float32)


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)
