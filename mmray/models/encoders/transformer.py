"""The transformer encoders. Axes: B batch, T time or patches, F feature, H W image, D width."""

import math

import torch
from jaxtyping import Float, Shaped, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from mmray.models.encoders.encoded import Encoded, at_least_one, length_mask, masked_mean
from mmray.models.encoders.stem import scale_pixels


def transformer_layer(
    width: int, *, heads: int, feedforward: int, dropout: float
) -> nn.TransformerEncoderLayer:
    """Return one layer of pre-norm self-attention."""
    return nn.TransformerEncoderLayer(
        width, heads, feedforward, dropout, "gelu", batch_first=True, norm_first=True
    )


def transformer_stack(
    width: int, *, heads: int, layers: int, feedforward: int, dropout: float
) -> nn.TransformerEncoder:
    """Return pre-norm self-attention layers with a last normalisation."""
    layer = transformer_layer(width, heads=heads, feedforward=feedforward, dropout=dropout)
    stack = nn.TransformerEncoder(
        layer, layers, norm=nn.LayerNorm(width), enable_nested_tensor=False
    )
    for parameter in stack.parameters():  # the layers are copies of one layer, weights included
        if parameter.dim() > 1:
            nn.init.xavier_uniform_(parameter)
    return stack


def sine_positions(
    steps: int, width: int, device: torch.device | None = None
) -> Float[Tensor, "T D"]:
    """Return the fixed positions of Vaswani et al. 2017."""
    half = (width + 1) // 2
    rates = torch.exp(torch.arange(half, device=device) * (-math.log(10_000.0) / half))
    angles = torch.arange(steps, device=device)[:, None] * rates  # (T, D/2)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[:, :width]  # (T, D)


class SequenceTransformerEncoder(nn.Module):
    """Self-attention over time, masked beyond each sample's length; then the average.

    ``stem`` makes (B, T, F) of the values, which have at most ``max_steps`` steps.
    """

    positions: Tensor

    def __init__(
        self,
        stem: nn.Module,
        in_size: int,
        stack: nn.TransformerEncoder,
        *,
        width: int,
        max_steps: int,
    ) -> None:
        super().__init__()
        self.stem = stem
        self.project = nn.Linear(in_size, width)
        self.register_buffer("positions", sine_positions(max_steps, width), persistent=False)
        self.stack = stack

    def forward(self, values: Shaped[Tensor, "B T ..."], lengths: Tensor | None) -> Encoded:
        """Encode a batch of sequences."""
        steps = values.shape[1]
        mask = length_mask(at_least_one(values, lengths), steps)
        hidden = self.project(self.stem(values)) + self.positions[:steps]  # (B, T, D)
        tokens = self.stack(hidden, src_key_padding_mask=~mask)
        return Encoded(tokens, mask, masked_mean(tokens, mask))


class PatchTransformerEncoder(nn.Module):
    """Self-attention over the square patches of a picture; then the average."""

    def __init__(
        self, size: tuple[int, int], patch: int, stack: nn.TransformerEncoder, *, width: int
    ) -> None:
        super().__init__()
        self.patch = patch
        self.project = nn.Linear(3 * patch * patch, width)
        patches = (size[0] // patch) * (size[1] // patch)
        self.positions = nn.Parameter(torch.randn(patches, width) * 0.02)
        self.stack = stack

    def forward(self, values: UInt8[Tensor, "B H W 3"], lengths: Tensor | None) -> Encoded:
        """Encode a batch of pictures."""
        patches = F.unfold(scale_pixels(values), self.patch, stride=self.patch)  # (B, F, T)
        tokens = self.stack(self.project(patches.transpose(1, 2)) + self.positions)  # (B, T, D)
        mask = torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device)
        return Encoded(tokens, mask, tokens.mean(dim=1))
