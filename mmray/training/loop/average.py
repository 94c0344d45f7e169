"""A running average of the weights, which is often better than any of them."""

from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


class WeightAverage(AveragedModel):
    """``a <- d a + (1 - d) w`` after every step; buffers are the model's own.

    The decay rises to its final value, ``d = min(decay, (1 + n) / (10 + n))`` with n updates so
    far, so that a short training is not the average of its beginning.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        def blend(averages: Any, weights: Any, updates: Any) -> None:  # noqa: ANN401 (torch's own)
            get_ema_multi_avg_fn(decay_after(int(updates), decay))(averages, weights, updates)

        super().__init__(model, multi_avg_fn=blend)
        self.requires_grad_(requires_grad=False)

    @torch.no_grad()
    def take_buffers(self, model: nn.Module) -> None:
        """Copy the buffers of the model, as every update does."""
        for mine, theirs in zip(self.module.buffers(), model.buffers(), strict=True):
            mine.copy_(theirs)


def decay_after(updates: int, decay: float) -> float:
    """Return how much of the average stays at the next update."""
    return min(decay, (1.0 + updates) / (10.0 + updates))
