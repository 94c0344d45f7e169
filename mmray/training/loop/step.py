"""One step on one worker. Axes: B batch."""

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler

from mmray.models.task_weighting import FixedWeighting, TaskWeighting
from mmray.training.data.batch import Batch
from mmray.training.loop.plan import TrainPlan
from mmray.training.modalities.balance.balance import StepLosses
from mmray.training.modalities.modalities import Modalities
from mmray.training.modalities.training_model import TrainingOutputs
from mmray.training.optimisation.accumulate import cut, unsynchronised
from mmray.training.optimisation.clipping import clip_gradients
from mmray.training.optimisation.precision import autocast, build_scaler
from mmray.training.parallel.worker_context import WorkerContext
from mmray.training.tasks.build import independent_tasks, task_losses
from mmray.training.tasks.task import Tasks
from mmray.training.tasks.weighting import balance_tasks, fusion_model_of


def train_step(
    wrapped: nn.Module,
    optimizer: torch.optim.Optimizer,
    plan: TrainPlan,
    batch: Batch,
    modalities: Modalities,
    *,
    scaler: GradScaler | None = None,
) -> Float[Tensor, " tasks"]:
    """Update the model once; return the sum of this worker's losses per task."""
    optimizer.zero_grad(set_to_none=True)
    scaler = scaler or build_scaler(plan.config.precision, plan.context.device)
    parts = list(cut(batch, plan.config.accumulate))
    sums: list[Tensor] = []
    for number, part in enumerate(parts, start=1):
        with unsynchronised(wrapped, is_last=number == len(parts)):
            sums.append(_backward(wrapped, plan, part.to(plan.context.device), modalities, scaler))
    scaler.unscale_(optimizer)
    modalities.after_backward()
    limit = plan.config.clip_norm
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    norms = clip_gradients(weights, modalities.encoders, limit=limit)
    modalities.see_gradients(norms)
    scaler.step(optimizer)
    scaler.update()
    return sum(sums[1:], start=sums[0])


def _backward(
    wrapped: nn.Module,
    plan: TrainPlan,
    part: Batch,
    modalities: Modalities,
    scaler: GradScaler,
) -> Float[Tensor, " tasks"]:
    """Add the gradient of a part of the batch; return its sum of losses per task."""
    with autocast(plan.config.precision, plan.context.device):
        views: TrainingOutputs = wrapped(part.features, part.present)
    sums = task_sums(plan.tasks, views.whole, part, context=plan.context)
    model = fusion_model_of(wrapped)
    balance_tasks(model, plan, sums, part)
    losses = view_losses(plan, sums, views, part, weighting=model.weighting)
    scaler.scale(modalities.loss(losses, views, part)).backward()
    return torch.stack([sums[task].detach() for task in plan.tasks])


def view_losses(
    plan: TrainPlan,
    sums: Mapping[str, Tensor],
    views: TrainingOutputs,
    batch: Batch,
    *,
    weighting: TaskWeighting | None = None,
) -> StepLosses:
    """Return the loss of complete samples, and that of each modality alone.

    An alignment compares modalities, so it has no loss of one alone.
    """
    world = plan.context.world
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
    context: WorkerContext | None = None,
) -> dict[str, Float[Tensor, ""]]:
    """Return the sum of each task's losses over one worker's samples, or over those ``kept``."""
    labelled = batch.labelled if kept is None else {t: m & kept for t, m in batch.labelled.items()}
    return {
        name: task_losses(task, outputs[name], batch.labels[name], labelled[name], context).sum()
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
    totals, share = [batch.label_totals[name] for name in tasks], batch.share
    scales = [world / max(1, n) for n in totals]
    if weighting is None or isinstance(weighting, FixedWeighting):
        # By numbers: every small tensor takes a step as long as some samples do.
        weights = [task.config.weight for task in tasks.values()]
        terms = [sums[name] * (w * s) for name, w, s in zip(tasks, weights, scales, strict=True)]
        return sum(terms[1:], start=terms[0])
    # A part's loss weighs less but counts for more: what a weighting adds to the losses is then
    # added once per step.
    losses = torch.stack([sums[name] for name in tasks])  # (K)
    losses = losses * losses.new_tensor(scales) / share
    weights = losses.new_tensor([task.config.weight * share for task in tasks.values()])
    return weighting(losses, weights, weights.new_tensor(totals) > 0)
