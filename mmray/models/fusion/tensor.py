"""Tensor fusion. Axes: B batch, M modalities, S size, P products, D width."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


class TensorFusion(nn.Module):
    """``W vec([p_1; 1] x .. x [p_M; 1]) + b``, outer products of ``p_m = P_m x_m`` of size S.

    TFN, Zadeh et al. 2017, arXiv 1707.07250. There are (S + 1) ** M products. A learned token
    stands in for an absent modality.
    """

    def __init__(self, modalities: int, width: int, *, size: int = 16) -> None:
        super().__init__()
        self.absent = nn.Parameter(torch.randn(modalities, width) * 0.02)
        self.reduce = nn.ModuleList(nn.Linear(width, size) for _ in range(modalities))
        self.project = nn.Linear((size + 1) ** modalities, width)

    def forward(
        self, embeddings: Float[Tensor, "B M D"], present: Bool[Tensor, "B M"]
    ) -> Float[Tensor, "B D"]:
        """Fuse the modality axis away."""
        filled = torch.where(present[..., None], embeddings, self.absent)
        products = filled.new_ones(len(filled), 1)  # (B, P)
        for layer, embedding in zip(self.reduce, filled.unbind(1), strict=True):
            extended = nn.functional.pad(layer(embedding), (0, 1), value=1.0)  # (B, S + 1)
            products = (products[:, :, None] * extended[:, None]).flatten(1)  # (B, P * (S + 1))
        return self.project(products)  # (B, D)
