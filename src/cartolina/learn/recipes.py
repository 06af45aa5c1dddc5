"""What a joint space is learnt from and how: the settings behind `--quality fast` and `best`.

What each choice brought on Flickr8k, and what did not help, is in docs/quality.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["BEST", "FAST", "RECIPES", "Recipe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a space is learnt.

    `backbones` and `views` say which features are taken of a photo. `heads` heads with `hidden` units, each
    giving `dim` numbers, see the features of all backbones; with several backbones one more sees each alone.
    `short`: how many numbers of a whole vector are kept. `captions`: how many of a photo's captions one step
    sees at most, drawn anew each time. `image_dropout`, `text_dropout`: of a head's inputs and of
    its hidden layer. `temperature`: where the scale of the cosines starts. `patience` counts validations,
    one every `validate_every` epochs. How long it learns is for `epochs_for`.
    """

    backbones: tuple[str, ...] = ("efficientnet-lite0",)
    views: tuple[str, ...] = ("plain", "mirror")
    heads: int = 3
    hidden: int = 1024
    dim: int = 384
    short: int = 512
    batch: int = 1000
    captions: int = 3
    steps: int = 220
    fewest_epochs: int = 8
    most_epochs: int = 150
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warmup: int = 20
    image_dropout: tuple[float, float] = (0.4, 0.4)
    text_dropout: tuple[float, float] = (0.4, 0.4)
    smoothing: float = 0.05
    temperature: float = 20.0
    validate_every: int = 3
    patience: int = 4

    def epochs_for(self, posts: int) -> int:
        """How often `posts` photos are gone through: `steps` steps, within the two limits.

        A small album needs many epochs to make enough steps, a large one few epochs to have seen enough.
        """
        wanted = math.ceil(self.steps / max(1, posts // self.batch))  # a last, smaller batch is left out
        return min(max(wanted, self.fewest_epochs), self.most_epochs)


FAST = Recipe()
"""One backbone."""

BEST = Recipe(backbones=("efficientnet-lite0", "efficientnet-lite2"), heads=2)
"""Two backbones: their features come from other sizes of picture and other networks, and err differently."""

RECIPES: dict[str, Recipe] = {"fast": FAST, "best": BEST}
