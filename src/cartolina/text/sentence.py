"""A transformer's tokens made one vector: the sentence's, or a weighted sum of the tokens'.

`Sentence` is as in sentence-transformers: the mean over the mask, length 1. `WeightedTokens` leaves the
weights to the caller, so that one export pools by mean, by sum and by tf-idf (`onnx_tokens`).

Imports torch at the top: only `transformer` and the rooms that train import it, when they need it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Sentence", "WeightedTokens", "mean_over_mask"]


class Sentence(nn.Module):
    """`encoder` is a transformers model; `dim` the size of its hidden states."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """`input_ids`, `attention_mask` (N, T) int64 → (N, dim) unit rows."""
        hidden = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask
        ).last_hidden_state  # (N, T, dim)
        return nn.functional.normalize(mean_over_mask(hidden, attention_mask), dim=-1)  # (N, dim)


class WeightedTokens(nn.Module):
    """`encoder` is a transformers model; its hidden states are summed, each times its weight."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids: Tensor, attention_mask: Tensor, weights: Tensor) -> Tensor:
        """Ids and mask (N, T) int64, `weights` (N, T) float32 → (N, dim)."""
        hidden = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask
        ).last_hidden_state  # (N, T, dim)
        pooled: Tensor = (hidden * weights.unsqueeze(-1)).sum(1)  # (N, dim)
        return pooled


def mean_over_mask(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """The mean of `hidden` (N, T, D) over the tokens whose mask is 1: (N, D)."""
    weights = attention_mask.unsqueeze(-1).to(hidden.dtype)  # (N, T, 1)
    return (hidden * weights).sum(1) / torch.clamp(weights.sum(1), min=1)
