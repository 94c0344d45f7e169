"""Learned weights between tasks, the same on every worker. Axes: K tasks, P shared parameters."""

from collections.abc import Mapping

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor, nn

from mmray.models.fusion_model import FusionModel
from mmray.models.task_weighting import FixedWeighting, GradNormWeighting
from mmray.training.data.batch import Batch
from mmray.training.loop.plan import TrainPlan
from mmray.training.tasks.task import Tasks


def fusion_model_of(wrapped: nn.Module) -> FusionModel:
    """Return the model inside of what makes it data parallel, compiled, or seen from all sides."""
    return next(module for module in wrapped.modules() if isinstance(module, FusionModel))


def balance_tasks(
    model: FusionModel, plan: TrainPlan, sums: Mapping[str, Tensor], batch: Batch
) -> None:
    """Move the factors of GradNorm by one step; other weightings need none.

    What all tasks share, whatever the fusion, are the normalisations behind the encoders. Every
    worker sees the gradients of the global batch, so the factors are the same everywhere.
    """
    weighting = model.weighting
    if not isinstance(weighting, GradNormWeighting):
        return
    totals = label_totals(plan.tasks, batch)
    weights = totals.new_tensor([task.config.weight for task in plan.tasks.values()])
    losses = torch.stack([sums[name] for name in plan.tasks]) / totals.clamp(min=1.0)  # (K)
    shared = [weight for weight in model.norms.parameters() if weight.requires_grad]
    gradients = torch.stack([_gradient(loss, shared) for loss in losses])  # (K, P)
    table = torch.cat([weights[:, None] * gradients, losses.detach()[:, None]], dim=1)
    if plan.context.world > 1:
        dist.all_reduce(table)
    weighting.update(table[:, :-1].norm(dim=1), table[:, -1], totals > 0.0)


def label_totals(tasks: Tasks, batch: Batch) -> Float[Tensor, " K"]:
    """Return the labels of each task in the global batch."""
    totals = [float(batch.label_totals[name]) for name in tasks]
    return torch.tensor(totals, device=batch.present.device)


def task_weights(wrapped: nn.Module, tasks: Tasks) -> dict[str, float]:
    """Return the current weight of each task, if weights are learned."""
    weighting = fusion_model_of(wrapped).weighting
    if isinstance(weighting, FixedWeighting):
        return {}
    factors = weighting.factors().tolist()
    return {
        f"train/{name}/weight": task.config.weight * factor
        for (name, task), factor in zip(tasks.items(), factors, strict=True)
    }


def _gradient(loss: Tensor, shared: list[nn.Parameter]) -> Float[Tensor, " P"]:
    found = torch.autograd.grad(loss, shared, retain_graph=True, materialize_grads=True)
    return torch.cat([gradient.flatten() for gradient in found])
