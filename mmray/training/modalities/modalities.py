"""The modalities of one training: balanced by a method, and watched."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from mmray.models.fusion_model import FusionModel
from mmray.training.data.batch import Batch
from mmray.training.loop.plan import EpochRecord, TrainPlan
from mmray.training.modalities.balance.balance import StepLosses
from mmray.training.modalities.balance.build import build_balance
from mmray.training.modalities.training_model import TrainingModel, TrainingOutputs
from mmray.training.modalities.watch import ModalityWatch


class Modalities:
    """What a step does besides the joint loss and its gradients.

    Every step calls, in this order: ``begin_step``, ``loss``, the backward pass, ``after_backward``
    with gradients that are neither scaled nor clipped, ``see_gradients`` with the norms that those
    of ``encoders`` had before clipping, and the optimiser.
    """

    def __init__(self, model: FusionModel, plan: TrainPlan) -> None:
        self.balance = build_balance(model, plan)
        # With sharded weights no worker has the complete gradient.
        is_sharded = plan.config.parallel == "fsdp"
        self.encoders = [] if is_sharded else self.balance.weights
        """The weights of each, if their gradients can be separated."""
        self._watches_gradients = plan.config.watch_modalities and len(self.encoders) > 1
        self._watch = ModalityWatch(plan)
        learns = self.balance.learns_alone or plan.auxiliary > 0.0
        self.view = TrainingModel(
            model, alone=learns or self.balance.needs_alone, learns_alone=learns
        )

    def begin_epoch(self, epoch: int, records: Sequence[EpochRecord]) -> None:
        """Prepare for an epoch; ``records`` are of those before it."""
        self.balance.begin_epoch(epoch, records)

    def begin_step(self, epoch: int, step: int) -> None:
        """Prepare for a step."""
        self.balance.begin_step(epoch, step)

    def loss(self, losses: StepLosses, views: TrainingOutputs, batch: Batch) -> Float[Tensor, ""]:
        """Return what the gradients are of."""
        self._watch.add_losses(losses.alone_sums, batch)
        self.balance.before_backward(losses, views, batch)
        return self.balance.loss(losses)

    def after_backward(self) -> None:
        """Balance the gradients."""
        self.balance.after_backward()

    def see_gradients(self, norms: Sequence[Float[Tensor, ""]]) -> None:
        """Record the norm of each encoder's gradient."""
        if self._watches_gradients:
            self._watch.add_gradients(norms)

    def metrics(self) -> dict[str, float]:
        """Return the metrics of the epoch's steps."""
        return self._watch.metrics() | self.balance.metrics()
