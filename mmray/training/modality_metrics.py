"""How good each modality is alone in the joint model, beside the fusion. Axes: N samples."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from mmray.config.train import SMALLER_IS_BETTER
from mmray.training.samples import Samples
from mmray.training.tasks.build import independent_tasks, task_losses
from mmray.training.tasks.task import Task, Tasks


def modality_metrics(
    tasks: Tasks,
    whole: Mapping[str, Tensor],
    alone: Sequence[Mapping[str, Tensor]],
    samples: Samples,
) -> dict[str, float]:
    """Return ``<task>/<modality>/...``, all over the labelled samples that have the modality.

    Its main metric and its loss with nothing else present, and its ``gain``: by how much the
    fusion is better on the same samples, below zero where it is worse.
    """
    found: dict[str, float] = {}
    for name, task in independent_tasks(tasks).items():
        for (modality, features), outputs in zip(samples.modalities.items(), alone, strict=True):
            rows = np.flatnonzero(samples.labelled(name) & features.present)
            if not len(rows):
                continue
            labels, metric = samples.labels[name][rows], task.config.main_metric
            loss, value = _judge(task, outputs[name][rows], labels)
            _, fused = _judge(task, whole[name][rows], labels)
            sign = -1.0 if metric in SMALLER_IS_BETTER else 1.0
            found |= {
                f"{name}/{modality}/loss": loss,
                f"{name}/{modality}/{metric}": value,
                f"{name}/{modality}/gain": sign * (fused - value),
            }
    return found


def modality_metric_names(tasks: Tasks, modalities: Sequence[str]) -> set[str]:
    """Return the names of all that ``modality_metrics`` can tell."""
    return {
        f"{name}/{modality}/{metric}"
        for name, task in independent_tasks(tasks).items()
        for modality in modalities
        for metric in ("loss", task.config.main_metric, "gain")
    }


def _judge(task: Task, outputs: Tensor, labels: np.ndarray) -> tuple[float, float]:
    everyone = torch.ones(len(labels), dtype=torch.bool)
    loss = task_losses(task, outputs, torch.from_numpy(labels), everyone).mean()
    statistic = task.main_statistic(task.decode(outputs), labels)
    return float(loss), statistic(np.arange(len(labels)))
