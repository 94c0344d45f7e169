"""The MLP encoder. Axes: B batch, F feature, D width."""

from collections.abc import Sequence
from itertools import pairwise

from jaxtyping import Shaped
from torch import Tensor, nn

from mmray.models.encoders.encoded import Encoded, pooled_only


class MlpEncoder(nn.Module):
    """``norm``, then hidden layers with GELU. ``stem`` makes a vector of any layout."""

    def __init__(
        self,
        stem: nn.Module,
        norm: nn.Module,
        in_size: int,
        width: int,
        *,
        hidden: Sequence[int] = (256,),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.stem = stem
        layers: list[nn.Module] = [norm]
        for size_in, size_out in pairwise((in_size, *hidden)):
            layers += [nn.Linear(size_in, size_out), nn.GELU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*layers, nn.Linear((in_size, *hidden)[-1], width))

    def forward(self, values: Shaped[Tensor, "B ..."], lengths: Tensor | None) -> Encoded:
        """Encode a batch of features."""
        return pooled_only(self.layers(self.stem(values, lengths)))
