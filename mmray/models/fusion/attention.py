"""Attention fusion. Axes: B batch, M modalities, D width."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmray.models.encoders.transformer import transformer_stack
from mmray.models.fusion.tokens import ModalityTokens
from mmray.models.fusion.transformer import ask


class AttentionFusion(nn.Module):
    """Self-attention over one token per modality and a learned query token, whose state is kept.

    As an FT-Transformer has one token per column (Gorishniy et al. 2021, arXiv 2106.11959).
    A learned token stands in for an absent modality.
    """

    def __init__(self, modalities: int, width: int, *, heads: int = 4, layers: int = 2) -> None:
        super().__init__()
        self.absent = nn.Parameter(torch.randn(modalities, width) * 0.02)
        self.query = nn.Parameter(torch.randn(width) * 0.02)
        self.modality = nn.Parameter(torch.randn(modalities, width) * 0.02)
        self.stack = transformer_stack(
            width, heads=heads, layers=layers, feedforward=2 * width, dropout=0.0
        )

    def forward(
        self, embeddings: Float[Tensor, "B M D"], present: Bool[Tensor, "B M"]
    ) -> Float[Tensor, "B D"]:
        """Fuse the modality axis away."""
        filled = torch.where(present[..., None], embeddings, self.absent)  # (B, M, D)
        tokens = ModalityTokens(filled + self.modality, torch.ones_like(present))
        return ask(self.stack, self.query, tokens)
