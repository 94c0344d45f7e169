"""Metrics of classes, of which a sample has one. Axes: N samples, C classes."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Integer
from torch import Tensor

from mmray.training.tasks.metrics.counts import (
    Average,
    Counts,
    averaged,
    count_classes,
    f1,
    precision,
    recall,
    share,
)
from mmray.training.tasks.metrics.measure import MetricFunctions, measure

ClassNumbers = Integer[np.ndarray, " N"]


class ClassRows(NamedTuple):
    """Predicted classes and labels, as class numbers."""

    predicted: Integer[Tensor, " N"]
    labels: Integer[Tensor, " N"]
    num_classes: int

    @property
    def matrix(self) -> Integer[Tensor, "C C"]:
        """How often each class (row) was predicted as each class (column)."""
        cells = self.labels * self.num_classes + self.predicted
        size = self.num_classes
        return torch.bincount(cells, minlength=size * size).reshape(size, size)


def class_rows(predicted: ClassNumbers, labels: ClassNumbers, classes: Sequence[str]) -> ClassRows:
    """Return what metrics of classes are computed from."""
    return ClassRows(torch.from_numpy(predicted), torch.from_numpy(labels), len(classes))


def accuracy(rows: ClassRows) -> float:
    """Return the share of the samples whose class is right."""
    right = rows.predicted == rows.labels
    return float(share(right.sum(), torch.tensor(len(right))))


def kappa(rows: ClassRows) -> float | None:
    """Return Cohen's kappa with quadratic weights; it needs two different labels."""
    if not (rows.labels != rows.labels[0]).any():
        return None
    matrix = rows.matrix.float()
    columns, lines = matrix.sum(dim=0, keepdim=True), matrix.sum(dim=1, keepdim=True)
    expected = lines @ columns / columns.sum()  # (C, C)
    place = torch.arange(rows.num_classes, dtype=matrix.dtype)
    distance = (place - place[:, None]) ** 2
    return float(1 - (distance * matrix).sum() / (distance * expected).sum())


def _averaged(function: Callable[[Counts], Tensor], average: Average, rows: ClassRows) -> float:
    counts = count_classes(rows.matrix)
    return float(averaged(function(counts), counts, average))


PER_CLASS = {"precision": precision, "recall": recall, "f1": f1}
AVERAGES: tuple[Average, ...] = ("macro", "weighted")
CLASSIFICATION: MetricFunctions[ClassRows] = {"accuracy": accuracy} | {
    f"{name}_{average}": partial(_averaged, function, average)
    for average in AVERAGES
    for name, function in PER_CLASS.items()
}
"""``macro`` is over the classes that are among the labels or the predictions."""


def classification_metrics(
    predicted: ClassNumbers, labels: ClassNumbers, classes: Sequence[str]
) -> dict[str, float]:
    """Return accuracy, and precision, recall and F1 in macro and weighted average."""
    return measure(CLASSIFICATION, class_rows(predicted, labels, classes))


def per_class_metrics(
    predicted: ClassNumbers, labels: ClassNumbers, classes: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Return precision, recall, F1 and support of each class."""
    rows = class_rows(predicted, labels, classes)
    counts = count_classes(rows.matrix)
    columns = {name: function(counts).tolist() for name, function in PER_CLASS.items()}
    columns["support"] = torch.bincount(rows.labels, minlength=len(classes)).tolist()
    return {
        name: {metric: float(values[number]) for metric, values in columns.items()}
        for number, name in enumerate(classes)
    }


def confusion_matrix(
    predicted: ClassNumbers, labels: ClassNumbers, classes: Sequence[str]
) -> list[list[int]]:
    """Return how often each class (row) was predicted as each class (column)."""
    return class_rows(predicted, labels, classes).matrix.tolist()


def class_details(
    predicted: ClassNumbers, labels: ClassNumbers, classes: Sequence[str]
) -> dict[str, Any]:
    """Return figures per class and the confusion matrix."""
    return {
        "per_class": per_class_metrics(predicted, labels, classes),
        "confusion_matrix": confusion_matrix(predicted, labels, classes),
        "classes": list(classes),
    }
