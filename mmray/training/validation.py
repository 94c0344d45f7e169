"""The metrics of a whole split, exact over all workers. Axes: N samples, C outputs."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmray.training.exchange import gather
from mmray.training.plan import TrainPlan
from mmray.training.predict import in_order, raw_outputs
from mmray.training.samples import Samples
from mmray.training.tasks.build import task_losses
from mmray.training.tasks.label import has_label
from mmray.training.tasks.task import Task

BLOCK = 256
"""An alignment compares samples within a block, so that its loss does not grow with the split."""


def metric_names(plan: TrainPlan) -> set[str]:
    """Return the names of all metrics that an epoch can have."""
    names = {"loss"}
    for name, task in plan.tasks.items():
        names |= {f"{name}/{metric}" for metric in ("loss", *task.metric_names)}
    trained = {f"train/{name}/{what}" for name in plan.tasks for what in ("loss", "weight")}
    trained |= {"train/loss", "train/lr", "train/samples_per_s"}
    return {f"{plan.judged_on}/{name}" for name in names} | trained


def validate(model: nn.Module, samples: Samples, plan: TrainPlan) -> dict[str, float]:
    """Return ``loss``, ``<task>/loss`` and each task's metrics over all of ``samples``.

    ``loss`` is the sum with the tasks' own weights, whatever weighting they are trained with: so
    that epochs can be compared.
    """
    outputs = _gathered_outputs(model, samples, plan)
    metrics: dict[str, float] = {}
    total = 0.0
    for name, task in plan.tasks.items():
        measured = task_metrics(task, outputs[name], samples.labels[name])
        metrics |= {f"{name}/{metric}": value for metric, value in measured.items()}
        total += task.config.weight * measured.get("loss", 0.0)
    return metrics | {"loss": total} if metrics else {}


def task_metrics(task: Task, outputs: Float[Tensor, "N C"], labels: np.ndarray) -> dict[str, float]:
    """Return the loss and the metrics of one task; nothing where there is no label."""
    known = has_label(labels)
    if not known.any():
        return {}
    outputs, labels = outputs[torch.from_numpy(known)], labels[known]
    parts = zip(outputs.split(BLOCK), torch.from_numpy(labels).split(BLOCK), strict=True)
    losses = torch.cat(
        [
            task_losses(task, part, targets, torch.ones(len(part), dtype=torch.bool))
            for part, targets in parts
        ]
    )
    return task.metrics(task.decode(outputs), labels) | {"loss": float(losses.mean())}


def _gathered_outputs(
    model: nn.Module, samples: Samples, plan: TrainPlan
) -> dict[str, Float[Tensor, "N _"]]:
    place = plan.place
    part = raw_outputs(
        model,
        samples,
        batch_size=max(1, plan.config.batch_size // place.world),
        device=place.device,
        rank=place.rank,
        world=place.world,
    )
    parts = [(indices, outputs) for indices, outputs in gather(part, place) if len(indices)]
    indices = np.concatenate([indices for indices, _ in parts])
    joined = {task: torch.cat([outputs[task] for _, outputs in parts]) for task in plan.tasks}
    return in_order(indices, joined, plan.tasks)
