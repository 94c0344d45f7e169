"""A constant answer, fitted on the labels of the train split. Axes: N samples."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mmray.core.text.printable import printable
from mmray.evaluation.evaluate import Array, EvaluationResult, evaluate_task
from mmray.training.tasks.label import has_label
from mmray.training.tasks.task import Task

CHANCE = "chance"


@dataclass(frozen=True, slots=True)
class Baseline:
    """The baseline of a model."""

    answer: str
    """As a phrase: ``always 'cat'``."""
    result: EvaluationResult


def find_baseline(task: Task, train: Array, decoded: Array, labels: Array) -> Baseline:
    """Evaluate the constant answer on the test samples that have a label.

    Args:
        task: fitted on the train split.
        train: encoded labels of the train split.
        decoded: a model's outputs for the test samples, for their shape.
        labels: encoded labels of the test samples.
    """
    kept = has_label(labels)
    constant = task.constant(train[has_label(train)], decoded[kept])
    answer = task.describe(np.asarray(constant[0]))
    return Baseline(_phrase(answer), evaluate_task(task, constant, labels[kept]))


def _phrase(described: dict[str, Any]) -> str:
    if "label" in described:
        return f"always '{printable(described['label'], keep='')}'"
    if "labels" in described:
        return "always the same classes"
    if "value" in described:
        return f"always {described['value']:.4g}"
    return CHANCE
