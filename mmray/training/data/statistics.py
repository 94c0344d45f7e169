"""Statistics of the train split for encoders. Axes: N samples or steps, F feature."""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from mmray.features.store.spill import release
from mmray.models.encoders.standardise import Standardise
from mmray.models.fusion_model import FusionModel
from mmray.training.data.samples import ModalityFeatures, Samples

BLOCK_BYTES = 4 * 2**20
"""Read at once: features need not fit in memory."""


def fit_statistics(model: FusionModel, train: Samples) -> None:
    """Fit every ``Standardise`` of the encoders on the present features of the train split.

    The statistics are buffers, so they travel with the weights.
    """
    for name, encoder in zip(model.modalities, model.encoders, strict=True):
        layers = [module for module in encoder.modules() if isinstance(module, Standardise)]
        if not layers:
            continue
        mean, variance, count = moments(train.modalities[name])
        for layer in layers if count else ():
            layer.fit(mean, variance.sqrt())


def moments(features: ModalityFeatures) -> tuple[Float[Tensor, "..."], Float[Tensor, "..."], int]:
    """Return mean and variance of all present features, or of all steps, and their number.

    In float64, block by block (Chan 1983).
    """
    shape = features.values.shape[1:]
    mean, squares, count = torch.zeros(shape).double(), torch.zeros(shape).double(), 0
    for block in _blocks(features):
        size, block_mean = len(block), block.mean(dim=0)
        total, apart = count + size, block_mean - mean
        squares += (block - block_mean).square().sum(dim=0) + apart.square() * count * size / total
        mean += apart * size / total
        count = total
    return mean, squares / max(1, count), count


def _blocks(features: ModalityFeatures) -> Iterator[Float[Tensor, "N ..."]]:
    """Yield all values but those of absent samples, which ragged features have none of."""
    rows = max(1, BLOCK_BYTES // max(1, features.values[:1].nbytes))
    for start in range(0, len(features.values), rows):
        block = features.values[start : start + rows]
        if features.offsets is None:
            block = block[features.present[start : start + rows]]
        if len(block):
            yield torch.tensor(block, dtype=torch.float64)
        release(features.values)
