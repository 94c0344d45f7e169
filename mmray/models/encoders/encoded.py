"""The output of every encoder. Axes: B batch, T time, D width, F feature."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Integer, Shaped
from torch import Tensor


class Encoded(NamedTuple):
    """Embeddings of one modality; without a time axis there are no tokens (T = 0)."""

    tokens: Float[Tensor, "B T D"]
    token_mask: Bool[Tensor, "B T"]
    pooled: Float[Tensor, "B D"]


def pooled_only(pooled: Float[Tensor, "B D"]) -> Encoded:
    """Return an embedding without a time axis."""
    mask = torch.ones(len(pooled), 0, dtype=torch.bool, device=pooled.device)
    return Encoded(pooled[:, None, :][:, :0], mask, pooled)


def at_least_one(
    values: Shaped[Tensor, "B T ..."], lengths: Tensor | None
) -> Integer[Tensor, " B"]:
    """Return the lengths; none given means all steps, and zero (absent) counts as one."""
    if lengths is None:
        return torch.full((len(values),), values.shape[1], device=values.device)
    return lengths.clamp(min=1)


def length_mask(lengths: Integer[Tensor, " B"], steps: int) -> Bool[Tensor, "B T"]:
    """Return which of ``steps`` steps belong to each sample."""
    return torch.arange(steps, device=lengths.device) < lengths[:, None]  # (B, T)


def masked_mean(values: Float[Tensor, "B T F"], mask: Bool[Tensor, "B T"]) -> Float[Tensor, "B F"]:
    """Average over the steps inside the mask; what lies outside has no influence."""
    kept = torch.where(mask[..., None], values, 0.0)
    return kept.sum(dim=1) / mask.sum(dim=1, keepdim=True)  # (B, F)
