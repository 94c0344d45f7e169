"""The linear encoder. Axes: B batch, F feature, D width."""

from jaxtyping import Shaped
from torch import Tensor, nn

from mmray.models.encoders.encoded import Encoded, pooled_only


class LinearEncoder(nn.Module):
    """One affine map after ``norm``. ``stem`` makes a vector of any layout."""

    def __init__(self, stem: nn.Module, norm: nn.Module, in_size: int, width: int) -> None:
        super().__init__()
        self.stem = stem
        self.norm = norm
        self.project = nn.Linear(in_size, width)

    def forward(self, values: Shaped[Tensor, "B ..."], lengths: Tensor | None) -> Encoded:
        """Encode a batch of features."""
        return pooled_only(self.project(self.norm(self.stem(values, lengths))))
