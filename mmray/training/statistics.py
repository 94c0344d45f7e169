"""What encoders must know of the train split beforehand. Axes: N samples or steps, F feature."""

import torch

from mmray.models.encoders.standardise import Standardise
from mmray.models.fusion_model import FusionModel
from mmray.training.samples import Samples


def fit_statistics(model: FusionModel, train: Samples) -> None:
    """Fit every ``Standardise`` of the encoders on the present features of the train split.

    The statistics are buffers, so they travel with the weights.
    """
    for name, encoder in zip(model.modalities, model.encoders, strict=True):
        layers = [module for module in encoder.modules() if isinstance(module, Standardise)]
        if not layers:
            continue
        features = train.modalities[name]
        # Ragged features of absent samples have no steps; dense ones are zeros to be left out.
        dense = features.offsets is None
        values = features.values[features.present] if dense else features.values
        for layer in layers:
            layer.fit(torch.from_numpy(values))
