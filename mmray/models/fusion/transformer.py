"""Transformer fusion. Axes: B batch, M modalities, T tokens, D width."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from mmray.models.encoders.transformer import transformer_stack
from mmray.models.fusion.tokens import ModalityTokens, fill_absent, join_tokens


class TransformerFusion(nn.Module):
    """Self-attention over all tokens of all modalities and a learned query, whose state is kept.

    The query is the CLS token of Devlin et al. 2018 (arXiv 1810.04805). A learned token stands in
    for an absent modality.
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
        self, tokens: Sequence[ModalityTokens], present: Bool[Tensor, "B M"]
    ) -> Float[Tensor, "B D"]:
        """Fuse all tokens into one vector."""
        filled = fill_absent(tokens, present, self.absent)
        return ask(self.stack, self.query, join_tokens(filled, self.modality))


def ask(
    stack: nn.TransformerEncoder, query: Float[Tensor, " D"], tokens: ModalityTokens
) -> Float[Tensor, "B D"]:
    """Return the last state of a query that stands before the tokens; it is never masked."""
    first = query.expand(len(tokens.values), 1, -1)  # (B, 1, D)
    hidden = F.pad(~tokens.mask, (1, 0), value=False)  # (B, 1 + T)
    states = stack(torch.cat([first, tokens.values], dim=1), src_key_padding_mask=hidden)
    return states[:, 0]  # (B, D)
