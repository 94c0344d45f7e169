"""Gradient blending. Axes: M modalities.

Wang et al. 2020, arXiv 1905.12681. The loss is sum_k w_k L_k over each modality alone and the joint
model, the weights summing to one. Between two epochs, with the gap O_k = L_k(val) - L_k(train),

    w_k ~ G_k / O_k^2,   G_k = fall of L_k(val) (0 where it rises),   O_k = |change of the gap|

The paper's online variant, estimated from the joint training itself: the paper trains a copy of the
model for each loss to estimate these, which costs M + 1 more trainings. Every ``every`` epochs the
last ``every`` are looked at; the weights are equal before, and kept where no L_k(val) falls. A loss
whose gap hardly changes would take all the weight, so O_k is at least a tenth of the largest. Train
losses are those of the steps of an epoch. Several tasks add up with their weights.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from torch import Tensor, nn

from mmray.config.training.balance import GradientBlendingConfig
from mmray.errors import TrainingError
from mmray.training.loop.plan import EpochRecord, TrainPlan
from mmray.training.modalities.balance.balance import Balance, StepLosses
from mmray.training.tasks.build import independent_tasks

MIN_GAP_SHARE = 0.1


class GradientBlending(Balance):
    """Weighs the losses; the weights follow from the records of earlier epochs alone."""

    needs_alone = True
    learns_alone = True

    def __init__(
        self,
        config: GradientBlendingConfig,
        plan: TrainPlan,
        weights: Sequence[Sequence[nn.Parameter]],
    ) -> None:
        super().__init__(plan, weights)
        if not len(plan.val):
            raise TrainingError(
                "gradient blending compares the losses of the train and the val split, and the val "
                "split has no samples",
                where="train.balance",
                hint="give it some with 'data.split', or use another kind of balance",
            )
        self.every = config.every
        self.blend = equal_blend(len(weights) + 1)

    def begin_epoch(self, epoch: int, records: Sequence[EpochRecord]) -> None:
        """Find the weights of this epoch from the first record on: so nothing need be saved."""
        tasks = {n: t.config.weight for n, t in independent_tasks(self.plan.tasks).items()}
        curves = [
            losses_of(record.metrics, tasks, list(self.plan.train.modalities))
            for record in records[:epoch]
        ]
        self.blend = equal_blend(len(self.weights) + 1)
        for end in range(self.every - 1, epoch, self.every):
            start = max(0, end - self.every)
            self.blend = blend_weights(curves[start], curves[end], self.blend)

    def loss(self, losses: StepLosses) -> Float[Tensor, ""]:
        """Return the blend, the joint loss last."""
        loss = self.blend[-1] * losses.whole
        for weight, alone in zip(self.blend[:-1], losses.alone, strict=True):
            loss = loss + weight * alone
        return loss

    def metrics(self) -> dict[str, float]:
        """Return the weights of this epoch."""
        *alone, whole = self.blend
        names = self.plan.train.modalities
        found = {f"train/{name}/blend": weight for name, weight in zip(names, alone, strict=True)}
        return found | {"train/blend": whole}


def equal_blend(count: int) -> list[float]:
    """Return equal weights that sum to one."""
    return [1.0 / count] * count


def losses_of(
    metrics: Mapping[str, float], tasks: Mapping[str, float], modalities: Sequence[str]
) -> Float[np.ndarray, "2 M1"]:
    """Return the train and the val loss of each modality alone, and of the joint model last.

    A task counts where every modality has a labelled sample in the val split.
    """
    views = (*(f"{name}/" for name in modalities), "")
    known = [task for task in tasks if all(f"val/{task}/{view}loss" in metrics for view in views)]
    return np.array(
        [
            [sum(tasks[t] * metrics[f"{split}/{t}/{view}loss"] for t in known) for view in views]
            for split in ("train", "val")
        ]
    )


def blend_weights(
    before: Float[np.ndarray, "2 M1"], after: Float[np.ndarray, "2 M1"], kept: list[float]
) -> list[float]:
    """Return the weights from the losses (train, val) of two epochs, or those ``kept``."""
    gain = np.maximum(before[1] - after[1], 0.0)
    gap = np.abs((after[1] - after[0]) - (before[1] - before[0]))
    gap = np.maximum(gap, MIN_GAP_SHARE * gap.max())
    if not gain.any() or not gap.any():
        return kept
    ratio = gain / gap**2
    return (ratio / ratio.sum()).tolist()
