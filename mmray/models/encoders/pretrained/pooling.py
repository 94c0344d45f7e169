"""From the hidden states of a network to one. Axes: B batch, T steps, F hidden size."""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from mmray.models.encoders.encoded import masked_mean


def pool_steps(
    hidden: Float[Tensor, "B T F"],
    mask: Bool[Tensor, "B T"],
    pooling: Literal["cls", "mean", "max"],
) -> Float[Tensor, "B F"]:
    """Return the first step, or the mean or the maximum of the steps inside the mask."""
    match pooling:
        case "cls":
            return hidden[:, 0]
        case "mean":
            return masked_mean(hidden, mask)
        case "max":
            return hidden.masked_fill(~mask[..., None], torch.finfo(hidden.dtype).min).amax(dim=1)
