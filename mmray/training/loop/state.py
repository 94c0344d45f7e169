"""The model, and all that changes with it while it is trained."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from mmray.models.fusion_model import FusionModel
from mmray.training.loop.average import WeightAverage
from mmray.training.loop.checkpoint import (
    Checkpoint,
    Weights,
    flatten_optimizer,
    restore_optimizer,
)
from mmray.training.loop.plan import TrainPlan
from mmray.training.modalities.modalities import Modalities
from mmray.training.optimisation.optimizer import build_optimizer
from mmray.training.optimisation.precision import build_scaler
from mmray.training.parallel.running_statistics import join_statistics
from mmray.training.parallel.sharded import load_weights, whole
from mmray.training.parallel.worker_context import WorkerContext
from mmray.training.tasks.weighting import fusion_model_of

SCALER, AVERAGE = "scaler.", "average."
"""Prefix of the other state beside the optimiser's in a checkpoint."""


class TrainState:
    """The state of one worker."""

    def __init__(
        self, model: FusionModel, plan: TrainPlan, wrap: Callable[[nn.Module], nn.Module]
    ) -> None:
        self.model = model
        self.is_sharded = plan.config.parallel == "fsdp"
        # FSDP shards and trains a copy; ``model`` keeps all weights on every worker.
        self.trained = copy.deepcopy(model) if self.is_sharded else model
        self.modalities = Modalities(self.trained, plan)
        self.wrapped = wrap(self.modalities.view)
        self.optimizer = build_optimizer(self.trained, plan.config)
        self.scaler = build_scaler(plan.config.precision, plan.context.device)
        decay = plan.config.ema
        self.average = None if decay is None else WeightAverage(model, decay)

    @property
    def evaluated(self) -> FusionModel:
        """The model that is evaluated and kept: the average, where there is one."""
        return self.model if self.average is None else fusion_model_of(self.average)

    def after_step(self) -> None:
        """Record new weights."""
        if self.average is not None:
            self.average.update_parameters(self.model)

    def end_epoch(self, context: WorkerContext) -> None:
        """Make the batch statistics of normalisations equal on all workers."""
        join_statistics(self.trained, context)
        if self.average is not None:
            self.average.take_buffers(self.model)

    def snapshot(self) -> "Snapshot":
        """Return a copy of everything, in the memory of the processor; on every worker."""
        average = {} if self.average is None else _copy(self.average.module.state_dict())
        weights = _copy(self.trained.state_dict())
        if self.is_sharded:
            self.model.load_state_dict(weights)
        return Snapshot(weights, average, self._rest())

    def _rest(self) -> Weights:
        flat = flatten_optimizer(self.optimizer)
        for name, value in self.scaler.state_dict().items():
            flat[SCALER + name] = torch.tensor(value)
        if self.average is not None:
            flat[AVERAGE + "updates"] = self.average.n_averaged.cpu().clone()
        return flat

    def restore(self, found: Checkpoint) -> None:
        """Restore the state of a checkpoint."""
        load_weights(self.trained, found.model)
        rest = dict(found.optimizer)
        scaler = {name: rest.pop(SCALER + name).item() for name in self.scaler.state_dict()}
        if scaler:
            self.scaler.load_state_dict(scaler)
        if self.average is not None:
            self.average.module.load_state_dict(found.average)
            self.average.n_averaged.copy_(rest.pop(AVERAGE + "updates"))
        restore_optimizer(self.optimizer, rest)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a checkpoint needs of a training's state."""

    model: Weights
    average: Weights
    """Empty where there is none."""
    rest: Weights
    """State of the optimiser, of the scaler and of the average's count."""

    @property
    def evaluated(self) -> Weights:
        """The weights that are evaluated and kept."""
        return self.average or self.model


def _copy(weights: Weights) -> Weights:
    return {name: whole(value.detach()).to("cpu", copy=True) for name, value in weights.items()}
