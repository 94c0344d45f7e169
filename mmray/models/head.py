"""The head of one task. Axes: B batch, D width, C outputs."""

from jaxtyping import Float
from torch import Tensor, nn


class Head(nn.Module):
    """Layer normalisation and one affine map from the fused vector to a task's outputs."""

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.project = nn.Linear(width, outputs)

    def forward(self, fused: Float[Tensor, "B D"]) -> Float[Tensor, "B C"]:
        """Return logits, or one standardised number."""
        return self.project(self.norm(fused))
