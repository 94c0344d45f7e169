"""Feature-wise linear modulation. Axes: B batch, M modalities, D width."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


class FilmFusion(nn.Module):
    """``(1 + scale) * W x_c + shift``: one modality c, as all others say.

    FiLM, Perez et al. 2018 (arXiv 1709.07871): scale and shift are an affine map of the other
    embeddings and of presence. A learned token stands in for an absent modality.
    """

    def __init__(self, modalities: int, width: int, *, conditioned: int = 0) -> None:
        super().__init__()
        self.absent = nn.Parameter(torch.randn(modalities, width) * 0.02)
        self.hidden = nn.Linear(width, width)
        self.modulate = nn.Linear((modalities - 1) * width + modalities, 2 * width)
        self.conditioned = conditioned

    def forward(
        self, embeddings: Float[Tensor, "B M D"], present: Bool[Tensor, "B M"]
    ) -> Float[Tensor, "B D"]:
        """Fuse the modality axis away."""
        filled = list(torch.where(present[..., None], embeddings, self.absent).unbind(1))
        hidden = self.hidden(filled.pop(self.conditioned))  # (B, D)
        others = torch.cat([*filled, present.to(hidden.dtype)], dim=1)  # (B, (M - 1) D + M)
        scale, shift = self.modulate(others).chunk(2, dim=1)  # (B, D)
        return (1 + scale) * hidden + shift
