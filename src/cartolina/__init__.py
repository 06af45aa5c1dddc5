"""Cartolina: find your pictures by words, by example, by sums of both, near a place.

>>> import cartolina
>>> album = cartolina.build("holiday photos", "holidays.album")    # doctest: +SKIP
>>> album = cartolina.open("holidays.album")                       # doctest: +SKIP
>>> album.search("children + 0.5*beach - boat near:Rimini")      # doctest: +SKIP

Importing this imports nothing else: each name below brings its room when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cartolina.album import Album as Album
    from cartolina.album import Ranking as Ranking
    from cartolina.album.build import build as build
    from cartolina.datasets import open_dataset as open_dataset
    from cartolina.evaluate.retrieval import evaluate_retrieval as evaluate_retrieval
    from cartolina.post import Place as Place
    from cartolina.post import Post as Post
    from cartolina.query import ImageRef as ImageRef
    from cartolina.query import Near as Near
    from cartolina.query import Query as Query
    from cartolina.query import Text as Text
    from cartolina.query import parse as parse

    open = Album.open  # noqa: A001 - cartolina.open, as gzip.open

__version__ = "0.1.0"

_HOMES = {
    "Album": "album",
    "ImageRef": "query",
    "Near": "query",
    "Place": "post",
    "Post": "post",
    "Query": "query",
    "Ranking": "album",
    "Text": "query",
    "build": "album.build",
    "evaluate_retrieval": "evaluate.retrieval",
    "open_dataset": "datasets",
    "parse": "query",
}

__all__ = ["__version__", "open", *_HOMES]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the room calls by that name
    if name == "open":
        return import_module("cartolina.album").Album.open
    if name in _HOMES:
        return getattr(import_module(f"cartolina.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'cartolina' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
