"""On-the-fly gradient modulation with generalisation enhancement. Axes: M modalities, K tasks.

Peng et al. 2022, arXiv 2203.15332. With s_m the mean score of modality m alone (`score`),

    rho_m = s_m / s_other
    k_m   = 1 - tanh(alpha * rho_m) if rho_m > 1, else 1
    g_m  <- k_m * g_m + N(0, var(g_m))                      of the encoder of modality m

For two modalities s_other is the other one's score, as in the paper; for more it is the mean over
all others. Several tasks add up with their weights. Scores come from the shared fusion and heads
with all other modalities absent; the paper splits one affine head, which other fusions do not have.
The variance is that of the entries of each weight's gradient, as in the authors' code.
"""

from collections.abc import Sequence

import numpy as np
import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor, nn

from mmray.config.training.balance import OgmGeConfig
from mmray.training.data.batch import Batch
from mmray.training.loop.plan import EpochRecord, TrainPlan
from mmray.training.modalities.balance.balance import Balance, StepLosses
from mmray.training.modalities.balance.score import score_sums
from mmray.training.modalities.training_model import TrainingOutputs
from mmray.training.tasks.build import independent_tasks

NOISE = 7
"""Keeps the noise apart from other numbers that follow from the seed."""


class OgmGe(Balance):
    """Slows the encoders that are ahead; the noise is the same on every worker."""

    needs_alone = True

    def __init__(
        self, config: OgmGeConfig, plan: TrainPlan, weights: Sequence[Sequence[nn.Parameter]]
    ) -> None:
        super().__init__(plan, weights)
        self.config = config
        tasks = independent_tasks(plan.tasks).values()
        self._task_weights = torch.tensor([t.config.weight for t in tasks], device=self._device)
        self._scores: Tensor | None = None
        self._modulations: list[Tensor] = []
        self._is_on = False
        self._position = (0, 0)

    @property
    def _device(self) -> torch.device:
        return self.plan.context.device

    def begin_epoch(self, epoch: int, records: Sequence[EpochRecord]) -> None:
        """Modulate from ``start`` on, and before ``end``."""
        end = self.config.end
        self._is_on = epoch >= self.config.start and (end is None or epoch < end)

    def begin_step(self, epoch: int, step: int) -> None:
        """Remember what the noise follows from."""
        self._position = (epoch, step)

    def before_backward(self, losses: StepLosses, views: TrainingOutputs, batch: Batch) -> None:
        """Add up the scores of this worker's samples."""
        if self._is_on:
            found = score_sums(self.plan.tasks, views.alone, batch)
            self._scores = found if self._scores is None else self._scores + found

    def after_backward(self) -> None:
        """Modulate by the scores of the global batch."""
        if self._scores is None:
            return
        if self.plan.context.world > 1:
            dist.all_reduce(self._scores)
        modulation = modulations(self._scores, self._task_weights, self.config.alpha)
        self._scores = None
        self._modulations.append(modulation)
        noise = self._noise_generator() if self.config.noise else None
        for weights, factor in zip(self.weights, modulation, strict=True):
            for weight in weights:
                if weight.grad is not None:
                    modulate(weight.grad, factor, noise)

    def metrics(self) -> dict[str, float]:
        """Return the mean factor of each encoder's gradients."""
        if not self._modulations:
            return {}
        means = torch.stack(self._modulations).mean(dim=0).tolist()
        self._modulations = []
        names = self.plan.train.modalities
        return {f"train/{m}/modulation": mean for m, mean in zip(names, means, strict=True)}

    def _noise_generator(self) -> torch.Generator:
        sequence = np.random.SeedSequence([self.plan.config.seed, *self._position, NOISE])
        seed = int(sequence.generate_state(1, np.uint64)[0] >> 1)
        return torch.Generator(self._device).manual_seed(seed)


def modulations(
    scores: Float[Tensor, "M K 2"], task_weights: Float[Tensor, " K"], alpha: float
) -> Float[Tensor, " M"]:
    """Return each encoder's factor; one where a modality or all others are without a score."""
    means = scores[..., 0] / scores[..., 1].clamp(min=1.0)  # (M, K)
    total = means @ task_weights  # (M)
    others = (total.sum() - total) / max(1, len(total) - 1)
    ratio = torch.where(others > 0.0, total / others.clamp(min=torch.finfo(total.dtype).tiny), 0.0)
    return torch.where(ratio > 1.0, 1.0 - torch.tanh(alpha * ratio), 1.0)


def modulate(gradient: Tensor, factor: Tensor, noise: torch.Generator | None) -> None:
    """Scale a gradient in place, and add noise of the deviation that it had before."""
    if noise is None or gradient.numel() < 2:
        gradient.mul_(factor)
        return
    deviation = gradient.std()
    luck = torch.randn(
        gradient.shape, generator=noise, device=gradient.device, dtype=gradient.dtype
    )
    gradient.mul_(factor).add_(luck * deviation)
