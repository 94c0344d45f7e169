"""The model, and all that changes with it while it is trained."""

import torch
from torch import Tensor, nn

from mmray.models.fusion_model import FusionModel
from mmray.training.average import WeightAverage
from mmray.training.checkpoint import (
    Checkpoint,
    Weights,
    flatten_optimizer,
    restore_optimizer,
)
from mmray.training.optimizer import build_optimizer
from mmray.training.plan import TrainPlan
from mmray.training.precision import build_scaler

SCALER, AVERAGE = "scaler.", "average."
"""Of what stands beside the optimiser's own state in a checkpoint."""


class TrainState:
    """What one worker holds: the weights, their average if there is one, and ``rest``."""

    def __init__(self, model: FusionModel, plan: TrainPlan) -> None:
        self.model = model
        self.optimizer = build_optimizer(model, plan.config)
        self.scaler = build_scaler(plan.config.precision, plan.place.device)
        decay = plan.config.ema
        self.average = None if decay is None else WeightAverage(model, decay)

    @property
    def judged(self) -> nn.Module:
        """The model that is judged and kept: the average, where there is one."""
        return self.model if self.average is None else self.average.module

    def after_step(self) -> None:
        """Take note of new weights."""
        if self.average is not None:
            self.average.update_parameters(self.model)

    def rest(self) -> Weights:
        """Return the state of the optimiser, of the scaler and of the average's count."""
        flat = flatten_optimizer(self.optimizer)
        for name, value in self.scaler.state_dict().items():
            flat[SCALER + name] = torch.tensor(value)
        if self.average is not None:
            flat[AVERAGE + "updates"] = self.average.n_averaged.cpu()
        return flat

    def restore(self, found: Checkpoint) -> None:
        """Put back what a checkpoint holds."""
        self.model.load_state_dict(found.model)
        rest = dict(found.optimizer)
        scaler = {name: rest.pop(SCALER + name).item() for name in self.scaler.state_dict()}
        if scaler:
            self.scaler.load_state_dict(scaler)
        if self.average is not None:
            self.average.module.load_state_dict(found.average)
            self.average.n_averaged.copy_(rest.pop(AVERAGE + "updates"))
        restore_optimizer(self.optimizer, rest)


def weights_of(model: nn.Module) -> Weights:
    """Return the weights as they are, in the memory of the processor; they change with the model.

    The weights of a GPU are copied for that; those of a CPU are not.
    """
    return {name: value.detach().cpu() for name, value in model.state_dict().items()}


def copy_weights(model: nn.Module) -> Weights:
    """Return a copy of the weights."""
    return {name: _copy(value) for name, value in model.state_dict().items()}


def _copy(value: Tensor) -> Tensor:
    return value.detach().to("cpu", copy=True)
