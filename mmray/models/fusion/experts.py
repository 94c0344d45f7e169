"""Mixture of experts. Axes: B batch, M modalities, E experts, K active, D width."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


class ExpertsFusion(nn.Module):
    """``sum_e g_e E_e(z)`` over the K experts that a router scores highest for the sample.

    Sparsely gated mixture, Shazeer et al. 2017 (arXiv 1701.06538): g is the softmax of the K
    highest scores ``G z`` and zero elsewhere, and z has all embeddings and presence, so that
    experts may specialise in what is there (FuseMoE, Han et al. 2024, arXiv 2402.03226). No loss
    balances the load. All experts are computed, which for few and small ones is the faster way. A
    learned token stands in for an absent modality.
    """

    def __init__(self, modalities: int, width: int, *, experts: int = 4, active: int = 2) -> None:
        super().__init__()
        size = modalities * width + modalities
        self.absent = nn.Parameter(torch.randn(modalities, width) * 0.02)
        self.router = nn.Linear(size, experts)
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(size, width), nn.GELU(), nn.Linear(width, width))
            for _ in range(experts)
        )
        self.active = active

    def forward(
        self, embeddings: Float[Tensor, "B M D"], present: Bool[Tensor, "B M"]
    ) -> Float[Tensor, "B D"]:
        """Fuse the modality axis away."""
        filled = torch.where(present[..., None], embeddings, self.absent)
        joined = torch.cat([filled.flatten(1), present.to(filled.dtype)], dim=1)  # (B, MD + M)
        outputs = torch.stack([expert(joined) for expert in self.experts], dim=1)  # (B, E, D)
        scores = self.router(joined)  # (B, E)
        highest, chosen = scores.topk(self.active, dim=1)  # (B, K)
        weights = highest.softmax(dim=1)
        gates = torch.zeros_like(scores, dtype=weights.dtype).scatter(1, chosen, weights)
        return torch.einsum("be,bed->bd", gates, outputs)
