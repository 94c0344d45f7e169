"""LeNet over small pictures and spectrograms. Axes: B batch, T time, F feature, D width."""

import math

from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from mmray.models.encoders.encoded import Encoded, at_least_one, length_mask, pooled_only
from mmray.models.encoders.standardise import Standardise
from mmray.models.encoders.stem import scale_pixels


class LeNet(nn.Module):
    """Blocks of convolution, batch normalisation, ReLU and halving, whose channels double.

    The first convolution is 5x5, the others 3x3: the encoder of AV-MNIST in MultiBench (Liang et
    al. 2021), which goes back to MFAS (Perez-Rua et al. 2019).
    """

    def __init__(
        self, size: tuple[int, int], in_channels: int, *, channels: int, layers: int, width: int
    ) -> None:
        super().__init__()
        sizes = [in_channels, *(channels * 2**layer for layer in range(layers))]
        self.blocks = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv2d(sizes[n], sizes[n + 1], 3 if n else 5, padding="same", bias=False),
                    nn.BatchNorm2d(sizes[n + 1]),
                    nn.ReLU(),
                    nn.MaxPool2d(2),
                )
                for n in range(layers)
            )
        )
        cells = math.prod(side // 2**layers for side in size)
        self.project = nn.Linear(sizes[-1] * cells, width)

    def forward(self, maps: Float[Tensor, "B C H W"]) -> Encoded:
        """Encode pictures of the declared size as one embedding each."""
        return pooled_only(self.project(self.blocks(maps).flatten(1)))


class PixelLeNetEncoder(nn.Module):
    """LeNet over pixels."""

    def __init__(self, network: LeNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, values: Shaped[Tensor, "B H W 3"], lengths: Tensor | None) -> Encoded:
        """Encode a batch of pictures."""
        return self.network(scale_pixels(values))


class SpectrumLeNetEncoder(nn.Module):
    """LeNet over a sequence, as a picture of time and feature; padded with zeros to one length."""

    def __init__(self, network: LeNet, steps: int, features: int) -> None:
        super().__init__()
        self.network = network
        self.scale = Standardise(features)
        self.steps = steps

    def forward(self, values: Float[Tensor, "B T F"], lengths: Tensor | None) -> Encoded:
        """Encode a batch of sequences."""
        mask = length_mask(at_least_one(values, lengths), values.shape[1])
        kept = self.scale(values).masked_fill(~mask[..., None], 0.0)  # (B, T, F)
        whole = F.pad(kept, (0, 0, 0, self.steps - values.shape[1]))
        return self.network(whole[:, None])
