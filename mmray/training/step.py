"""One step on one worker. Axes: B batch."""

from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmray.models.task_weighting import FixedWeighting, TaskWeighting
from mmray.training.balance.balance import StepLosses
from mmray.training.batch import Batch
from mmray.training.modalities import Modalities
from mmray.training.place import Place
from mmray.training.plan import TrainPlan
from mmray.training.tasks.build import independent_tasks, task_losses
from mmray.training.tasks.task import Tasks
from mmray.training.view import Views
from mmray.training.weighting import balance_tasks, fusion_model_of


def train_step(
    wrapped: nn.Module,
    optimizer: torch.optim.Optimizer,
    plan: TrainPlan,
    batch: Batch,
    modalities: Modalities,
) -> Float[Tensor, " tasks"]:
    """Update the model once; return the sum of this worker's losses per task."""
    device = plan.place.device
    enabled = uses_bfloat16(plan.config.precision, device)
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled):
        views: Views = wrapped(batch.features, batch.present)
    sums = task_sums(plan.tasks, views.whole, batch, place=plan.place)
    model = fusion_model_of(wrapped)
    balance_tasks(model, plan, sums, batch)
    optimizer.zero_grad(set_to_none=True)
    losses = view_losses(plan, sums, views, batch, weighting=model.weighting)
    modalities.loss(losses, views, batch).backward()
    modalities.after_backward()
    nn.utils.clip_grad_norm_(wrapped.parameters(), plan.config.clip_norm)
    optimizer.step()
    return torch.stack([sums[task].detach() for task in plan.tasks])


def view_losses(
    plan: TrainPlan,
    sums: Mapping[str, Tensor],
    views: Views,
    batch: Batch,
    *,
    weighting: TaskWeighting | None = None,
) -> StepLosses:
    """Return the loss of the whole samples, and that of each modality alone.

    An alignment compares modalities, so there is none of one alone.
    """
    world = plan.place.world
    whole = step_loss(plan.tasks, sums, batch, world=world, weighting=weighting)
    tasks = independent_tasks(plan.tasks)
    if not (views.alone and tasks):
        return StepLosses(whole, [], [])
    weighting = weighting or FixedWeighting(len(plan.tasks)).to(whole.device)
    factors = dict(zip(plan.tasks, weighting.factors(), strict=True))
    losses = StepLosses(whole, [], [])
    for modality, outputs in enumerate(views.alone):
        alone = task_sums(tasks, outputs, batch, kept=batch.present[:, modality])
        scaled = {task: factors[task] * total for task, total in alone.items()}
        losses.alone.append(step_loss(tasks, scaled, batch, world=world))
        losses.alone_sums.append(alone)
    return losses


def task_sums(
    tasks: Tasks,
    outputs: Mapping[str, Tensor],
    batch: Batch,
    *,
    kept: Bool[Tensor, " B"] | None = None,
    place: Place | None = None,
) -> dict[str, Float[Tensor, ""]]:
    """Return the sum of each task's losses over one worker's samples, or over those ``kept``."""
    labelled = batch.labelled if kept is None else {t: m & kept for t, m in batch.labelled.items()}
    return {
        name: task_losses(task, outputs[name], batch.labels[name], labelled[name], place).sum()
        for name, task in tasks.items()
    }


def step_loss(
    tasks: Tasks,
    sums: Mapping[str, Tensor],
    batch: Batch,
    *,
    world: int,
    weighting: TaskWeighting | None = None,
) -> Float[Tensor, ""]:
    """Return the loss of one worker, so that the *mean* gradient over workers is the global one.

    Each task is averaged over its labels in the global batch; one without a label adds zero, but
    stays in the graph: data parallelism waits for every parameter's gradient.
    """
    totals = [batch.label_totals[name] for name in tasks]
    scales = batch.present.new_tensor([world / max(1, n) for n in totals], dtype=torch.float32)
    losses = torch.stack([sums[name] for name in tasks]) * scales  # (K)
    weights = losses.new_tensor([task.config.weight for task in tasks.values()])
    if weighting is None:
        return (weights * losses).sum()
    return weighting(losses, weights, weights.new_tensor(totals) > 0)


def uses_bfloat16(precision: Literal["auto", "float32", "bfloat16"], device: torch.device) -> bool:
    """Return whether the forward pass of training runs in bfloat16."""
    if precision == "auto":
        return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return precision == "bfloat16"
