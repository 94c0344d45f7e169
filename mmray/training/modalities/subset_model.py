"""A model with some of the modalities only. Axes: B batch, N samples, M modalities, C outputs."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmray.models.feature_batch import FeatureBatch
from mmray.models.fusion_model import FusionModel
from mmray.training.loop.predict import in_order
from mmray.training.tasks.task import Tasks

Subset = tuple[str, ...]
"""Names of modalities."""


class ModalitySubsetModel(nn.Module):
    """Runs the encoders once, then fusion and heads with each subset of what is present."""

    kept: Tensor

    def __init__(self, model: FusionModel, subsets: Sequence[Subset]) -> None:
        super().__init__()
        self.model = model
        kept = [[name in subset for name in model.modalities] for subset in subsets]
        self.register_buffer("kept", torch.tensor(kept), persistent=False)

    def forward(
        self, features: Mapping[str, FeatureBatch], present: Bool[Tensor, "B M"]
    ) -> dict[str, Float[Tensor, "B _"]]:
        """Return the outputs (B, C) of each task and subset, named as `part_name` does."""
        embedded = self.model.embed(features, present)
        kept = self.kept.to(present.device)
        return {
            part_name(number, task): outputs
            for number, row in enumerate(kept)
            for task, outputs in self.model.fuse(embedded, present & row).items()
        }


def part_name(number: int, task: str) -> str:
    """Return the name of a task's outputs with subset ``number``."""
    return f"{number} {task}"


def parts_in_order(
    indices: np.ndarray, outputs: dict[str, Tensor], tasks: Tasks, count: int
) -> list[dict[str, Float[Tensor, "N _"]]]:
    """Return outputs by subset and task, in the order of the samples."""
    names = {part_name(n, name): task for n in range(count) for name, task in tasks.items()}
    ordered = in_order(indices, outputs, names)
    return [{name: ordered[part_name(n, name)] for name in tasks} for n in range(count)]
