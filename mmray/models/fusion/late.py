"""Late fusion: of outputs, not of embeddings. Axes: B batch, M modalities, D width, C outputs."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmray.models.head import AffineHead, affine_head


class LateHead(nn.Module):
    """``sum_m w_m head_m(x_m)``: a head per modality, and a weight for each.

    ``w`` is uniform, or the softmax of one learned number per modality. A learned token stands in
    for an absent modality, so that its head says the same of all samples that lack it. It takes the
    place of fusion and head.
    """

    scores: Tensor

    def __init__(self, modalities: int, width: int, spec: AffineHead, *, is_learned: bool) -> None:
        super().__init__()
        # Zeros: before training, an absent modality predicts the bias of its head.
        self.absent = nn.Parameter(torch.zeros(modalities, width))
        self.heads = nn.ModuleList(affine_head(width, spec) for _ in range(modalities))
        if is_learned:
            self.scores = nn.Parameter(torch.zeros(modalities))
        else:
            self.register_buffer("scores", torch.zeros(modalities), persistent=False)

    def forward(
        self, embeddings: Float[Tensor, "B M D"], present: Bool[Tensor, "B M"]
    ) -> Float[Tensor, "B C"]:
        """Return logits, or one standardised number."""
        filled = torch.where(present[..., None], embeddings, self.absent)
        parts = zip(self.heads, filled.unbind(1), strict=True)
        outputs = torch.stack([head(x) for head, x in parts], dim=1)  # (B, M, C)
        return (self.scores.softmax(dim=0)[:, None] * outputs).sum(dim=1)  # (B, C)
