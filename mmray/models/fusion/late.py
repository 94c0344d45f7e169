"""Late fusion: of outputs, not of embeddings. Axes: B batch, M modalities, D width, C outputs."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmray.models.head import AffineHead, affine_head


class LateHead(nn.Module):
    """``sum_m w_m head_m(x_m)``: a head per modality, and weights over what is present.

    ``w`` is uniform, or the softmax of one learned number per modality. An absent modality has no
    weight; a sample with nothing present gets zeros. It takes the place of fusion and head.
    """

    scores: Tensor

    def __init__(self, modalities: int, width: int, spec: AffineHead, *, is_learned: bool) -> None:
        super().__init__()
        self.heads = nn.ModuleList(affine_head(width, spec) for _ in range(modalities))
        if is_learned:
            self.scores = nn.Parameter(torch.zeros(modalities))
        else:
            self.register_buffer("scores", torch.zeros(modalities), persistent=False)

    def forward(
        self, embeddings: Float[Tensor, "B M D"], present: Bool[Tensor, "B M"]
    ) -> Float[Tensor, "B C"]:
        """Return logits, or one standardised number."""
        filled = torch.where(present[..., None], embeddings, 0.0)
        parts = zip(self.heads, filled.unbind(1), strict=True)
        outputs = torch.stack([head(x) for head, x in parts], dim=1)  # (B, M, C)
        # Not -inf: a sample with nothing present would make the softmax, and its gradient, NaN.
        scores = torch.where(present, self.scores, torch.finfo(self.scores.dtype).min)  # (B, M)
        weights = torch.where(present, scores.softmax(dim=1), 0.0)
        return (weights[..., None] * outputs).sum(dim=1)  # (B, C)
