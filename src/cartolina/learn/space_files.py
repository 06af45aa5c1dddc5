"""Writing a space: the folder of models that an album opens without torch (docs/album-format.md).

    space.json  text/  image.onnx  text_head.onnx (where there is one)  backbones/0/ …

`space.json` is written last: a folder that has one is whole.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from cartolina import durable
from cartolina.learn.export import export_head
from cartolina.onnx_session import open_session
from cartolina.text import TextModel
from cartolina.vision import Backbone

__all__ = ["About", "finish_space", "restate", "write_space"]

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a space says of itself: `why` to people, `validation` the numbers it was chosen by."""

    how: str  # "conse", or the objective
    why: str
    posts: int = 0
    captions: int = 0
    quality: Literal["fast", "best"] | None = None
    validation: dict[str, Any] | None = None


def write_space(
    folder: Path,
    about: About,
    *,
    text_model: TextModel,
    backbones: Sequence[Backbone],
    image_head: nn.Module,
    text_head: nn.Module | None = None,
    views: Sequence[str] = ("plain",),
) -> None:
    """Write a space into `folder`, made if missing; every exported model is checked against torch.

    `image_head(features_0, features_1, …)`, each (N, *shape) float32 of one backbone, gives (N, D) unit rows;
    `text_head(phi)`, (N, text dim), likewise; without it a text's vector is its φ, so D is the text model's
    dim.
    """
    folder.mkdir(parents=True, exist_ok=True)
    draw = torch.Generator().manual_seed(0)
    features = [torch.rand(5, *backbone.shape, generator=draw) for backbone in backbones]
    inputs = [f"features_{i}" for i in range(len(backbones))]
    export_head(image_head, features, inputs, folder / "image.onnx")
    if text_head is not None:
        phi = torch.randn(5, text_model.dim, generator=draw)
        export_head(text_head, [phi], ["phi"], folder / "text_head.onnx")
    text_model.save(folder / "text")
    finish_space(folder, about, text_model=text_model, backbones=backbones, views=views)


def finish_space(
    folder: Path,
    about: About,
    *,
    text_model: TextModel,
    backbones: Sequence[Backbone],
    views: Sequence[str],
) -> None:
    """Make a folder that holds text/, image.onnx and perhaps text_head.onnx a whole space."""
    for number, backbone in enumerate(backbones):
        backbone.save(folder / "backbones" / str(number))
    (vector,) = open_session(folder / "image.onnx").get_outputs()
    card = {
        "format": FORMAT,
        "dim": vector.shape[1],
        "views": list(views),
        "text_head": (folder / "text_head.onnx").exists(),
        "how": about.how,
        "why": about.why,
        "language": text_model.language,
        "learned_from": {"posts": about.posts, "captions": about.captions},
        "quality": about.quality,
        "text_model": text_model.name,
        "backbones": [backbone.name for backbone in backbones],
        "validation": about.validation,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    _write_card(folder / "space.json", card)


def restate(folder: Path, why: str) -> None:
    """Give a space that is written another `why`."""
    path = folder / "space.json"
    _write_card(path, json.loads(path.read_bytes()) | {"why": why})


def _write_card(path: Path, card: dict[str, Any]) -> None:
    durable.write_bytes(path, json.dumps(card, indent=1, ensure_ascii=False).encode())
