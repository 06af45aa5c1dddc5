"""Regression of φ from pixels (seed 003, section 3; seed 002): photos are put where their words lie.

Eq. 2 is the sigmoid cross-entropy between a target p made of φ(x) and p̂ = σ(ψ(I)), over N pairs and D
components:

    L = − 1/(N·D) Σ_n Σ_d [ p_nd log p̂_nd + (1 − p_nd) log(1 − p̂_nd) ]

Cosines (Eq. 1) only make sense where a perfect ψ coincides with φ: the *matching space*, which is not the
same for each target. `Target` says what is compared with what:

=========  ==================  ==============  =============  ==========================================
target     p                   photo's vector  text's vector
=========  ==================  ==============  =============  ==========================================
"sigmoid"  σ(φ)                ψ               φ              the paper's text: the optimum is ψ = φ
"min-max"  φ scaled to [0, 1]  σ(ψ)            φ scaled       the released code: each text's least component
                                                              becomes 0, its greatest 1
"mse"      φ, squared error    ψ               φ              the ablation
"itself"   φ, within [0, 1]    σ(ψ)            φ              LDA: a distribution over topics is a target
=========  ==================  ==============  =============  ==========================================
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from torch import Tensor, nn
from torch.nn import functional

from cartolina.errors import InputError, UnknownName

__all__ = ["TARGETS", "PhotoSide", "Regression", "Target", "TextSide", "min_max", "text_side"]

Target: TypeAlias = Literal["sigmoid", "min-max", "mse", "itself"]
TARGETS: tuple[Target, ...] = ("sigmoid", "min-max", "mse", "itself")


class Regression:
    """The objective: a batch is (features…, φ), and `model(*features)` gives ψ, (N, D) unbounded.

    φ (N, D) is the text model's output as it is. Raises `UnknownName` for an unknown `target`.
    """

    def __init__(self, target: Target = "sigmoid") -> None:
        if target not in TARGETS:
            raise UnknownName("regression target", target, TARGETS)
        self.target = target

    def __call__(self, model: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        """The loss, a scalar."""
        *features, phi = batch
        return self.loss(model(*features), phi)

    def loss(self, psi: Tensor, phi: Tensor) -> Tensor:
        """L of ψ and φ, both (N, D)."""
        if self.target == "mse":
            return functional.mse_loss(psi, phi)
        p = _probabilities(phi, self.target)
        return functional.binary_cross_entropy_with_logits(psi, p)


class PhotoSide(nn.Module):
    """Features -> unit rows (N, D) in the matching space; `psi` is the trained network."""

    def __init__(self, psi: nn.Module, target: Target) -> None:
        super().__init__()
        self.psi = psi
        self.squash = target in ("min-max", "itself")

    def forward(self, *features: Tensor) -> Tensor:
        """The photos' vectors."""
        psi = self.psi(*features)
        return functional.normalize(psi.sigmoid() if self.squash else psi, dim=1)


class TextSide(nn.Module):
    """φ (N, D) -> unit rows (N, D) in the matching space of the target "min-max"."""

    def forward(self, phi: Tensor) -> Tensor:
        """The texts' vectors."""
        return functional.normalize(min_max(phi), dim=1)


def text_side(target: Target) -> TextSide | None:
    """What brings φ into the matching space, or None where it lies there already."""
    return TextSide() if target == "min-max" else None


def _probabilities(phi: Tensor, target: Target) -> Tensor:
    """p: what σ(ψ) should become."""
    if target == "sigmoid":
        return phi.sigmoid()
    if target == "min-max":
        return min_max(phi)
    if phi.amin() < 0 or phi.amax() > 1 + 1e-6:
        raise InputError(
            "the target 'itself' is for φ within [0, 1], as LDA gives it; "
            f"given {phi.amin():.3g} to {phi.amax():.3g}"
        )
    return phi.clamp(max=1)


def min_max(phi: Tensor) -> Tensor:
    """Each row of `phi` (N, D) scaled linearly to [0, 1]; a constant row (no known word) gives zeros."""
    least = phi.amin(1, keepdim=True)
    width = phi.amax(1, keepdim=True) - least
    return (phi - least) / width.clamp(min=1e-12)
