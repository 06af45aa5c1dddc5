"""Pixels to features: decoding, preprocessing, backbones, and a cache that nothing is lost from.

>>> from cartolina.vision import FeatureCache, backbone, extract  # doctest: +SKIP
>>> lite = backbone("efficientnet-lite0")  # doctest: +SKIP
>>> cache = FeatureCache(folder / lite.fingerprint, lite.shape)  # doctest: +SKIP
>>> for post, content in extract(photos, [lite], [cache]):  # doctest: +SKIP
...     ...
"""

from __future__ import annotations

from cartolina.vision.backbones import Backbone, backbone, load_backbone
from cartolina.vision.decode import UnreadableImage, content_hash, open_rgb
from cartolina.vision.efficientnet import classifier
from cartolina.vision.features import VIEWS, FeatureCache, extract, feature_key
from cartolina.vision.preprocessing import Preprocessing

__all__ = [
    "VIEWS",
    "Backbone",
    "FeatureCache",
    "Preprocessing",
    "UnreadableImage",
    "backbone",
    "classifier",
    "content_hash",
    "extract",
    "feature_key",
    "load_backbone",
    "open_rgb",
]
