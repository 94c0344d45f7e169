"""Gated multimodal unit. Axes: B batch, M modalities, D width."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


class GmuFusion(nn.Module):
    """``sum_m sigmoid(Z_m [x_1 .. x_M]) * tanh(W_m x_m)`` (Arevalo et al. 2017, arXiv 1702.01992).

    An absent modality adds nothing, and the gates of the others see a learned token in its place;
    a sample with nothing present fuses to zeros.
    """

    def __init__(self, modalities: int, width: int) -> None:
        super().__init__()
        self.absent = nn.Parameter(torch.randn(modalities, width) * 0.02)
        self.hidden = nn.ModuleList(nn.Linear(width, width) for _ in range(modalities))
        self.gate = nn.Linear(modalities * width, modalities * width)

    def forward(
        self, embeddings: Float[Tensor, "B M D"], present: Bool[Tensor, "B M"]
    ) -> Float[Tensor, "B D"]:
        """Fuse the modality axis away."""
        here = present[..., None]  # (B, M, 1)
        filled = torch.where(here, embeddings, self.absent)
        layers = zip(self.hidden, filled.unbind(1), strict=True)
        hidden = torch.stack([torch.tanh(layer(x)) for layer, x in layers], dim=1)  # (B, M, D)
        gates = torch.sigmoid(self.gate(filled.flatten(1))).view_as(filled)  # (B, M, D)
        return (torch.where(here, gates, 0.0) * hidden).sum(dim=1)  # (B, D)
