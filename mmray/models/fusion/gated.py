"""Gated fusion (Arevalo et al. 2017, arXiv 1702.01992). Axes: B batch, M modalities, D width."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


class GatedFusion(nn.Module):
    """Sum of ``tanh(W_m x_m)``, weighted per coordinate by gates that see every modality.

    The gates of the present modalities sum to one. An absent modality has gate zero, and the gates
    see a learned token in its place; a sample with nothing present fuses to zeros.
    """

    def __init__(self, modalities: int, width: int, *, temperature: float = 1.0) -> None:
        super().__init__()
        self.absent = nn.Parameter(torch.randn(modalities, width) * 0.02)
        self.hidden = nn.ModuleList(nn.Linear(width, width) for _ in range(modalities))
        self.score = nn.Linear(modalities * width, modalities * width)
        self.temperature = temperature

    def forward(
        self, embeddings: Float[Tensor, "B M D"], present: Bool[Tensor, "B M"]
    ) -> Float[Tensor, "B D"]:
        """Fuse the modality axis away."""
        here = present[..., None]  # (B, M, 1)
        # Replaced first: an absent embedding that is not finite must not reach a gradient either.
        filled = torch.where(here, embeddings, self.absent)
        layers = zip(self.hidden, filled.unbind(1), strict=True)
        hidden = torch.stack([torch.tanh(layer(x)) for layer, x in layers], dim=1)  # (B, M, D)
        scores = self.score(filled.flatten(1)).view_as(filled) / self.temperature  # (B, M, D)
        # Not -inf: a sample with nothing present would make the softmax, and its gradient, NaN.
        scores = scores.masked_fill(~here, torch.finfo(scores.dtype).min)
        gates = torch.where(here, scores.softmax(dim=1), 0.0)
        return (gates * hidden).sum(dim=1)  # (B, D)
