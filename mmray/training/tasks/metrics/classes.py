"""Metrics of classes, of which a sample has one. Axes: N samples, C classes."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Integer
from torch import Tensor

from mmray.training.tasks.metrics.measure import MetricFunctions, measure

ClassNumbers = Integer[np.ndarray, " N"]
Average = Literal["macro", "weighted", "none"]


class ClassRows(NamedTuple):
    """Predicted classes and labels, as class numbers."""

    predicted: Integer[Tensor, " N"]
    labels: Integer[Tensor, " N"]
    num_classes: int


def class_rows(predicted: ClassNumbers, labels: ClassNumbers, classes: Sequence[str]) -> ClassRows:
    """Return what metrics of classes are computed from."""
    return ClassRows(torch.from_numpy(predicted), torch.from_numpy(labels), len(classes))


def accuracy(rows: ClassRows) -> float:
    """Return the share of the samples whose class is right."""
    from torchmetrics.functional.classification import multiclass_accuracy

    return float(multiclass_accuracy(*rows, average="micro"))


def kappa(rows: ClassRows) -> float | None:
    """Return Cohen's kappa with quadratic weights; it needs two different labels."""
    from torchmetrics.functional.classification import multiclass_cohen_kappa

    if not (rows.labels != rows.labels[0]).any():
        return None
    return float(multiclass_cohen_kappa(*rows, weights="quadratic"))


def _precision(rows: ClassRows, average: Average) -> Tensor:
    from torchmetrics.functional.classification import multiclass_precision

    return multiclass_precision(*rows, average=average)


def _recall(rows: ClassRows, average: Average) -> Tensor:
    from torchmetrics.functional.classification import multiclass_recall

    return multiclass_recall(*rows, average=average)


def _f1(rows: ClassRows, average: Average) -> Tensor:
    from torchmetrics.functional.classification import multiclass_f1_score

    return multiclass_f1_score(*rows, average=average)


def _averaged(
    function: Callable[[ClassRows, Average], Tensor], average: Average, rows: ClassRows
) -> float:
    return float(function(rows, average))


PER_CLASS = {"precision": _precision, "recall": _recall, "f1": _f1}
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
    columns = {name: function(rows, "none").tolist() for name, function in PER_CLASS.items()}
    columns["support"] = torch.bincount(rows.labels, minlength=len(classes)).tolist()
    return {
        name: {metric: float(values[number]) for metric, values in columns.items()}
        for number, name in enumerate(classes)
    }


def confusion_matrix(
    predicted: ClassNumbers, labels: ClassNumbers, classes: Sequence[str]
) -> list[list[int]]:
    """Return how often each class (row) was predicted as each class (column)."""
    from torchmetrics.functional.classification import multiclass_confusion_matrix

    return multiclass_confusion_matrix(*class_rows(predicted, labels, classes)).tolist()


def class_details(
    predicted: ClassNumbers, labels: ClassNumbers, classes: Sequence[str]
) -> dict[str, Any]:
    """Return figures per class and the confusion matrix."""
    return {
        "per_class": per_class_metrics(predicted, labels, classes),
        "confusion_matrix": confusion_matrix(predicted, labels, classes),
        "classes": list(classes),
    }
