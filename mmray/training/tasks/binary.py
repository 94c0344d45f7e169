"""Yes or no. Axes: N samples, B batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Integer
from torch import Tensor

from mmray.config.task.task import BinaryConfig
from mmray.core.label.cell import Label
from mmray.core.label.positive import positive_of
from mmray.core.text.nearest import listed
from mmray.errors import TrainingError
from mmray.models.head import AffineHead
from mmray.training.tasks.label import at_least_two, class_counts, class_numbers, known_labels
from mmray.training.tasks.losses.flags import balanced_weight, flag_losses
from mmray.training.tasks.metrics.classes import class_details
from mmray.training.tasks.metrics.flags import BINARY, THRESHOLD, FlagRows
from mmray.training.tasks.metrics.measure import measure
from mmray.training.tasks.saved import saved_names, saved_number
from mmray.training.tasks.task import Array, Statistic, repeated


@dataclass(frozen=True, slots=True)
class BinaryTask:
    """The two classes, the negative one first; the output is the logit of the positive one."""

    config: BinaryConfig
    classes: tuple[str, str]
    positive_weight: float = 1.0
    """Weight of a positive label in the loss."""

    outputs = 1
    head = AffineHead(1)

    def encode(self, labels: Sequence[Label | None]) -> Integer[np.ndarray, " N"]:
        """Return 0 and 1, -1 for none."""
        return class_numbers(self.classes, labels)

    def losses(
        self, outputs: Float[Tensor, "B 1"], targets: Integer[Tensor, " B"]
    ) -> Float[Tensor, " B"]:
        """Return the loss of each sample."""
        weights = outputs.new_tensor([self.positive_weight])
        flags = targets[:, None].to(outputs.dtype)  # (B, 1)
        return flag_losses(self.config.loss, outputs, flags, weights).squeeze(1)

    def decode(self, outputs: Float[Tensor, "N 1"]) -> Float[np.ndarray, " N"]:
        """Return the probability of the positive class."""
        return outputs.squeeze(-1).float().sigmoid().cpu().numpy()

    def metrics(self, decoded: Array, labels: Array) -> dict[str, float]:
        """Return what the positive class is found with; auroc needs labels of both classes."""
        scores, target = torch.from_numpy(decoded).double(), torch.from_numpy(labels)
        return measure(BINARY, FlagRows(scores, target))

    def details(self, decoded: Array, labels: Array) -> dict[str, Any]:
        """Return figures per class and the confusion matrix."""
        return class_details(_is_positive(decoded), labels, self.classes)

    def main_statistic(self, decoded: Array, labels: Array) -> Statistic:
        """Return the accuracy as a function of row numbers."""
        hits = (_is_positive(decoded) == labels).astype(np.float64)
        return lambda rows: float(hits[rows].mean())

    def constant(self, labels: Array, decoded: Array) -> Array:
        """Return the share of the positive class for every sample."""
        return repeated(labels.mean(), len(decoded))

    def describe(self, decoded: Array) -> dict[str, Any]:
        """Return the more probable class, and both probabilities."""
        positive = float(decoded)
        return {
            "label": self.classes[positive > THRESHOLD],
            "probabilities": dict(zip(self.classes, (1.0 - positive, positive), strict=True)),
        }

    def summary(self) -> str:
        """Return a phrase about the outputs."""
        return f"{self.classes[1]} or {self.classes[0]}, with probabilities"

    def to_dict(self) -> dict[str, Any]:
        """Return classes and weight as plain JSON types."""
        return {
            "kind": "binary",
            "classes": list(self.classes),
            "positive_weight": self.positive_weight,
        }


def fit_binary(
    config: BinaryConfig, labels: Sequence[Label | None], _: Sequence[str] = ()
) -> BinaryTask:
    """Learn the classes, and the weight of the positive one, from the train split's labels."""
    counts = class_counts(known_labels(config.column, labels))
    classes = sorted(counts)
    at_least_two(config.column, classes)
    positive = positive_of(config.positive, classes)
    if positive is None or len(classes) > 2:
        raise TrainingError(
            f"column {config.column!r} has the labels {listed(classes)}: which is positive?",
            where=f"column {config.column}",
            hint="a binary task has two labels, and 'positive' names one of them",
        )
    negative = next(name for name in classes if name != positive)
    weight = balanced_weight(config.loss, counts[positive], counts[negative])
    return BinaryTask(config, (negative, positive), weight)


def restore_binary(config: BinaryConfig, document: Mapping[str, Any]) -> BinaryTask:
    """Read back what ``to_dict`` wrote."""
    negative, positive = saved_names(document, "classes")
    return BinaryTask(config, (negative, positive), saved_number(document, "positive_weight"))


def _is_positive(probabilities: Float[np.ndarray, " N"]) -> Integer[np.ndarray, " N"]:
    return (probabilities > THRESHOLD).astype(np.int64)
