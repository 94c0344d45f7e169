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
class Judgement:
    """One training's result on one task."""

    metrics: dict[str, float]
    """Single numbers."""
    details: dict[str, Any]
    """All the rest, as plain JSON types."""
    samples: int
    """Labelled samples (N)."""
    statistic: Statistic
    """The main metric as a function of row numbers."""

    def value(self) -> float:
        """Return the main metric over all samples."""
        return self.statistic(np.arange(self.samples))


def judge(
    outputs: Mapping[str, Array], labels: Mapping[str, Array], tasks: Tasks
) -> dict[str, Judgement]:
    """Judge decoded ``outputs`` (N, ...) against encoded ``labels`` (N, ...)."""
    judgements: dict[str, Judgement] = {}
    for name, task in tasks.items():
        kept = has_label(labels[name])
        if kept.any():
            judgements[name] = judge_task(task, outputs[name][kept], labels[name][kept])
    return judgements


def judge_task(task: Task, decoded: Array, labels: Array) -> Judgement:
    """Judge outputs of samples that all have a label."""
    return Judgement(
        metrics=task.metrics(decoded, labels),
        details={"samples": len(labels), **task.details(decoded, labels)},
        samples=len(labels),
        statistic=task.main_statistic(decoded, labels),
    )


def mean_statistic(judgements: list[Judgement]) -> Statistic:
    """Return the mean of several trainings' main metric as a function of row numbers."""
    return partial(_mean, [each.statistic for each in judgements])


def _mean(statistics: list[Statistic], rows: Array) -> float:
    return sum(statistic(rows) for statistic in statistics) / len(statistics)
