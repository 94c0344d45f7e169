"""A number. Axes: N samples, B batch, Q quantiles, C outputs: one, or Q."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from mmray.config.task.loss import QuantileLossConfig
from mmray.config.task.task import RegressionConfig
from mmray.core.label.cell import Label, is_missing, read_number
from mmray.errors import ManifestError
from mmray.models.head import AffineHead
from mmray.training.tasks.label import known_labels
from mmray.training.tasks.losses.formula import pinball
from mmray.training.tasks.metrics.measure import measure
from mmray.training.tasks.metrics.numbers import REGRESSION, NumberRows
from mmray.training.tasks.saved import saved_number
from mmray.training.tasks.task import Array, Statistic, repeated

SHOWN = 2000
"""Predictions that the details hold at most."""


@dataclass(frozen=True, slots=True)
class RegressionTask:
    """A regression; its mean and deviation standardise the target, and the outputs too."""

    config: RegressionConfig
    mean: float
    std: float

    @property
    def quantiles(self) -> tuple[float, ...] | None:
        """The quantiles that are predicted, if any."""
        return self.config.quantiles

    @property
    def head(self) -> AffineHead:
        """The head that the model needs."""
        return AffineHead(self.outputs)

    @property
    def outputs(self) -> int:
        """Outputs of the head."""
        return len(self.quantiles or (0.5,))

    def encode(self, labels: Sequence[Label | None]) -> Float[np.ndarray, " N"]:
        """Return standardised numbers, NaN for none."""
        return ((_to_numbers(labels) - self.mean) / self.std).astype(np.float32)

    def losses(
        self, outputs: Float[Tensor, "B C"], targets: Float[Tensor, " B"]
    ) -> Float[Tensor, " B"]:
        """Return the loss of each sample."""
        loss = self.config.loss
        if isinstance(loss, QuantileLossConfig):
            return pinball(outputs, targets, loss.quantiles)
        number = outputs.squeeze(-1)  # (B,)
        match loss.kind:
            case "mse":
                return F.mse_loss(number, targets, reduction="none")
            case "mae":
                return F.l1_loss(number, targets, reduction="none")
            case _:
                return F.huber_loss(number, targets, reduction="none")

    def decode(self, outputs: Float[Tensor, "N C"]) -> Float[np.ndarray, "N ..."]:
        """Return numbers (N,), or rising quantiles (N, Q), in the label's own unit.

        Quantiles that cross are put in order, which is never worse (Chernozhukov 2010).
        """
        numbers = self.in_unit(outputs.float().cpu().numpy())
        return np.sort(numbers, axis=1) if self.quantiles else numbers[:, 0]

    def in_unit(self, standardised: Array) -> Array:
        """Return standardised numbers in the label's own unit."""
        return standardised * np.float32(self.std) + np.float32(self.mean)

    def metrics(self, decoded: Array, labels: Array) -> dict[str, float]:
        """Return mae, rmse and r2 of the prediction, and what its interval is worth."""
        rows = NumberRows(self._prediction(decoded), self.in_unit(labels))
        if self.quantiles is not None:
            rows = rows._replace(quantiles=decoded, levels=self.quantiles)
        return measure(REGRESSION, rows)

    def details(self, decoded: Array, labels: Array) -> dict[str, Any]:
        """Return true and predicted numbers, of many samples ``SHOWN`` evenly taken ones."""
        step = max(1, math.ceil(len(labels) / SHOWN))
        truth, numbers = self.in_unit(labels)[::step], self._prediction(decoded)[::step]
        details = {"true": truth.tolist(), "predicted": numbers.tolist()}
        if self.quantiles is None:
            return details
        outer = {"low": decoded[::step, 0].tolist(), "high": decoded[::step, -1].tolist()}
        return details | outer

    def main_statistic(self, decoded: Array, labels: Array) -> Statistic:
        """Return the mean absolute error as a function of row numbers."""
        errors = np.abs(self._prediction(decoded) - self.in_unit(labels))
        return lambda rows: float(errors[rows].mean())

    def constant(self, labels: Array, decoded: Array) -> Array:
        """Return the median of the labels, or their quantiles, for every sample."""
        levels = 0.5 if self.quantiles is None else self.quantiles
        return repeated(np.quantile(self.in_unit(labels), levels), len(decoded))

    def describe(self, decoded: Array) -> dict[str, Any]:
        """Return the number and, of quantiles, the interval."""
        if self.quantiles is None:
            return {"value": float(decoded)}
        levels = {f"{level:g}": float(x) for level, x in zip(self.quantiles, decoded, strict=True)}
        return {
            "value": levels["0.5"],
            "interval": [float(decoded[0]), float(decoded[-1])],
            "quantiles": levels,
        }

    def summary(self) -> str:
        """Return a phrase about the outputs."""
        text = f"a number (train mean {self.mean:.4g})"
        if self.quantiles is None:
            return text
        return f"{text}, with quantiles {', '.join(f'{level:g}' for level in self.quantiles)}"

    def to_dict(self) -> dict[str, Any]:
        """Return mean and deviation as plain JSON types."""
        return {"kind": "regression", "mean": self.mean, "std": self.std}

    def _prediction(self, decoded: Array) -> Array:
        return decoded if self.quantiles is None else decoded[:, self.quantiles.index(0.5)]


def fit_regression(
    config: RegressionConfig, labels: Sequence[Label | None], _: Sequence[str] = ()
) -> RegressionTask:
    """Learn mean and deviation from the labels of the train split."""
    numbers = _to_numbers(known_labels(config.column, labels))
    return RegressionTask(config, float(numbers.mean()), float(numbers.std()) or 1.0)


def restore_regression(config: RegressionConfig, document: Mapping[str, Any]) -> RegressionTask:
    """Read back what ``to_dict`` wrote."""
    return RegressionTask(config, saved_number(document, "mean"), saved_number(document, "std"))


def _to_numbers(labels: Sequence[Label | None]) -> Float[np.ndarray, " N"]:
    return np.array([_to_number(label) for label in labels], dtype=np.float64)


def _to_number(label: Label | None) -> float:
    if is_missing(label):
        return math.nan
    try:
        number = read_number(label)
    except ValueError as error:
        raise ManifestError(
            f"the label {label!r} of a regression {error}",
            hint="leave the label empty where it is unknown",
        ) from error
    return math.nan if number is None else number
