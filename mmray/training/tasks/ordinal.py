"""One class out of several that have an order. Axes: N samples, B batch, K classes, C = K - 1."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Integer
from torch import Tensor

from mmray.config.task.task import OrdinalConfig
from mmray.core.label.cell import Label
from mmray.core.label.order import ordered
from mmray.core.text.nearest import listed
from mmray.errors import TrainingError
from mmray.models.head import AffineHead
from mmray.training.tasks.label import at_least_two, class_counts, class_numbers, known_labels
from mmray.training.tasks.losses.formula import coral, corn
from mmray.training.tasks.metrics.classes import (
    ClassRows,
    accuracy,
    class_details,
    class_rows,
    kappa,
)
from mmray.training.tasks.metrics.measure import MetricFunctions, measure
from mmray.training.tasks.saved import saved_names
from mmray.training.tasks.task import Array, Statistic, repeated


def _mean_error(rows: ClassRows) -> float:
    return float((rows.predicted - rows.labels).abs().double().mean())


ORDINAL: MetricFunctions[ClassRows] = {
    "mae": _mean_error,
    "accuracy": accuracy,
    "quadratic_weighted_kappa": kappa,
}


@dataclass(frozen=True, slots=True)
class OrdinalTask:
    """The classes, lowest first. Output c is the logit of being above class c.

    With CORN it is the logit of that for samples of at least class c.
    """

    config: OrdinalConfig
    classes: tuple[str, ...]

    @property
    def head(self) -> AffineHead:
        """The head that the model needs."""
        return AffineHead(self.outputs, shares_weights=self.config.method == "coral")

    @property
    def outputs(self) -> int:
        """Outputs of the head: one per threshold between two classes."""
        return len(self.classes) - 1

    def encode(self, labels: Sequence[Label | None]) -> Integer[np.ndarray, " N"]:
        """Return ranks from zero, -1 for none."""
        return class_numbers(self.classes, labels)

    def losses(
        self, outputs: Float[Tensor, "B C"], targets: Integer[Tensor, " B"]
    ) -> Float[Tensor, " B"]:
        """Return the loss of each sample."""
        return (corn if self.config.method == "corn" else coral)(outputs, targets)

    def decode(self, outputs: Float[Tensor, "N C"]) -> Float[np.ndarray, "N K"]:
        """Return the probability of each class."""
        above = outputs.float().sigmoid()
        # To be above a threshold is never more probable than to be above a lower one.
        above = above.cumprod(dim=1) if self.config.method == "corn" else above.cummin(dim=1)[0]
        edges = torch.nn.functional.pad(above, (1, 0), value=1.0)  # (N, K)
        beyond = torch.nn.functional.pad(above, (0, 1), value=0.0)  # (N, K)
        return (edges - beyond).cpu().numpy()

    def metrics(self, decoded: Array, labels: Array) -> dict[str, float]:
        """Return the mean error in ranks, accuracy, and kappa, which needs two different labels."""
        return measure(ORDINAL, class_rows(_ranks(decoded), labels, self.classes))

    def details(self, decoded: Array, labels: Array) -> dict[str, Any]:
        """Return figures per class and the confusion matrix."""
        return class_details(_ranks(decoded), labels, self.classes)

    def main_statistic(self, decoded: Array, labels: Array) -> Statistic:
        """Return the mean error in ranks as a function of row numbers."""
        errors = np.abs(_ranks(decoded) - labels)
        return lambda rows: float(errors[rows].mean())

    def constant(self, labels: Array, decoded: Array) -> Array:
        """Return the share of each class for every sample; the median class is predicted."""
        shares = np.bincount(labels, minlength=len(self.classes)) / max(1, len(labels))
        return repeated(shares, len(decoded))

    def describe(self, decoded: Array) -> dict[str, Any]:
        """Return the median class, and all probabilities."""
        probabilities = dict(zip(self.classes, decoded.tolist(), strict=True))
        return {"label": self.classes[_ranks(decoded[None])[0]], "probabilities": probabilities}

    def summary(self) -> str:
        """Return a phrase about the outputs."""
        return f"one of {listed(self.classes, between=' < ')}, with probabilities"

    def to_dict(self) -> dict[str, Any]:
        """Return the classes as plain JSON types."""
        return {"kind": "ordinal", "classes": list(self.classes)}


def fit_ordinal(
    config: OrdinalConfig, labels: Sequence[Label | None], _: Sequence[str] = ()
) -> OrdinalTask:
    """Learn the classes from the labels of the train split, unless the document lists them."""
    counts = class_counts(known_labels(config.column, labels))
    classes = config.classes or ordered(counts)
    if classes is None:
        raise TrainingError(
            f"the order of {listed(sorted(counts))} is not known",
            where=f"column {config.column}",
            hint="list the classes, lowest first, in tasks.<name>.classes",
        )
    at_least_two(config.column, classes)
    class_numbers(classes, counts)  # a label that is not among the classes is an error
    return OrdinalTask(config, tuple(classes))


def restore_ordinal(config: OrdinalConfig, document: Mapping[str, Any]) -> OrdinalTask:
    """Read back what ``to_dict`` wrote."""
    return OrdinalTask(config, saved_names(document, "classes"))


def _ranks(probabilities: Float[np.ndarray, "N K"]) -> Integer[np.ndarray, " N"]:
    """Return the median class: the number of thresholds that a sample is more likely above."""
    above = 1.0 - np.cumsum(probabilities, axis=1)[:, :-1]  # (N, C)
    return (above > 0.5).sum(axis=1)
