"""The metrics of a whole split, exact over all workers. Axes: N samples, C outputs."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmray.config.task import TaskConfig
from mmray.training.exchange import gather
from mmray.training.metric import (
    CLASSIFICATION_METRICS,
    REGRESSION_METRICS,
    classification_metrics,
    regression_metrics,
)
from mmray.training.plan import TrainPlan
from mmray.training.predict import in_order, raw_outputs
from mmray.training.samples import Samples
from mmray.training.task import (
    ClassificationState,
    TaskState,
    decode_numbers,
    decode_outputs,
    task_loss,
)


def metric_names(plan: TrainPlan) -> set[str]:
    """Return the names of all metrics that an epoch can have."""
    names = {"loss"}
    for task, (_, state) in plan.tasks.items():
        is_classes = isinstance(state, ClassificationState)
        metrics = CLASSIFICATION_METRICS if is_classes else REGRESSION_METRICS
        names |= {f"{task}/{metric}" for metric in ("loss", *metrics)}
    trained = {f"train/{task}/loss" for task in plan.tasks}
    trained |= {"train/loss", "train/lr", "train/samples_per_s"}
    return {f"{plan.judged_on}/{name}" for name in names} | trained


def validate(model: nn.Module, samples: Samples, plan: TrainPlan) -> dict[str, float]:
    """Return ``loss``, ``<task>/loss`` and each task's metrics over all of ``samples``."""
    outputs = _gathered_outputs(model, samples, plan)
    metrics: dict[str, float] = {}
    total = 0.0
    for task, (config, state) in plan.tasks.items():
        measured = task_metrics(config, state, outputs[task], samples.labels[task])
        metrics |= {f"{task}/{name}": value for name, value in measured.items()}
        total += config.weight * measured.get("loss", 0.0)
    return metrics | {"loss": total} if metrics else {}


def task_metrics(
    config: TaskConfig, state: TaskState, outputs: Float[Tensor, "N C"], labels: np.ndarray
) -> dict[str, float]:
    """Return the loss and the metrics of one task; nothing where there is no label."""
    targets = torch.from_numpy(labels)
    known = targets >= 0 if labels.dtype.kind == "i" else ~targets.isnan()
    if not known.any():
        return {}
    outputs, targets = outputs[known], targets[known]
    loss = task_loss(config, state, outputs, targets, torch.ones_like(targets, dtype=torch.bool))
    decoded = decode_outputs(state, outputs)
    if isinstance(state, ClassificationState):
        metrics = classification_metrics(decoded, targets.numpy(), state.classes)
    else:
        metrics = regression_metrics(decoded, decode_numbers(state, targets.numpy()))
    return metrics | {"loss": float(loss.mean())}


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
