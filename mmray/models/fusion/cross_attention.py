"""Cross-attention fusion. Axes: B batch, M modalities, T tokens, D width."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmray.models.encoders.transformer import transformer_layer
from mmray.models.fusion.cross_block import CrossBlock
from mmray.models.fusion.tokens import ModalityTokens, fill_absent


class CrossAttentionFusion(nn.Module):
    """The tokens of each modality attend to those of each other one, for every ordered pair.

    MulT, Tsai et al. 2019 (arXiv 1906.00295): what a modality received from each other one is
    joined and goes through self-attention; then the summaries of all are joined. Unlike there,
    joining is an affine map back to width D. A learned token replaces an absent modality; the only
    modality of a model attends to itself.
    """

    def __init__(self, modalities: int, width: int, *, heads: int = 4, layers: int = 1) -> None:
        super().__init__()
        self.absent = nn.Parameter(torch.randn(modalities, width) * 0.02)
        self.targets = nn.ModuleList(
            Target(num_sources=max(1, modalities - 1), width=width, heads=heads, layers=layers)
            for _ in range(modalities)
        )
        self.project = nn.Linear(modalities * width, width)

    def forward(
        self, tokens: Sequence[ModalityTokens], present: Bool[Tensor, "B M"]
    ) -> Float[Tensor, "B D"]:
        """Fuse all tokens into one vector."""
        filled = fill_absent(tokens, present, self.absent)
        summaries = [
            target(part, [other for other in filled if other is not part] or filled)
            for target, part in zip(self.targets, filled, strict=True)
        ]
        return self.project(torch.cat(summaries, dim=1))  # (B, D)


class Target(nn.Module):
    """One modality as it attends to the others."""

    def __init__(self, *, num_sources: int, width: int, heads: int, layers: int) -> None:
        super().__init__()
        self.sources = nn.ModuleList(
            nn.ModuleList(CrossBlock(width, heads) for _ in range(layers))
            for _ in range(num_sources)
        )
        self.join = nn.Linear(num_sources * width, width)
        self.mix = transformer_layer(width, heads=heads, feedforward=2 * width, dropout=0.0)

    def forward(
        self, own: ModalityTokens, others: Sequence[ModalityTokens]
    ) -> Float[Tensor, "B D"]:
        """Return the summary of ``own`` after it has seen the others."""
        learnt: list[Tensor] = []
        for blocks, other in zip(self.sources.children(), others, strict=True):
            states = own.values
            for block in blocks.children():
                states = block(states, other)  # (B, T, D)
            learnt.append(states)
        joined = self.join(torch.cat(learnt, dim=2))  # (B, T, D)
        return self.mix(joined, src_key_padding_mask=~own.mask)[:, 0]
