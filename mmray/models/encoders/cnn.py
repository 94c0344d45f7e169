"""The convolutional encoders. Axes: B batch, T time, F feature, H W image, D width."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Float, Integer, Shaped, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from mmray.models.encoders.encoded import Encoded, at_least_one, length_mask, masked_mean
from mmray.models.encoders.stem import scale_pixels


def num_groups(channels: int) -> int:
    """Return up to eight groups of at least four channels: fewer would lose their contrast."""
    return next((n for n in (8, 4, 2) if channels % n == 0 and channels // n >= 4), 1)


GRID = 4
"""Cells per side of the pooled embedding: one average would lose positions."""


class ImageCnnEncoder(nn.Module):
    """Blocks of convolution, halving, group normalisation and GELU; then a coarse grid of cells.

    The normalisation and the activation of a step take longer than a convolution over the same
    map, so they come after the halving; with ``pool`` ``last`` they come before it.
    """

    def __init__(
        self,
        channels: Sequence[int],
        kernel: int,
        width: int,
        *,
        pool: Literal["first", "last"] = "first",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for size_in, size_out in pairwise((3, *channels)):
            halve = nn.MaxPool2d(2, ceil_mode=True)
            active = [nn.GroupNorm(num_groups(size_out), size_out), nn.GELU()]
            layers += [
                nn.Conv2d(size_in, size_out, kernel, padding=kernel // 2),
                *([halve, *active] if pool == "first" else [*active, halve]),
            ]
        self.blocks = nn.Sequential(*layers)
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear((3, *channels)[-1], width)
        self.pool = nn.Linear(width * GRID * GRID, width)

    def forward(self, values: UInt8[Tensor, "B H W 3"], lengths: Tensor | None) -> Encoded:
        """Encode a batch of pictures; one token per cell of the last block."""
        maps = self.blocks(scale_pixels(values)).permute(0, 2, 3, 1)  # (B, H, W, F)
        cells = self.project(self.dropout(maps))  # (B, H, W, D)
        tokens = cells.flatten(1, 2)  # (B, T, D)
        mask = torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device)
        grid = F.adaptive_avg_pool2d(cells.permute(0, 3, 1, 2), GRID).flatten(1)  # (B, D * 16)
        return Encoded(tokens, mask, self.pool(F.gelu(grid)))


class SequenceBlock(nn.Module):
    """Convolution, normalisation, GELU and halving, blind to what lies beyond a sample's length.

    The normalisation is over the features of one step: statistics over time would see the padding.
    """

    def __init__(self, in_size: int, out_size: int, kernel: int) -> None:
        super().__init__()
        self.pads = ((kernel - 1) // 2, kernel // 2)
        self.convolve = nn.Conv1d(in_size, out_size, kernel)
        self.norm = nn.LayerNorm(out_size)

    def forward(
        self, steps: Float[Tensor, "B T F"], lengths: Integer[Tensor, " B"]
    ) -> tuple[Float[Tensor, "B T2 F2"], Integer[Tensor, " B"]]:
        """Return half as many steps, and half the lengths, rounded up."""
        outside = ~length_mask(lengths, steps.shape[1])[..., None]  # (B, T, 1)
        padded = F.pad(steps.masked_fill(outside, 0.0).transpose(1, 2), self.pads)  # (B, F, T+)
        hidden = F.gelu(self.norm(self.convolve(padded).transpose(1, 2)))  # (B, T, F2)
        hidden = hidden.masked_fill(outside, torch.finfo(hidden.dtype).min)
        halved = F.max_pool1d(hidden.transpose(1, 2), 2, ceil_mode=True)  # (B, F2, T2)
        return halved.transpose(1, 2), (lengths + 1) // 2


class SequenceCnnEncoder(nn.Module):
    """1-D blocks over time; then the average over each sample's own length.

    ``stem`` makes (B, T, F) of the values.
    """

    def __init__(
        self,
        stem: nn.Module,
        in_size: int,
        channels: Sequence[int],
        *,
        kernel: int,
        width: int,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.stem = stem
        sizes = (in_size, *channels)
        self.blocks = nn.ModuleList(SequenceBlock(a, b, kernel) for a, b in pairwise(sizes))
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear(sizes[-1], width)

    def forward(self, values: Shaped[Tensor, "B T ..."], lengths: Tensor | None) -> Encoded:
        """Encode a batch of sequences."""
        hidden, steps = self.stem(values), at_least_one(values, lengths)  # (B, T, F), (B,)
        for block in self.blocks:
            hidden, steps = block(hidden, steps)  # (B, T/2, F)
        mask = length_mask(steps, hidden.shape[1])
        hidden = hidden.masked_fill(~mask[..., None], 0.0)
        tokens = self.project(self.dropout(hidden))  # (B, T, D)
        return Encoded(tokens, mask, masked_mean(tokens, mask))
