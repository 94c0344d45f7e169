"""Fusion by concatenation. Axes: B batch, M modalities, D width."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


class ConcatFusion(nn.Module):
    """All embeddings side by side, with presence, through one hidden layer.

    A learned token stands in for an absent modality, in training and in use.
    """

    def __init__(self, modalities: int, width: int) -> None:
        super().__init__()
        self.absent = nn.Parameter(torch.randn(modalities, width) * 0.02)
        self.hidden = nn.Linear(modalities * width + modalities, width)
        self.norm = nn.LayerNorm(width)

    def forward(
        self, embeddings: Float[Tensor, "B M D"], present: Bool[Tensor, "B M"]
    ) -> Float[Tensor, "B D"]:
        """Fuse the modality axis away."""
        filled = torch.where(present[..., None], embeddings, self.absent)
        joined = torch.cat([filled.flatten(1), present.to(filled.dtype)], dim=1)  # (B, MD + M)
        return self.norm(nn.functional.gelu(self.hidden(joined)))  # (B, D)
