"""One class out of several. Axes: N samples, B batch, C classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Integer
from torch import Tensor
from torch.nn import functional as F

from mmray.config.task.loss import FocalClassesConfig
from mmray.config.task.task import ClassificationConfig
from mmray.core.label.cell import Label
from mmray.core.text.nearest import listed
from mmray.models.head import AffineHead
from mmray.training.tasks.label import (
    at_least_two,
    balanced_weights,
    class_counts,
    class_numbers,
    known_labels,
)
from mmray.training.tasks.losses.formula import focal_classes
from mmray.training.tasks.metrics.classes import (
    class_details,
    classification_metrics,
)
from mmray.training.tasks.saved import saved_names, saved_numbers
from mmray.training.tasks.task import Array, Statistic, repeated


@dataclass(frozen=True, slots=True)
class ClassificationTask:
    """The classes, in the order of the outputs, which are logits."""

    config: ClassificationConfig
    classes: tuple[str, ...]
    weights: tuple[float, ...] | None = None
    """Weight of each class in the loss."""

    @property
    def head(self) -> AffineHead:
        """The head that the model needs."""
        return AffineHead(len(self.classes))

    @property
    def outputs(self) -> int:
        """Outputs of the head."""
        return len(self.classes)

    def encode(self, labels: Sequence[Label | None]) -> Integer[np.ndarray, " N"]:
        """Return class numbers, -1 for none."""
        return class_numbers(self.classes, labels)

    def losses(
        self, outputs: Float[Tensor, "B C"], targets: Integer[Tensor, " B"]
    ) -> Float[Tensor, " B"]:
        """Return the loss of each sample."""
        loss = self.config.loss
        weights = None if self.weights is None else outputs.new_tensor(self.weights)
        if isinstance(loss, FocalClassesConfig):
            return focal_classes(outputs, targets, gamma=loss.gamma, weights=weights)
        return F.cross_entropy(
            outputs, targets, weights, reduction="none", label_smoothing=loss.label_smoothing
        )

    def decode(self, outputs: Float[Tensor, "N C"]) -> Float[np.ndarray, "N C"]:
        """Return probabilities."""
        return outputs.float().softmax(dim=-1).cpu().numpy()

    def metrics(self, decoded: Array, labels: Array) -> dict[str, float]:
        """Return accuracy, and precision, recall and F1 in macro and weighted average."""
        return classification_metrics(decoded.argmax(axis=1), labels, self.classes)

    def details(self, decoded: Array, labels: Array) -> dict[str, Any]:
        """Return figures per class and the confusion matrix."""
        return class_details(decoded.argmax(axis=1), labels, self.classes)

    def main_statistic(self, decoded: Array, labels: Array) -> Statistic:
        """Return the accuracy as a function of row numbers."""
        hits = (decoded.argmax(axis=1) == labels).astype(np.float64)
        return lambda rows: float(hits[rows].mean())

    def constant(self, labels: Array, decoded: Array) -> Array:
        """Return the share of each class for every sample."""
        shares = np.bincount(labels, minlength=len(self.classes)) / max(1, len(labels))
        return repeated(shares, len(decoded))

    def describe(self, decoded: Array) -> dict[str, Any]:
        """Return the most probable class, and all probabilities."""
        probabilities = dict(zip(self.classes, decoded.tolist(), strict=True))
        return {"label": self.classes[int(decoded.argmax())], "probabilities": probabilities}

    def summary(self) -> str:
        """Return a phrase about the outputs."""
        return f"one of {listed(self.classes)}, with probabilities"

    def to_dict(self) -> dict[str, Any]:
        """Return classes and weights as plain JSON types."""
        weights = None if self.weights is None else list(self.weights)
        return {"kind": "classification", "classes": list(self.classes), "weights": weights}


def label_probabilities(
    outputs: Float[Tensor, "B C"], labels: Integer[Tensor, " B"]
) -> Float[Tensor, " B"]:
    """Return the probability of each label; weights and smoothing would change exp(-loss)."""
    probabilities = outputs.float().softmax(dim=-1)
    return probabilities.gather(1, labels.clamp(min=0)[:, None]).squeeze(1)


def fit_classification(
    config: ClassificationConfig, labels: Sequence[Label | None], _: Sequence[str] = ()
) -> ClassificationTask:
    """Learn the classes, and their weights, from the labels of the train split."""
    counts = class_counts(known_labels(config.column, labels))
    classes = config.classes or tuple(sorted(counts))
    at_least_two(config.column, classes)
    class_numbers(classes, counts)  # a label that is not among the classes is an error
    is_balanced = config.loss.class_weights == "balanced"
    weights = balanced_weights(counts, classes) if is_balanced else None
    return ClassificationTask(config, classes, weights)


def restore_classification(
    config: ClassificationConfig, document: Mapping[str, Any]
) -> ClassificationTask:
    """Read back what ``to_dict`` wrote."""
    weights = None if document["weights"] is None else saved_numbers(document, "weights")
    return ClassificationTask(config, saved_names(document, "classes"), weights)
