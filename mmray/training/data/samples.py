"""The samples of one split. Axes: N samples, B batch, T time, M modalities."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Integer, Shaped

from mmray.core.spec import FeatureSpec
from mmray.features.store.spill import release
from mmray.models.feature_batch import FeatureBatch
from mmray.training.data.batch import Batch
from mmray.training.tasks.label import has_label


@dataclass(frozen=True, slots=True)
class ModalityFeatures:
    """All features of one modality.

    Ragged features lie one after the other in ``values`` (sum of T, ...), and sample n is
    ``values[offsets[n]:offsets[n + 1]]``; others are ``values[n]``. They may lie in a file.
    """

    spec: FeatureSpec
    values: Shaped[np.ndarray, "..."]
    offsets: Integer[np.ndarray, " N1"] | None
    present: Bool[np.ndarray, " N"]

    def lengths(self) -> Integer[np.ndarray, " N"]:
        """Return the steps of each sample; one where there is no time axis or no payload."""
        if self.offsets is None:
            return np.ones(len(self.present), dtype=np.int64)
        return np.where(self.present, np.maximum(np.diff(self.offsets), 1), 1)

    def batch(self, indices: Integer[np.ndarray, " B"]) -> FeatureBatch:
        """Pad to the longest of these samples. An absent one is zeros."""
        if self.offsets is not None:
            return self._ragged_batch(self.offsets, indices)
        values = np.asarray(self.values[indices])  # a copy
        release(self.values)
        values[~self.present[indices]] = 0
        return FeatureBatch(torch.from_numpy(values), None)

    def _ragged_batch(
        self, offsets: Integer[np.ndarray, " N1"], indices: Integer[np.ndarray, " B"]
    ) -> FeatureBatch:
        starts = offsets[indices]
        lengths = np.where(self.present[indices], offsets[indices + 1] - starts, 0)
        steps = max(1, int(lengths.max(initial=1)))
        shape = (len(indices), steps, *self.values.shape[1:])
        padded = np.zeros(shape, dtype=self.values.dtype)  # (B, T, ...)
        spans = zip(starts.tolist(), lengths.tolist(), strict=True)
        for index, (start, length) in enumerate(spans):
            padded[index, :length] = self.values[start : start + length]
        release(self.values)
        # An absent sample is as long as the batch, so that it does not make the others ragged.
        lengths = np.where(self.present[indices], np.maximum(lengths, 1), steps)
        return FeatureBatch(torch.from_numpy(padded), torch.from_numpy(lengths))


@dataclass(frozen=True, slots=True)
class Samples:
    """Features and labels of N samples; the order of ``modalities`` is the M axis.

    Labels are encoded by their task: int64 with -1 for none, or float32 with NaN for none.
    """

    ids: list[str]
    modalities: dict[str, ModalityFeatures]
    labels: dict[str, Shaped[np.ndarray, "N ..."]]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def is_streamed(self) -> bool:
        """Whether features are read from files, batch by batch."""
        return any(isinstance(of_one.values, np.memmap) for of_one in self.modalities.values())

    @property
    def has_payload(self) -> Bool[np.ndarray, " N"]:
        """Which samples have a payload of at least one modality."""
        return np.any([features.present for features in self.modalities.values()], axis=0)

    def labelled(self, task: str) -> Bool[np.ndarray, " N"]:
        """Return which samples have a label of ``task``."""
        return has_label(self.labels[task])

    def lengths(self) -> Integer[np.ndarray, " N"]:
        """Return the steps of each sample over all modalities, to batch similar lengths."""
        totals = np.zeros(len(self), dtype=np.int64)
        for features in self.modalities.values():
            totals += features.lengths()
        return totals

    def batch(
        self, indices: Integer[np.ndarray, " B"], label_totals: Mapping[str, int] | None = None
    ) -> Batch:
        """Return these samples as tensors; ``label_totals`` are by default their own."""
        parts = self.modalities.values()
        labels = {task: values[indices] for task, values in self.labels.items()}
        totals = count_labels(labels) if label_totals is None else dict(label_totals)
        present = np.stack([features.present[indices] for features in parts], axis=1)  # (B, M)
        return Batch(
            {name: features.batch(indices) for name, features in self.modalities.items()},
            torch.from_numpy(present),
            {task: torch.from_numpy(values) for task, values in labels.items()},
            {task: torch.from_numpy(has_label(values)) for task, values in labels.items()},
            totals,
        )


def count_labels(labels: Mapping[str, Shaped[np.ndarray, "N ..."]]) -> dict[str, int]:
    """Return how many labels each task has."""
    return {task: int(np.count_nonzero(has_label(values))) for task, values in labels.items()}
