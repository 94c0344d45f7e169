"""Metrics of classes, of which a sample has one. Axes: N samples, C classes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Integer

from mmray.config.task.metric import AVERAGES
from mmray.training.tasks.metric_functions import (
    multiclass_accuracy,
    multiclass_confusion_matrix,
    multiclass_f1_score,
    multiclass_precision,
    multiclass_recall,
)

AVERAGED = {
    "precision": multiclass_precision,
    "recall": multiclass_recall,
    "f1": multiclass_f1_score,
}

ClassNumbers = Integer[np.ndarray, " N"]


def classification_metrics(
    predicted: ClassNumbers, labels: ClassNumbers, classes: Sequence[str]
) -> dict[str, float]:
    """Return accuracy, and precision, recall and F1 in macro and weighted average.

    ``macro`` is over the classes that are among the labels or the predictions.
    """
    guess, target = torch.from_numpy(predicted), torch.from_numpy(labels)
    count = len(classes)
    metrics = {"accuracy": float(multiclass_accuracy(guess, target, count, average="micro"))}
    for average in AVERAGES:
        for name, function in AVERAGED.items():
            metrics[f"{name}_{average}"] = float(function(guess, target, count, average=average))
    return metrics


def per_class_metrics(
    predicted: ClassNumbers, labels: ClassNumbers, classes: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Return precision, recall, F1 and support of each class."""
    guess, target = torch.from_numpy(predicted), torch.from_numpy(labels)
    columns = {
        name: function(guess, target, len(classes), average="none").tolist()
        for name, function in AVERAGED.items()
    }
    columns["support"] = torch.bincount(target, minlength=len(classes)).tolist()
    return {
        name: {metric: float(values[number]) for metric, values in columns.items()}
        for number, name in enumerate(classes)
    }


def confusion_matrix(
    predicted: ClassNumbers, labels: ClassNumbers, classes: Sequence[str]
) -> list[list[int]]:
    """Return how often each class (row) was taken for each class (column)."""
    guess, target = torch.from_numpy(predicted), torch.from_numpy(labels)
    return multiclass_confusion_matrix(guess, target, len(classes)).tolist()


def class_details(
    predicted: ClassNumbers, labels: ClassNumbers, classes: Sequence[str]
) -> dict[str, Any]:
    """Return figures per class and the confusion matrix."""
    return {
        "per_class": per_class_metrics(predicted, labels, classes),
        "confusion_matrix": confusion_matrix(predicted, labels, classes),
        "classes": list(classes),
    }
