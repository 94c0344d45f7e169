"""The first layer of an encoder, by layout. Axes: B batch, T time, F feature, H W image."""

import torch
from jaxtyping import Float, Shaped, UInt8
from torch import Tensor, nn

from mmray.models.encoders.encoded import at_least_one, length_mask, masked_mean


def scale_pixels(pixels: UInt8[Tensor, "B H W 3"]) -> Float[Tensor, "B 3 H W"]:
    """Return channels first, in [-1, 1]."""
    # The permuted view is channels-last in memory, which convolutions like best.
    return pixels.permute(0, 3, 1, 2).to(torch.float32).mul(1 / 127.5).sub(1.0)


class VectorStem(nn.Module):
    """A vector, scaled."""

    def __init__(self, scale: nn.Module) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, values: Float[Tensor, "B F"], lengths: Tensor | None) -> Float[Tensor, "B F"]:
        """Scale the vector."""
        return self.scale(values)


class MeanStem(nn.Module):
    """The average over time of a sequence, or of embedded token ids."""

    def __init__(self, embed: nn.Module) -> None:
        super().__init__()
        self.embed = embed

    def forward(
        self, values: Shaped[Tensor, "B T ..."], lengths: Tensor | None
    ) -> Float[Tensor, "B F"]:
        """Average over each sample's own length."""
        mask = length_mask(at_least_one(values, lengths), values.shape[1])
        return masked_mean(self.embed(values), mask)


class FlatPixelStem(nn.Module):
    """All pixels of a picture side by side."""

    def forward(
        self, values: UInt8[Tensor, "B H W 3"], lengths: Tensor | None
    ) -> Float[Tensor, "B F"]:
        """Scale and flatten."""
        return scale_pixels(values).flatten(1)  # (B, 3HW)
