"""Metrics of flags: of one, or of one for each of several classes. Axes: N samples, C classes."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from mmray.training.tasks.metrics.measure import MetricFunctions

THRESHOLD = 0.5
UNCHECKED: dict[str, Any] = {"validate_args": False}
"""The check of torchmetrics refuses a single class, which its figures do not mind."""


class FlagRows(NamedTuple):
    """Probabilities of the positive class, and labels."""

    scores: Float[Tensor, " N"]
    """In float64: from ranks in that a curve is exact, and torchmetrics takes them as they are."""
    labels: Integer[Tensor, " N"]

    @property
    def guess(self) -> Integer[Tensor, " N"]:
        """The predicted labels."""
        return (self.scores > THRESHOLD).long()


def _accuracy(rows: FlagRows) -> float:
    from torchmetrics.functional.classification import binary_accuracy

    return float(binary_accuracy(rows.guess, rows.labels))


def _precision(rows: FlagRows) -> float:
    from torchmetrics.functional.classification import binary_precision

    return float(binary_precision(rows.guess, rows.labels))


def _recall(rows: FlagRows) -> float:
    from torchmetrics.functional.classification import binary_recall

    return float(binary_recall(rows.guess, rows.labels))


def _f1(rows: FlagRows) -> float:
    from torchmetrics.functional.classification import binary_f1_score

    return float(binary_f1_score(rows.guess, rows.labels))


def _auroc(rows: FlagRows) -> float | None:
    from torchmetrics.functional.classification import binary_auroc

    has_both = rows.labels.any() and not rows.labels.all()
    return float(binary_auroc(rows.scores, rows.labels)) if has_both else None


def _average_precision(rows: FlagRows) -> float | None:
    from torchmetrics.functional.classification import binary_average_precision

    if not rows.labels.any():
        return None
    return float(binary_average_precision(rows.scores, rows.labels))


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
    def num_classes(self) -> int:
        """The number of classes."""
        return self.flags.shape[1]


def _f1_scores(table: FlagTable, average: Literal["micro", "none"]) -> Tensor:
    from torchmetrics.functional.classification import multilabel_f1_score

    return multilabel_f1_score(
        table.guess, table.flags, table.num_classes, average=average, **UNCHECKED
    )


def _f1_micro(table: FlagTable) -> float:
    return float(_f1_scores(table, "micro"))


def _subset_accuracy(table: FlagTable) -> float:
    from torchmetrics.functional.classification import multilabel_exact_match

    return float(multilabel_exact_match(table.guess, table.flags, table.num_classes, **UNCHECKED))


def _f1_macro(table: FlagTable) -> float:
    """Return the mean over the classes that are among the labels or the predictions."""
    either = table.flags.any(dim=0) | table.guess.any(dim=0)  # (C)
    return float(_f1_scores(table, "none").reshape(-1)[either].mean()) if either.any() else 0.0


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
    from torchmetrics.functional import classification

    functions = {
        "precision": classification.multilabel_precision,
        "recall": classification.multilabel_recall,
        "f1": classification.multilabel_f1_score,
    }
    columns = {
        name: function(table.scores, table.flags, table.num_classes, average="none", **UNCHECKED)
        .reshape(-1)
        .tolist()
        for name, function in functions.items()
    }
    columns["average_precision"] = average_precisions(table).tolist()
    columns["support"] = table.flags.sum(dim=0).tolist()
    return {
        name: {metric: float(values[number]) for metric, values in columns.items()}
        for number, name in enumerate(classes)
    }
