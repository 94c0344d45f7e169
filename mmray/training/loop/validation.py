"""The metrics of a complete split, exact over all workers. Axes: N samples, C outputs."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from mmray.config.training.epoch_metric import looks_at_modalities
from mmray.config.training.epoch_metric import metric_names as names_of
from mmray.models.fusion_model import FusionModel
from mmray.training.data.samples import Samples
from mmray.training.loop.plan import TrainPlan
from mmray.training.loop.predict import raw_outputs
from mmray.training.modalities.metrics import modality_metrics
from mmray.training.modalities.subset_model import ModalitySubsetModel, Subset, parts_in_order
from mmray.training.parallel.exchange import gather
from mmray.training.tasks.build import task_losses
from mmray.training.tasks.label import has_label
from mmray.training.tasks.task import Task

BLOCK = 256
"""An alignment compares samples within a block, so that its loss does not grow with the split."""


def metric_names(plan: TrainPlan) -> set[str]:
    """Return the names of all metrics that an epoch can have."""
    tasks = {name: task.config for name, task in plan.tasks.items()}
    modalities = tuple(plan.train.modalities)
    return names_of(tasks, modalities, plan.config, evaluated_on=plan.evaluated_on)


def validate(model: FusionModel, samples: Samples, plan: TrainPlan) -> dict[str, float]:
    """Return ``loss``, ``<task>/loss`` and each task's metrics over all of ``samples``.

    ``loss`` is the sum with the tasks' own weights, whatever weighting they are trained with: so
    that epochs can be compared. Besides, where modalities are watched, how good each is alone.
    """
    names = tuple(samples.modalities)
    subsets = [names, *((name,) for name in names)] if _looks_at_modalities(plan) else [names]
    outputs, *alone = _gathered_outputs(model, samples, plan, subsets)
    metrics: dict[str, float] = {}
    total = 0.0
    for name, task in plan.tasks.items():
        measured = task_metrics(task, outputs[name], samples.labels[name])
        metrics |= {f"{name}/{metric}": value for metric, value in measured.items()}
        total += task.config.weight * measured.get("loss", 0.0)
    if alone:
        metrics |= modality_metrics(plan.tasks, outputs, alone, samples)
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


def _looks_at_modalities(plan: TrainPlan) -> bool:
    tasks = {name: task.config for name, task in plan.tasks.items()}
    return looks_at_modalities(tasks, tuple(plan.train.modalities), plan.config)


def _gathered_outputs(
    model: FusionModel, samples: Samples, plan: TrainPlan, subsets: Sequence[Subset]
) -> list[dict[str, Float[Tensor, "N _"]]]:
    """Return all workers' outputs by subset and task."""
    context = plan.context
    part = raw_outputs(
        ModalitySubsetModel(model, subsets).train(model.training),
        samples,
        batch_size=max(1, plan.config.batch_size // context.world),
        device=context.device,
        rank=context.rank,
        world=context.world,
    )
    parts = [(indices, outputs) for indices, outputs in gather(part, context) if len(indices)]
    indices = np.concatenate([indices for indices, _ in parts])
    joined = {name: torch.cat([outputs[name] for _, outputs in parts]) for name in parts[0][1]}
    return parts_in_order(indices, joined, plan.tasks, len(subsets))
