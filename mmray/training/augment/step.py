"""The contract of augmentations. Axes: B batch, K random numbers."""

from typing import Protocol, runtime_checkable

from torch import Tensor

from mmray.models.feature_batch import FeatureBatch


@runtime_checkable
class AugmentStep(Protocol):
    """A random change of one modality's features. All chance is in the numbers that it is given."""

    @property
    def numbers(self) -> int:
        """Return how many random numbers one sample needs (K)."""
        ...

    def __call__(self, batch: FeatureBatch, luck: Tensor) -> FeatureBatch:
        """Change each sample by its own numbers (B, K), uniform in [0, 1)."""
        ...
