"""One model's metrics per task, on samples that have a label. Axes: N samples."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from mmray.training.tasks.label import has_label
from mmray.training.tasks.task import Statistic, Task, Tasks

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """One training's result on one task."""

    metrics: dict[str, float]
    """Single numbers."""
    details: dict[str, Any]
    """All other results, as plain JSON types."""
    samples: int
    """Labelled samples (N)."""
    statistic: Statistic
    """The main metric as a function of row numbers."""

    def value(self) -> float:
        """Return the main metric over all samples."""
        return self.statistic(np.arange(self.samples))


def evaluate(
    outputs: Mapping[str, Array], labels: Mapping[str, Array], tasks: Tasks
) -> dict[str, EvaluationResult]:
    """Evaluate decoded ``outputs`` (N, ...) against encoded ``labels`` (N, ...)."""
    results: dict[str, EvaluationResult] = {}
    for name, task in tasks.items():
        kept = has_label(labels[name])
        if kept.any():
            results[name] = evaluate_task(task, outputs[name][kept], labels[name][kept])
    return results


def evaluate_task(task: Task, decoded: Array, labels: Array) -> EvaluationResult:
    """Evaluate outputs of samples that all have a label."""
    return EvaluationResult(
        metrics=task.metrics(decoded, labels),
        details={"samples": len(labels), **task.details(decoded, labels)},
        samples=len(labels),
        statistic=task.main_statistic(decoded, labels),
    )


def mean_statistic(results: list[EvaluationResult]) -> Statistic:
    """Return the mean of several trainings' main metric as a function of row numbers."""
    return partial(_mean, [each.statistic for each in results])


def _mean(statistics: list[Statistic], rows: Array) -> float:
    return sum(statistic(rows) for statistic in statistics) / len(statistics)
