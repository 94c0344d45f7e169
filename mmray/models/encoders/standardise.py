"""Input scaling with the train split's statistics. Axes: F feature."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

LIMIT = 10.0
"""Deviations beyond which a value is cut: a word seen once would otherwise drown all others."""


class Standardise(nn.Module):
    """Subtract the mean and divide by the deviation of each feature; the identity until fitted.

    Ranges can differ by orders of magnitude (the first MFCC against the last): without this, the
    large ones are all that an encoder sees for many epochs.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("deviation", torch.ones(size))

    def fit(self, mean: Float[Tensor, " F"], deviation: Float[Tensor, " F"]) -> None:
        """Set the statistics of the train split; a constant feature keeps its scale."""
        self.mean.copy_(mean)
        self.deviation.copy_(torch.where(deviation > 1e-6, deviation, 1.0))

    def forward(self, values: Float[Tensor, "... F"]) -> Float[Tensor, "... F"]:
        """Scale the last axis."""
        return ((values - self.mean) / self.deviation).clamp(-LIMIT, LIMIT)
