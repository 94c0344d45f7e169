"""From the document's tasks to what they learn: the only module that knows all kinds."""

from collections.abc import Mapping, Sequence
from typing import Any, assert_never

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor

from mmray.config.task.task import (
    AlignmentConfig,
    BinaryConfig,
    ClassificationConfig,
    MultilabelConfig,
    OrdinalConfig,
    RegressionConfig,
    TaskConfig,
)
from mmray.training.parallel.worker_context import WorkerContext
from mmray.training.tasks.alignment import AlignmentTask, fit_alignment, restore_alignment
from mmray.training.tasks.binary import fit_binary, restore_binary
from mmray.training.tasks.classification import fit_classification, restore_classification
from mmray.training.tasks.label import Label
from mmray.training.tasks.multilabel import fit_multilabel, restore_multilabel
from mmray.training.tasks.ordinal import fit_ordinal, restore_ordinal
from mmray.training.tasks.regression import fit_regression, restore_regression
from mmray.training.tasks.task import Task, Tasks


def fit_task(config: TaskConfig, labels: Sequence[Label], modalities: Sequence[str] = ()) -> Task:
    """Learn from the labels of the train split what the task needs: classes, weights, means.

    ``modalities``, in M-axis order, are for an alignment.
    """
    match config:
        case ClassificationConfig():
            return fit_classification(config, labels)
        case BinaryConfig():
            return fit_binary(config, labels)
        case MultilabelConfig():
            return fit_multilabel(config, labels)
        case OrdinalConfig():
            return fit_ordinal(config, labels)
        case RegressionConfig():
            return fit_regression(config, labels)
        case AlignmentConfig():
            return fit_alignment(config, labels, modalities)
        case _:
            assert_never(config)


def restore_task(config: TaskConfig, document: Mapping[str, Any]) -> Task:
    """Read back what a task's ``to_dict`` wrote."""
    match config:
        case ClassificationConfig():
            return restore_classification(config, document)
        case BinaryConfig():
            return restore_binary(config, document)
        case MultilabelConfig():
            return restore_multilabel(config, document)
        case OrdinalConfig():
            return restore_ordinal(config, document)
        case RegressionConfig():
            return restore_regression(config, document)
        case AlignmentConfig():
            return restore_alignment(config, document)
        case _:
            assert_never(config)


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
    if isinstance(task, AlignmentTask):
        losses = task.losses_across(outputs.float(), targets, labelled, context)
    else:
        losses = task.losses(outputs.float(), targets)
    return torch.where(labelled, losses, 0.0)


def independent_tasks(tasks: Tasks) -> dict[str, Task]:
    """Return the tasks whose loss of a sample depends on that sample alone."""
    return {name: task for name, task in tasks.items() if not isinstance(task, AlignmentTask)}
