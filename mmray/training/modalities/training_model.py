"""The model in training: on complete samples and, if asked, on each modality alone.

Axes: B batch, M modalities, C outputs.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from mmray.models.feature_batch import FeatureBatch
from mmray.models.fusion_model import FusionModel


class TrainingOutputs(NamedTuple):
    """Outputs per task (B, C): of all modalities together, and of each one alone."""

    whole: dict[str, Tensor]
    alone: list[dict[str, Tensor]]
    """One per modality; empty where nothing needs them."""


class TrainingModel(nn.Module):
    """Runs the encoders once, then fusion and heads on all and on each modality alone.

    Otherwise the modality that learns fastest would explain the labels before the other encoders
    have learned anything. All share the weights, so this also trains the fusion to work with one
    modality. Outputs of one modality that only show how good it is (``learns_alone`` is off) have
    no gradients.
    """

    def __init__(self, model: FusionModel, *, alone: bool, learns_alone: bool = True) -> None:
        super().__init__()
        self.model = model
        self.alone = alone and len(model.modalities) > 1
        self.learns_alone = learns_alone

    def forward(
        self, features: Mapping[str, FeatureBatch], present: Bool[Tensor, "B M"]
    ) -> TrainingOutputs:
        """Return the outputs with all modalities, and with each alone."""
        embeddings = self.model.embed(features, present)  # (B, M, D)
        whole = self.model.fuse(embeddings, present)
        if not self.alone:
            return TrainingOutputs(whole, [])
        with torch.set_grad_enabled(self.learns_alone and torch.is_grad_enabled()):
            alone = [
                self.model.fuse(embeddings, only(present, modality))
                for modality in range(present.shape[1])
            ]
        return TrainingOutputs(whole, alone)


def only(present: Bool[Tensor, "B M"], modality: int) -> Bool[Tensor, "B M"]:
    """Return presence with all but one modality hidden."""
    column = torch.arange(present.shape[1], device=present.device) == modality  # (M)
    return present & column
