"""Features of one modality for one batch. Axes: B batch, T time, F feature, H W image."""

from typing import NamedTuple

import torch
from torch import Tensor


class FeatureBatch(NamedTuple):
    """Padded features: (B, F), (B, T, F), (B, T) ids, (B, H, W, 3) or (B, T, H, W, 3) uint8."""

    values: Tensor
    lengths: Tensor | None
    """(B,) steps of each sample, where the layout has a time axis; else None."""

    def to(self, device: torch.device) -> "FeatureBatch":
        """Return the batch on ``device``."""
        lengths = self.lengths
        return FeatureBatch(
            self.values.to(device, non_blocking=True),
            None if lengths is None else lengths.to(device, non_blocking=True),
        )

    def pinned(self) -> "FeatureBatch":
        """Return the batch in memory that a GPU can copy from by itself."""
        lengths = self.lengths
        return FeatureBatch(
            self.values.pin_memory(), None if lengths is None else lengths.pin_memory()
        )
