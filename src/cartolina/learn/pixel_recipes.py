"""How an encoder learns from pixels: the papers' numbers, and some for thousands of photos."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from cartolina.learn.fit import Settings
from cartolina.learn.optimisers import AdamW, Constant, Cosine, Sgd, Steps
from cartolina.learn.regression import Target

__all__ = ["PUBLISHED", "RECIPES", "SCALED", "PixelRecipe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelRecipe:
    """How an encoder learns; the defaults are the papers' numbers.

    `batch`: pictures a step, of all processes together. `summed`: the loss is Eq. 2 times D, as Caffe reckons
    it, which the papers' learning rate was found with; else Eq. 2. `head`: "linear", or a "perceptron" on the
    square roots of the features, as `build` learns. `head_epochs`: how often the head sees each photo's
    features before anything below it moves (`head_first`), at `head_rate`. `patience` counts validations, one
    an epoch. `zoom`: the side of the stored square over that of a crop.
    """

    epochs: int = 40  # not said in the papers
    batch: int = 120
    optimizer: AdamW | Sgd = field(default_factory=Sgd)
    schedule: Steps | Cosine | Constant = field(default_factory=Steps)
    target: Target = "sigmoid"
    summed: bool = True
    head: Literal["linear", "perceptron"] = "linear"
    hidden: int = 1024
    dropout: tuple[float, float] = (0.4, 0.4)
    head_epochs: int = 0
    head_rate: float = 1e-3
    patience: int | None = None
    zoom: float = 300 / 224
    checkpoint_seconds: float = field(default=60.0, compare=False, repr=False)

    def head_settings(self, seed: int) -> Settings:
        """For the loop, while the head learns alone."""
        optimizer = replace(self.optimizer, lr=self.head_rate, lr_factors=())
        return Settings(epochs=self.head_epochs, optimizer=optimizer, schedule=Cosine(), seed=seed)

    def settings(self, seed: int, *, from_scratch: bool) -> Settings:
        """For the loop. `from_scratch`: there is nothing in the tail to be careful with."""
        optimizer = replace(self.optimizer, lr_factors=()) if from_scratch else self.optimizer
        return Settings(
            epochs=self.epochs,
            optimizer=optimizer,
            schedule=self.schedule,
            patience=self.patience,
            checkpoint_seconds=self.checkpoint_seconds,
            seed=seed,
        )


PUBLISHED = PixelRecipe()

SCALED = PixelRecipe(
    epochs=10,
    optimizer=AdamW(lr=1e-3, lr_factors=(("tail", 0.1), ("head", 0.3))),
    schedule=Cosine(warmup=20),
    summed=False,
    head="perceptron",
    head_epochs=40,
    zoom=256 / 224,
)
"""For thousands of photos, where the papers had a million: fewer steps that go further, from a head that has
learnt before, and crops of more of the photo."""

RECIPES: dict[str, PixelRecipe] = {"published": PUBLISHED, "scaled": SCALED}
