"""Metrics of numbers and their quantiles, in the label's unit. Axes: N samples, Q quantiles."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from mmray.training.tasks.losses.formula import pinball
from mmray.training.tasks.metrics.measure import MetricFunctions, measure
from mmray.training.tasks.task import Array


class NumberRows(NamedTuple):
    """Predictions and labels."""

    predicted: Array
    labels: Array
    quantiles: Array | None = None
    """Predicted quantiles (N, Q), where there are any."""
    levels: Sequence[float] = ()
    """The quantiles (Q)."""

    def in_float64(self) -> tuple[Float[Tensor, " N"], Float[Tensor, " N"]]:
        """Return predictions and labels: in float32 large ones would lose their spread."""
        return torch.from_numpy(self.predicted).double(), torch.from_numpy(self.labels).double()


def mae(rows: NumberRows) -> float:
    """Return the mean absolute error."""
    from torchmetrics.functional.regression import mean_absolute_error

    return float(mean_absolute_error(*rows.in_float64()))


def _rmse(rows: NumberRows) -> float:
    from torchmetrics.functional.regression import mean_squared_error

    return float(mean_squared_error(*rows.in_float64(), squared=False))


def _r2(rows: NumberRows) -> float | None:
    """Return the share of the variance that is explained; it needs two different labels."""
    predicted, labels = rows.in_float64()
    if len(labels) < 2 or not (labels != labels[0]).any():
        return None
    # Not by torchmetrics: of labels with a small spread, as in a small unit, it says 0.
    spread = (labels - labels.mean()).square().sum()
    return float(1 - (labels - predicted).square().sum() / spread)


def _pinball(rows: NumberRows) -> float | None:
    if rows.quantiles is None:
        return None
    numbers, target = torch.from_numpy(rows.quantiles).double(), rows.in_float64()[1]
    return float(pinball(numbers, target, rows.levels).mean())


def _coverage(rows: NumberRows) -> float | None:
    if rows.quantiles is None:
        return None
    low, high = rows.quantiles[:, 0], rows.quantiles[:, -1]
    return float(((low <= rows.labels) & (rows.labels <= high)).mean())


def _interval_width(rows: NumberRows) -> float | None:
    if rows.quantiles is None:
        return None
    return float((rows.quantiles[:, -1] - rows.quantiles[:, 0]).mean())


REGRESSION: MetricFunctions[NumberRows] = {
    "mae": mae,
    "rmse": _rmse,
    "r2": _r2,
    "pinball": _pinball,
    "coverage": _coverage,
    "interval_width": _interval_width,
}


def regression_metrics(predicted: Array, labels: Array) -> dict[str, float]:
    """Return mae, rmse and r2 of predictions alone."""
    return measure(REGRESSION, NumberRows(np.asarray(predicted), np.asarray(labels)))
