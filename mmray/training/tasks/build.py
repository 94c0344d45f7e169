"""All kinds of task, one record each: how it learns from labels, is read back, and is measured.

What needs no tensors of a kind is in ``mmray/config/task/kind.py``.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor

from mmray.config.task.kind import kind_of
from mmray.config.task.task import TaskConfig
from mmray.core.label.cell import Label
from mmray.training.parallel.worker_context import WorkerContext
from mmray.training.tasks.alignment import fit_alignment, restore_alignment
from mmray.training.tasks.binary import fit_binary, restore_binary
from mmray.training.tasks.classification import (
    fit_classification,
    label_probabilities,
    restore_classification,
)
from mmray.training.tasks.custom import fit_custom, restore_custom
from mmray.training.tasks.metrics.classes import CLASSIFICATION
from mmray.training.tasks.metrics.flags import BINARY, MULTILABEL
from mmray.training.tasks.metrics.numbers import REGRESSION
from mmray.training.tasks.metrics.recall import CUTS
from mmray.training.tasks.multilabel import fit_multilabel, restore_multilabel
from mmray.training.tasks.ordinal import ORDINAL, fit_ordinal, restore_ordinal
from mmray.training.tasks.regression import fit_regression, restore_regression
from mmray.training.tasks.task import ComparesModalities, Task, Tasks

LabelProbabilities = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class TaskImplementation:
    """The computing part of one kind of task."""

    fit: Callable[[Any, Sequence[Label | None], Sequence[str]], Task]
    """From the section, the labels of the train split and the modalities."""
    restore: Callable[[Any, Mapping[str, Any]], Task]
    """From the section and what ``to_dict`` wrote."""
    metrics: Collection[str]
    """The names of those that it computes, which the list of metrics declares; a custom task has
    those of its section."""
    label_probabilities: LabelProbabilities | None = None
    """Probability of the labels by the outputs, where that is not exp(-loss)."""


IMPLEMENTATIONS: Mapping[str, TaskImplementation] = {
    "classification": TaskImplementation(
        fit_classification, restore_classification, CLASSIFICATION, label_probabilities
    ),
    "binary": TaskImplementation(fit_binary, restore_binary, BINARY),
    "multilabel": TaskImplementation(fit_multilabel, restore_multilabel, MULTILABEL),
    "ordinal": TaskImplementation(fit_ordinal, restore_ordinal, ORDINAL),
    "regression": TaskImplementation(fit_regression, restore_regression, REGRESSION),
    "alignment": TaskImplementation(fit_alignment, restore_alignment, CUTS),
    "custom": TaskImplementation(fit_custom, restore_custom, ()),
}


def fit_task(
    config: TaskConfig, labels: Sequence[Label | None], modalities: Sequence[str] = ()
) -> Task:
    """Fit what the task needs to the labels of the train split: classes, weights, means.

    ``modalities``, in M-axis order, are for a task that compares them.
    """
    return IMPLEMENTATIONS[config.kind].fit(config, labels, modalities)


def restore_task(config: TaskConfig, document: Mapping[str, Any]) -> Task:
    """Read back what a task's ``to_dict`` wrote."""
    return IMPLEMENTATIONS[config.kind].restore(config, document)


def task_losses(
    task: Task,
    outputs: Float[Tensor, "B C"],
    labels: Shaped[Tensor, "B ..."],
    labelled: Bool[Tensor, " B"],
    context: WorkerContext | None = None,
) -> Float[Tensor, " B"]:
    """Return the loss of each sample, zero where it has no label.

    An alignment compares with the samples of all workers, so each of them must call this.
    """
    mask = labelled if labels.dim() == 1 else labelled[:, None]
    # Replaced before the loss: a NaN beside torch.where would still reach the gradient.
    targets = torch.where(mask, labels, 0)
    if isinstance(task, ComparesModalities):
        losses = task.losses_across(outputs.float(), targets, labelled, context)
    else:
        losses = task.losses(outputs.float(), targets)
    return torch.where(labelled, losses, 0.0)


def independent_tasks(tasks: Tasks) -> dict[str, Task]:
    """Return the tasks whose loss of a sample depends on that sample alone."""
    return {n: task for n, task in tasks.items() if not kind_of(task.config).compares_modalities}
