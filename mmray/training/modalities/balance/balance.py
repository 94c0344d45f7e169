"""The interface of a method that balances modalities. Axes: M modalities."""

from collections.abc import Sequence
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from mmray.training.data.batch import Batch
from mmray.training.loop.plan import EpochRecord, TrainPlan
from mmray.training.modalities.training_model import TrainingOutputs


class StepLosses(NamedTuple):
    """The losses of one worker, so that their mean over workers is that of the global batch."""

    whole: Float[Tensor, ""]
    alone: list[Float[Tensor, ""]]
    """Loss of each modality alone (M), summed over tasks except alignments; empty without it."""
    alone_sums: list[dict[str, Tensor]]
    """Summed over this worker's samples, by modality and task."""


class Balance:
    """Trains the joint model, and each modality alone with weight ``auxiliary / M``: no balancing.

    A method changes the loss, or the gradients between backward pass and clipping. What it keeps
    beyond a step follows from the seed and the records of earlier epochs, so that a resumed
    training needs only its checkpoint.
    """

    needs_alone = False
    """Whether the views of each modality alone are needed, whatever ``auxiliary``."""
    learns_alone = False
    """Whether they have gradients, whatever ``auxiliary``."""

    def __init__(self, plan: TrainPlan, weights: Sequence[Sequence[nn.Parameter]]) -> None:
        self.plan = plan
        self.weights = weights
        """Parameters of each modality's encoder, in M-axis order."""

    def begin_epoch(self, epoch: int, records: Sequence[EpochRecord]) -> None:
        """Prepare for an epoch; ``records`` are of all epochs before it."""

    def begin_step(self, epoch: int, step: int) -> None:
        """Prepare for a step."""

    def before_backward(self, losses: StepLosses, views: TrainingOutputs, batch: Batch) -> None:
        """Take what is needed of the graph."""

    def loss(self, losses: StepLosses) -> Float[Tensor, ""]:
        """Return what the gradients are of."""
        loss = losses.whole
        for alone in losses.alone:
            loss = loss + self.plan.auxiliary / len(losses.alone) * alone
        return loss

    def after_backward(self) -> None:
        """Change the gradients; they are those of the global batch, the same on every worker."""

    def metrics(self) -> dict[str, float]:
        """Return the method's metrics of an epoch, and reset."""
        return {}
