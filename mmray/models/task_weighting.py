"""The weighted sum of the losses of all tasks. Axes: K tasks."""

from typing import TypeAlias, assert_never

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmray.config.training.weighting import (
    FixedWeightingConfig,
    GradNormWeightingConfig,
    UncertaintyWeightingConfig,
    WeightingConfig,
)

MIN_FACTOR = 1e-3


class FixedWeighting(nn.Module):
    """``sum_k w_k L_k``."""

    ones: Tensor

    def __init__(self, tasks: int) -> None:
        super().__init__()
        self.register_buffer("ones", torch.ones(tasks), persistent=False)

    def factors(self) -> Float[Tensor, " K"]:
        """Return the factor of each task's loss, besides its own weight."""
        return self.ones

    def forward(
        self,
        losses: Float[Tensor, " K"],
        weights: Float[Tensor, " K"],
        known: Bool[Tensor, " K"],
    ) -> Float[Tensor, ""]:
        """Return the sum; ``known`` marks the tasks with a label in the batch."""
        return (weights * losses).sum()


class UncertaintyWeighting(nn.Module):
    """``sum_k w_k (exp(-s_k) L_k + s_k / 2)``; s_k is a learned log-variance (Kendall 2018).

    A task without a label in the batch adds nothing, or its variance would shrink for no reason.
    """

    def __init__(self, tasks: int) -> None:
        super().__init__()
        self.log_variances = nn.Parameter(torch.zeros(tasks))

    def factors(self) -> Float[Tensor, " K"]:
        """Return the factor of each task's loss, besides its own weight."""
        return torch.exp(-self.log_variances.detach())

    def forward(
        self,
        losses: Float[Tensor, " K"],
        weights: Float[Tensor, " K"],
        known: Bool[Tensor, " K"],
    ) -> Float[Tensor, ""]:
        """Return the sum; ``known`` marks the tasks with a label in the batch."""
        terms = torch.exp(-self.log_variances) * losses + self.log_variances / 2.0
        return (weights * torch.where(known, terms, 0.0)).sum()


class GradNormWeighting(nn.Module):
    """``sum_k w_k c_k L_k``, the factors c_k moved after every step (Chen 2018).

    The norm of each task's gradient on what all tasks share is drawn towards
    ``mean norm * (L_k / L_k(0) / mean of these) ** alpha``. The factors stay one on average.
    """

    weights: Tensor
    initial: Tensor

    def __init__(self, tasks: int, *, alpha: float, lr: float) -> None:
        super().__init__()
        self.alpha, self.lr = alpha, lr
        self.register_buffer("weights", torch.ones(tasks))
        # The first loss of each task; zero until it has had a label.
        self.register_buffer("initial", torch.zeros(tasks))

    def factors(self) -> Float[Tensor, " K"]:
        """Return the factor of each task's loss, besides its own weight."""
        return self.weights.clone()  # the graph must not hold what update changes

    def forward(
        self,
        losses: Float[Tensor, " K"],
        weights: Float[Tensor, " K"],
        known: Bool[Tensor, " K"],
    ) -> Float[Tensor, ""]:
        """Return the sum; ``known`` marks the tasks with a label in the batch."""
        return (weights * self.factors() * losses).sum()

    @torch.no_grad()
    def update(
        self, norms: Float[Tensor, " K"], losses: Float[Tensor, " K"], known: Bool[Tensor, " K"]
    ) -> None:
        """Move the factors by one step.

        Args:
            norms: of each task's gradient, its own weight included and its factor left out.
            losses: of the complete batch, the same on every worker.
            known: the tasks that have a label in the batch; the factors of others are kept.
        """
        self.initial.copy_(torch.where((self.initial == 0.0) & known, losses, self.initial))
        if int(known.sum()) < 2:
            return
        tiny = torch.finfo(losses.dtype).tiny
        progress = losses[known] / self.initial[known].clamp(min=tiny)
        rates = progress / progress.mean().clamp(min=tiny)
        weighted = self.weights[known] * norms[known]
        mean = weighted.mean().clamp(min=tiny)
        # The gradient of |weighted - target| by the factor, in units of the mean norm, so that lr
        # means the same whatever the scale of the losses.
        slope = torch.sign(weighted - mean * rates**self.alpha) * norms[known] / mean
        moved = self.weights.clone()
        moved[known] = (self.weights[known] - self.lr * slope).clamp(min=MIN_FACTOR)
        self.weights.copy_(moved * len(moved) / moved.sum())


TaskWeighting: TypeAlias = FixedWeighting | UncertaintyWeighting | GradNormWeighting


def build_weighting(config: WeightingConfig, *, tasks: int) -> TaskWeighting:
    """Build the weighting named by ``config.kind``."""
    match config:
        case FixedWeightingConfig():
            return FixedWeighting(tasks)
        case UncertaintyWeightingConfig():
            return UncertaintyWeighting(tasks)
        case GradNormWeightingConfig():
            return GradNormWeighting(tasks, alpha=config.alpha, lr=config.lr)
        case _:
            assert_never(config)
