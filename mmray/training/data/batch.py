"""The data of one worker in one step. Axes: B batch, M modalities."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Shaped
from torch import Tensor

from mmray.models.feature_batch import FeatureBatch


@dataclass(frozen=True, slots=True)
class Batch:
    """Features, presence and labels of some samples."""

    features: dict[str, FeatureBatch]
    present: Bool[Tensor, "B M"]
    labels: dict[str, Shaped[Tensor, "B ..."]]
    labelled: dict[str, Bool[Tensor, " B"]]
    label_totals: dict[str, int]
    """Labelled samples per task in the global batch: that of all workers together."""
    share: float = 1.0
    """Share of the batch of one step: less than one if a step has several parts."""
    least: int | None = None
    """Samples of the worker that has the fewest in this step; None where all have as many."""

    def pinned(self) -> "Batch":
        """Return the batch in memory that a GPU can copy from by itself."""
        return Batch(
            {name: feature.pinned() for name, feature in self.features.items()},
            self.present.pin_memory(),
            {task: labels.pin_memory() for task, labels in self.labels.items()},
            {task: mask.pin_memory() for task, mask in self.labelled.items()},
            self.label_totals,
            self.share,
            self.least,
        )

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on ``device``."""
        return Batch(
            {name: feature.to(device) for name, feature in self.features.items()},
            self.present.to(device, non_blocking=True),
            {task: labels.to(device, non_blocking=True) for task, labels in self.labels.items()},
            {task: mask.to(device, non_blocking=True) for task, mask in self.labelled.items()},
            self.label_totals,
            self.share,
            self.least,
        )
