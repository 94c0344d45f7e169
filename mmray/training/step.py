"""One step on one worker. Axes: B batch."""

from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmray.training.batch import Batch
from mmray.training.plan import TrainPlan
from mmray.training.task import Tasks, task_loss
from mmray.training.view import Views


def train_step(
    wrapped: nn.Module, optimizer: torch.optim.Optimizer, plan: TrainPlan, batch: Batch
) -> Float[Tensor, " tasks"]:
    """Update the model once; return the sum of this worker's losses per task."""
    device = plan.place.device
    enabled = uses_bfloat16(plan.config.precision, device)
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled):
        views: Views = wrapped(batch.features, batch.present)
    sums = task_sums(plan.tasks, views.whole, batch)
    optimizer.zero_grad(set_to_none=True)
    views_loss(plan, sums, views, batch).backward()
    nn.utils.clip_grad_norm_(wrapped.parameters(), plan.config.clip_norm)
    optimizer.step()
    return torch.stack([sums[task].detach() for task in plan.tasks])


def views_loss(
    plan: TrainPlan, sums: Mapping[str, Tensor], views: Views, batch: Batch
) -> Float[Tensor, ""]:
    """Return the loss of the whole samples plus, weighted, the mean over each modality alone."""
    world = plan.place.world
    loss = step_loss(plan.tasks, sums, batch, world=world)
    for modality, outputs in enumerate(views.alone):
        alone = task_sums(plan.tasks, outputs, batch, kept=batch.present[:, modality])
        share = plan.auxiliary / len(views.alone)
        loss = loss + share * step_loss(plan.tasks, alone, batch, world=world)
    return loss


def task_sums(
    tasks: Tasks,
    outputs: Mapping[str, Tensor],
    batch: Batch,
    *,
    kept: Bool[Tensor, " B"] | None = None,
) -> dict[str, Float[Tensor, ""]]:
    """Return the sum of each task's losses over one worker's samples, or over those ``kept``."""
    labelled = batch.labelled if kept is None else {t: m & kept for t, m in batch.labelled.items()}
    return {
        task: task_loss(*spec, outputs[task], batch.labels[task], labelled[task]).sum()
        for task, spec in tasks.items()
    }


def step_loss(
    tasks: Tasks, sums: Mapping[str, Tensor], batch: Batch, *, world: int
) -> Float[Tensor, ""]:
    """Return the loss of one worker, so that the *mean* gradient over workers is the global one.

    Each task is averaged over its labels in the global batch; one without a label adds zero, but
    stays in the graph: data parallelism waits for every parameter's gradient.
    """
    loss = torch.zeros((), device=batch.present.device)
    for task, (config, _) in tasks.items():
        loss = loss + sums[task] * (world * config.weight / max(1, batch.label_totals[task]))
    return loss


def uses_bfloat16(precision: Literal["auto", "float32", "bfloat16"], device: torch.device) -> bool:
    """Return whether the forward pass of training runs in bfloat16."""
    if precision == "auto":
        return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return precision == "bfloat16"
