"""Bottleneck fusion. Axes: B batch, M modalities, T tokens, N bottleneck, D width."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from mmray.models.encoders.transformer import transformer_layer
from mmray.models.fusion.tokens import ModalityTokens, fill_absent


class BottleneckFusion(nn.Module):
    """Each modality attends to itself and to N shared tokens, the only way to the others.

    MBT, Nagrani et al. 2021 (arXiv 2107.00135): in a layer every modality makes a version of the
    shared tokens, and the next layer sees their mean. The result is the mean of the summaries. A
    learned token stands in for an absent modality.
    """

    def __init__(
        self, modalities: int, width: int, *, tokens: int = 4, heads: int = 4, layers: int = 2
    ) -> None:
        super().__init__()
        self.absent = nn.Parameter(torch.randn(modalities, width) * 0.02)
        self.shared = nn.Parameter(torch.randn(tokens, width) * 0.02)
        self.layers = nn.ModuleList(
            nn.ModuleList(
                transformer_layer(width, heads=heads, feedforward=2 * width, dropout=0.0)
                for _ in range(modalities)
            )
            for _ in range(layers)
        )

    def forward(
        self, tokens: Sequence[ModalityTokens], present: Bool[Tensor, "B M"]
    ) -> Float[Tensor, "B D"]:
        """Fuse all tokens into one vector."""
        num_shared = len(self.shared)
        parts = fill_absent(tokens, present, self.absent)
        states = [part.values for part in parts]  # M times (B, T, D)
        masks = [F.pad(~part.mask, (num_shared, 0), value=False) for part in parts]
        shared = self.shared.expand(len(present), -1, -1)  # (B, N, D)
        for layer in self.layers.children():
            mixed = [
                block(torch.cat([shared, state], dim=1), src_key_padding_mask=mask)
                for block, state, mask in zip(layer.children(), states, masks, strict=True)
            ]  # M times (B, N + T, D)
            states = [both[:, num_shared:] for both in mixed]
            shared = torch.stack([both[:, :num_shared] for both in mixed]).mean(dim=0)
        return torch.stack([state[:, 0] for state in states]).mean(dim=0)  # (B, D)
