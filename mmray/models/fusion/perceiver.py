"""Perceiver fusion. Axes: B batch, M modalities, T tokens, N latents, D width."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmray.models.encoders.transformer import transformer_layer
from mmray.models.fusion.cross_block import CrossBlock
from mmray.models.fusion.tokens import ModalityTokens, fill_absent, join_tokens


class PerceiverFusion(nn.Module):
    """N learned latents attend to all tokens of all modalities, then to each other, in rounds.

    Jaegle et al. 2021 (arXiv 2103.03206); the result is the mean of the latents, and each round has
    weights of its own. A learned token stands in for an absent modality.
    """

    def __init__(
        self, modalities: int, width: int, *, latents: int = 16, heads: int = 4, layers: int = 2
    ) -> None:
        super().__init__()
        self.absent = nn.Parameter(torch.randn(modalities, width) * 0.02)
        self.modality = nn.Parameter(torch.randn(modalities, width) * 0.02)
        self.latents = nn.Parameter(torch.randn(latents, width) * 0.02)
        self.look = nn.ModuleList(CrossBlock(width, heads) for _ in range(layers))
        self.think = nn.ModuleList(
            transformer_layer(width, heads=heads, feedforward=2 * width, dropout=0.0)
            for _ in range(layers)
        )

    def forward(
        self, tokens: Sequence[ModalityTokens], present: Bool[Tensor, "B M"]
    ) -> Float[Tensor, "B D"]:
        """Fuse all tokens into one vector."""
        memory = join_tokens(fill_absent(tokens, present, self.absent), self.modality)
        latents = self.latents.expand(len(present), -1, -1)  # (B, N, D)
        for look, think in zip(self.look, self.think, strict=True):
            latents = think(look(latents, memory))
        return latents.mean(dim=1)  # (B, D)
