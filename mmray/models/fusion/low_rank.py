"""Low-rank tensor fusion. Axes: B batch, M modalities, R rank, D width."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


class LowRankFusion(nn.Module):
    """``sum_r prod_m (W_m^r [x_m; 1]) / sqrt(R)`` (LMF, Liu et al. 2018, arXiv 1806.00064).

    The tensor fusion of all products, with a weight tensor of rank R that is never formed. A
    learned token stands in for an absent modality.
    """

    def __init__(self, modalities: int, width: int, *, rank: int = 4) -> None:
        super().__init__()
        self.absent = nn.Parameter(torch.randn(modalities, width) * 0.02)
        self.factors = nn.ModuleList(nn.Linear(width, rank * width) for _ in range(modalities))
        self.rank = rank
        for factor in self.factors.children():
            # From ones, a product holds each modality alone and all of their joint from the start.
            nn.init.ones_(factor.get_parameter("bias"))

    def forward(
        self, embeddings: Float[Tensor, "B M D"], present: Bool[Tensor, "B M"]
    ) -> Float[Tensor, "B D"]:
        """Fuse the modality axis away."""
        filled = torch.where(present[..., None], embeddings, self.absent)
        layers = zip(self.factors, filled.unbind(1), strict=True)
        factors = torch.stack([layer(x) for layer, x in layers], dim=1)  # (B, M, R * D)
        products = factors.prod(dim=1).unflatten(1, (self.rank, -1))  # (B, R, D)
        return products.sum(dim=1) / math.sqrt(self.rank)  # (B, D)
