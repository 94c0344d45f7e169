"""Attention fusion. Axes: B batch, M modalities, D width."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmray.models.encoders.transformer import transformer_stack


class AttentionFusion(nn.Module):
    """Self-attention over one token per modality and a learned query token, whose state is kept.

    Nothing attends to an absent modality. The query token is always there, so that a sample with
    nothing present has something to attend to.
    """

    def __init__(self, modalities: int, width: int, *, heads: int = 4, layers: int = 1) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.randn(width) * 0.02)
        self.modality = nn.Parameter(torch.randn(modalities, width) * 0.02)
        self.stack = transformer_stack(
            width, heads=heads, layers=layers, feedforward=2 * width, dropout=0.0
        )

    def forward(
        self, embeddings: Float[Tensor, "B M D"], present: Bool[Tensor, "B M"]
    ) -> Float[Tensor, "B D"]:
        """Fuse the modality axis away."""
        filled = torch.where(present[..., None], embeddings, 0.0) + self.modality  # (B, M, D)
        query = self.query.expand(len(filled), 1, -1)  # (B, 1, D)
        absent = torch.cat([torch.zeros_like(present[:, :1]), ~present], dim=1)  # (B, 1 + M)
        tokens = self.stack(torch.cat([query, filled], dim=1), src_key_padding_mask=absent)
        return tokens[:, 0]  # (B, D)
