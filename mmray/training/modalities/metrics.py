"""Metrics of each modality alone in the joint model, compared with the fusion. Axes: N samples."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from mmray.config.task.kind import main_metric
from mmray.training.data.samples import Samples
from mmray.training.tasks.build import independent_tasks, task_losses
from mmray.training.tasks.task import Statistic, Task, Tasks

BLOCKS = 20


def modality_metrics(
    tasks: Tasks,
    whole: Mapping[str, Tensor],
    alone: Sequence[Mapping[str, Tensor]],
    samples: Samples,
) -> dict[str, float]:
    """Return ``<task>/<modality>/...``, all over the labelled samples that have the modality.

    Its main metric and its loss with nothing else present, and its ``gain``: by how much the
    fusion is better on the same samples, below zero where it is worse, with its standard error
    ``gain_error`` where there are two samples or more.
    """
    found: dict[str, float] = {}
    for name, task in independent_tasks(tasks).items():
        for (modality, features), outputs in zip(samples.modalities.items(), alone, strict=True):
            rows = np.flatnonzero(samples.labelled(name) & features.present)
            if not len(rows):
                continue
            labels, metric = samples.labels[name][rows], main_metric(task.config)
            alone_on = task.main_statistic(task.decode(outputs[name][rows]), labels)
            fused_on = task.main_statistic(task.decode(whole[name][rows]), labels)
            everyone, value = np.arange(len(rows)), alone_on(np.arange(len(rows)))
            figures = {
                "loss": _loss(task, outputs[name][rows], labels),
                metric.name: value,
                "gain": metric.sign * (fused_on(everyone) - value),
                "gain_error": _standard_error(fused_on, alone_on, len(rows)),
            }
            found |= {
                f"{name}/{modality}/{key}": figure
                for key, figure in figures.items()
                if not math.isnan(figure)
            }
    return found


def _loss(task: Task, outputs: Tensor, labels: np.ndarray) -> float:
    everyone = torch.ones(len(labels), dtype=torch.bool)
    return float(task_losses(task, outputs, torch.from_numpy(labels), everyone).mean())


def _standard_error(one: Statistic, other: Statistic, count: int) -> float:
    """Return that of the difference of two statistics of the same samples; NaN for one sample.

    From the differences in up to ``BLOCKS`` random parts of the samples.
    """
    blocks = min(BLOCKS, count)
    if blocks < 2:
        return math.nan
    rows = np.random.default_rng(0).permutation(count)
    parts = [one(part) - other(part) for part in np.array_split(rows, blocks)]
    return float(np.std(parts, ddof=1)) / math.sqrt(blocks)
