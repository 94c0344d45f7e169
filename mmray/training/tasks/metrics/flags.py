"""Metrics of flags: of one, or of one for each of several classes. Axes: N samples, C classes."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Integer
from torch import Tensor
from torch.nn import functional as F

from mmray.training.tasks.metrics.counts import (
    Counts,
    count_flags,
    f1,
    precision,
    recall,
    share,
)
from mmray.training.tasks.metrics.measure import MetricFunctions

THRESHOLD = 0.5


class FlagRows(NamedTuple):
    """Probabilities of the positive class, and labels."""

    scores: Float[Tensor, " N"]
    """In float64: no two that differ become equal."""
    labels: Integer[Tensor, " N"]

    @property
    def guess(self) -> Integer[Tensor, " N"]:
        """The predicted labels."""
        return (self.scores > THRESHOLD).long()

    @property
    def counts(self) -> Counts:
        """The right and wrong guesses."""
        return count_flags(self.guess, self.labels)


def _accuracy(rows: FlagRows) -> float:
    return float(share((rows.guess == rows.labels).sum(), torch.tensor(len(rows.labels))))


def _precision(rows: FlagRows) -> float:
    return float(precision(rows.counts))


def _recall(rows: FlagRows) -> float:
    return float(recall(rows.counts))


def _f1(rows: FlagRows) -> float:
    return float(f1(rows.counts))


def _curve(rows: FlagRows) -> tuple[Integer[Tensor, " T"], Integer[Tensor, " T"]]:
    """Return how many positive and negative samples lie at each score or above, highest first."""
    order = rows.scores.argsort(descending=True)
    scores, labels = rows.scores[order], rows.labels[order]
    last = torch.where(scores.diff() != 0)[0]  # of those with an equal score
    last = F.pad(last, (0, 1), value=len(scores) - 1)  # (T)
    positive = labels.cumsum(dim=0)[last]
    return positive, last + 1 - positive


def _auroc(rows: FlagRows) -> float | None:
    if rows.labels.all() or not rows.labels.any():
        return None
    positive, negative = (F.pad(counts, (1, 0)) for counts in _curve(rows))
    return float(torch.trapezoid(positive / positive[-1], negative / negative[-1]))


def _average_precision(rows: FlagRows) -> float | None:
    if not rows.labels.any():
        return None
    positive, negative = _curve(rows)
    gained = F.pad(positive / positive[-1], (1, 0)).diff()
    return float((gained * (positive / (positive + negative))).sum())


BINARY: MetricFunctions[FlagRows] = {
    "accuracy": _accuracy,
    "precision": _precision,
    "recall": _recall,
    "f1": _f1,
    "auroc": _auroc,
    "average_precision": _average_precision,
}


class FlagTable(NamedTuple):
    """Probabilities and labels of several classes, each on its own."""

    scores: Float[Tensor, "N C"]
    flags: Integer[Tensor, "N C"]

    @property
    def guess(self) -> Integer[Tensor, "N C"]:
        """The predicted flags."""
        return (self.scores > THRESHOLD).long()

    @property
    def counts(self) -> Counts:
        """The right and wrong guesses of each class."""
        return count_flags(self.guess, self.flags)


def _f1_micro(table: FlagTable) -> float:
    return float(f1(Counts(*(part.sum() for part in table.counts))))


def _subset_accuracy(table: FlagTable) -> float:
    right = (table.guess == table.flags).all(dim=1)
    return float(share(right.sum(), torch.tensor(len(right))))


def _f1_macro(table: FlagTable) -> float:
    """Return the mean over the classes that are among the labels or the predictions."""
    counts = table.counts
    return float(f1(counts)[counts.there].mean()) if counts.there.any() else 0.0


def _mean_average_precision(table: FlagTable) -> float | None:
    """Return the mean over the classes that are among the labels."""
    seen = table.flags.any(dim=0)  # (C)
    return float(average_precisions(table)[seen].mean()) if seen.any() else None


MULTILABEL: MetricFunctions[FlagTable] = {
    "f1_micro": _f1_micro,
    "subset_accuracy": _subset_accuracy,
    "f1_macro": _f1_macro,
    "mean_average_precision": _mean_average_precision,
}


def average_precisions(table: FlagTable) -> Float[Tensor, " C"]:
    """Return the average precision of each class, zero where no sample has it."""
    pairs = zip(table.scores.unbind(1), table.flags.unbind(1), strict=True)
    return torch.tensor([_average_precision(FlagRows(*pair)) or 0.0 for pair in pairs])


def per_flag_metrics(table: FlagTable, classes: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return precision, recall, F1, average precision and support of each class."""
    counts = table.counts
    columns = {
        "precision": precision(counts).tolist(),
        "recall": recall(counts).tolist(),
        "f1": f1(counts).tolist(),
    }
    columns["average_precision"] = average_precisions(table).tolist()
    columns["support"] = table.flags.sum(dim=0).tolist()
    return {
        name: {metric: float(values[number]) for metric, values in columns.items()}
        for number, name in enumerate(classes)
    }
