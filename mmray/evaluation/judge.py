"""One model's metrics per task, on samples that have a label. Axes: N samples."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmray.config.document import EvaluationConfig
from mmray.evaluation.interval import bootstrap_interval
from mmray.training.tasks.label import has_label
from mmray.training.tasks.task import Task, Tasks

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Judgement:
    """One task's figures: ``metrics`` are single numbers, ``details`` the rest."""

    metrics: dict[str, float]
    details: dict[str, Any]


def judge(
    outputs: Mapping[str, Array],
    labels: Mapping[str, Array],
    tasks: Tasks,
    config: EvaluationConfig,
) -> dict[str, Judgement]:
    """Judge decoded ``outputs`` (N, ...) against encoded ``labels`` (N, ...)."""
    judgements: dict[str, Judgement] = {}
    for name, task in tasks.items():
        kept = has_label(labels[name])
        if kept.any():
            judgements[name] = _judge(task, outputs[name][kept], labels[name][kept], config)
    return judgements


def _judge(task: Task, decoded: Array, labels: Array, config: EvaluationConfig) -> Judgement:
    interval = bootstrap_interval(
        task.main_statistic(decoded, labels),
        len(labels),
        confidence=config.confidence,
        resamples=config.resamples,
    )
    return Judgement(
        metrics=task.metrics(decoded, labels),
        details={
            "samples": len(labels),
            f"{task.config.main_metric}_interval": list(interval),
            **task.details(decoded, labels),
        },
    )
