"""Augmentation of train batches, the same with any number of workers and after a resume.

Axes: B batch, K random numbers.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from mmray.training.augment.step import AugmentStep
from mmray.training.data.batch import Batch

Augmentation = Mapping[str, Sequence[AugmentStep]]
"""The augmentation steps of a modality, in order."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Which samples of each global batch one worker has, in the order of an epoch."""

    samples: int
    batch_size: int
    rank: int
    world: int

    def rows(self, step: int) -> tuple[int, np.ndarray]:
        """Return how many samples the global batch of ``step`` has, and which are this worker's."""
        total = min(self.batch_size, self.samples - step * self.batch_size)
        return total, np.array_split(np.arange(total), self.world)[self.rank]


def augmented(
    batches: Iterable[Batch], steps: Augmentation, shares: Shares, *, seed: int, epoch: int
) -> Iterator[Batch]:
    """Yield each train batch with its features changed."""
    for step, batch in enumerate(batches):
        total, rows = shares.rows(step)
        yield augment_batch(batch, steps, key=(seed, epoch, step), total=total, rows=rows)


def augment_batch(
    batch: Batch,
    steps: Augmentation,
    *,
    key: tuple[int, ...],
    total: int,
    rows: np.ndarray,
) -> Batch:
    """Change each sample by numbers that follow from ``key`` and its place in the global batch."""
    features = dict(batch.features)
    for name, changes in steps.items():
        for number, change in enumerate(changes):
            # By name: another modality beside it changes nothing.
            stream = np.random.default_rng([*key, zlib.crc32(name.encode()), number])
            luck = stream.random((total, change.numbers), dtype=np.float32)[rows]  # (B, K)
            features[name] = change(features[name], torch.from_numpy(luck))
    return replace(batch, features=features)
