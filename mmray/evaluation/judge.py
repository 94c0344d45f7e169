"""One model's metrics per task, on samples that have a label. Axes: N samples, C classes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmray.config.document import EvaluationConfig
from mmray.evaluation.interval import bootstrap_interval
from mmray.training.metric import (
    classification_metrics,
    confusion_matrix,
    per_class_metrics,
    regression_metrics,
)
from mmray.training.task import ClassificationState, RegressionState, TaskState

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Judgement:
    """One task's figures: ``metrics`` are single numbers, ``details`` the rest."""

    metrics: dict[str, float]
    details: dict[str, Any]


def judge(
    outputs: Mapping[str, Array],
    labels: Mapping[str, Array],
    states: Mapping[str, TaskState],
    config: EvaluationConfig,
) -> dict[str, Judgement]:
    """Judge decoded ``outputs`` (N, C) or (N,) against encoded ``labels`` (N,)."""
    judgements: dict[str, Judgement] = {}
    for task, state in states.items():
        if isinstance(state, ClassificationState):
            kept = labels[task] >= 0
            if kept.any():
                judgements[task] = _judge_classes(
                    outputs[task][kept], labels[task][kept], state, config
                )
        else:
            kept = ~np.isnan(labels[task])
            if kept.any():
                judgements[task] = _judge_numbers(
                    outputs[task][kept], labels[task][kept], state, config
                )
    return judgements


def _judge_classes(
    probabilities: Array, labels: Array, state: ClassificationState, config: EvaluationConfig
) -> Judgement:
    hits = (probabilities.argmax(axis=1) == labels).astype(np.float64)
    low, high = bootstrap_interval(
        lambda rows: float(hits[rows].mean()),
        len(hits),
        confidence=config.confidence,
        resamples=config.resamples,
    )
    return Judgement(
        metrics=classification_metrics(probabilities, labels, state.classes),
        details={
            "samples": len(hits),
            "accuracy_interval": [low, high],
            "per_class": per_class_metrics(probabilities, labels, state.classes),
            "confusion_matrix": confusion_matrix(probabilities, labels, state.classes),
            "classes": list(state.classes),
        },
    )


def _judge_numbers(
    values: Array, labels: Array, state: RegressionState, config: EvaluationConfig
) -> Judgement:
    truth = labels * state.std + state.mean
    errors = np.abs(values - truth)
    low, high = bootstrap_interval(
        lambda rows: float(errors[rows].mean()),
        len(errors),
        confidence=config.confidence,
        resamples=config.resamples,
    )
    return Judgement(
        metrics=regression_metrics(values, truth),
        details={"samples": len(errors), "mae_interval": [low, high]},
    )
