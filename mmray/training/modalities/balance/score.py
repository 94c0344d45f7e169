"""How well each modality alone predicts the labels. Axes: B batch, C outputs, M modalities."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor

from mmray.training.data.batch import Batch
from mmray.training.tasks.build import IMPLEMENTATIONS, independent_tasks, task_losses
from mmray.training.tasks.task import Task, Tasks


@torch.no_grad()
def score_sums(
    tasks: Tasks, alone: Sequence[Mapping[str, Tensor]], batch: Batch
) -> Float[Tensor, "M K 2"]:
    """Return sum and count of the scores by modality and task, over samples that have both."""
    rows: list[Tensor] = []
    for modality, outputs in enumerate(alone):
        for name, task in independent_tasks(tasks).items():
            kept = batch.labelled[name] & batch.present[:, modality]
            scores = label_scores(task, outputs[name], batch.labels[name], kept)
            rows.append(torch.stack([scores.sum(), kept.sum().to(scores.dtype)]))
    return torch.stack(rows).view(len(alone), -1, 2)


def label_scores(
    task: Task,
    outputs: Float[Tensor, "B C"],
    labels: Shaped[Tensor, "B ..."],
    kept: Bool[Tensor, " B"],
) -> Float[Tensor, " B"]:
    """Return a score in (0, 1] for each kept sample, zero for the others.

    Of a classification it is the probability of the label. Of other tasks it is exp(-loss): that
    is the same for a binary task, the geometric mean over classes for a multilabel one, and a bell
    curve around the label for a number.
    """
    probabilities_of = IMPLEMENTATIONS[task.config.kind].label_probabilities
    if probabilities_of is not None:
        return torch.where(kept, probabilities_of(outputs, labels), 0.0)
    return torch.where(kept, torch.exp(-task_losses(task, outputs, labels, kept)), 0.0)
