"""Metrics of one task. Axes: B samples, C classes."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Integer
from torch import Tensor
from torchmetrics.functional.classification import (
    multiclass_accuracy,
    multiclass_confusion_matrix,
    multiclass_f1_score,
    multiclass_precision,
    multiclass_recall,
)
from torchmetrics.functional.regression import mean_absolute_error, mean_squared_error, r2_score

AVERAGED = {
    "precision": multiclass_precision,
    "recall": multiclass_recall,
    "f1": multiclass_f1_score,
}
CLASSIFICATION_METRICS = (
    "accuracy",
    *(f"{name}_{average}" for average in ("macro", "weighted") for name in AVERAGED),
)
REGRESSION_METRICS = ("mae", "rmse", "r2")

Probabilities = Float[np.ndarray, "B C"]
ClassNumbers = Integer[np.ndarray, " B"]
Numbers = Float[np.ndarray, " B"]


def classification_metrics(
    probabilities: Probabilities, labels: ClassNumbers, classes: Sequence[str]
) -> dict[str, float]:
    """Return accuracy, and precision, recall and F1 in macro and weighted average.

    ``macro`` is over the classes that are among the labels or the predictions.
    """
    if len(labels) == 0:
        return {}
    predicted, target = _numbers(probabilities, labels)
    count = len(classes)
    metrics = {"accuracy": float(multiclass_accuracy(predicted, target, count, average="micro"))}
    for average in ("macro", "weighted"):
        for name, function in AVERAGED.items():
            metrics[f"{name}_{average}"] = float(
                function(predicted, target, count, average=average)
            )
    return metrics


def per_class_metrics(
    probabilities: Probabilities, labels: ClassNumbers, classes: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Return precision, recall, F1 and support of each class."""
    predicted, target = _numbers(probabilities, labels)
    columns = {
        name: function(predicted, target, len(classes), average="none").tolist()
        for name, function in AVERAGED.items()
    }
    columns["support"] = torch.bincount(target, minlength=len(classes)).tolist()
    return {
        name: {metric: float(values[number]) for metric, values in columns.items()}
        for number, name in enumerate(classes)
    }


def confusion_matrix(
    probabilities: Probabilities, labels: ClassNumbers, classes: Sequence[str]
) -> list[list[int]]:
    """Return how often each class (row) was taken for each class (column)."""
    predicted, target = _numbers(probabilities, labels)
    return multiclass_confusion_matrix(predicted, target, len(classes)).tolist()


def regression_metrics(predicted: Numbers, labels: Numbers) -> dict[str, float]:
    """Return mae, rmse and r2 in the label's unit; r2 needs two different labels."""
    if len(labels) == 0:
        return {}
    # In float64: large targets with a small spread would lose r2 to rounding.
    numbers, target = torch.from_numpy(predicted).double(), torch.from_numpy(labels).double()
    metrics = {
        "mae": float(mean_absolute_error(numbers, target)),
        "rmse": float(mean_squared_error(numbers, target, squared=False)),
    }
    if len(labels) > 1 and bool((target != target[0]).any()):
        metrics["r2"] = float(r2_score(numbers, target))
    return metrics


def _numbers(probabilities: Probabilities, labels: ClassNumbers) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(probabilities.argmax(axis=1)), torch.from_numpy(labels)
