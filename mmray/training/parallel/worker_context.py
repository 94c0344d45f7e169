"""The context of one worker of a training."""

from dataclasses import dataclass, field

import torch


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """One worker among all."""

    rank: int = 0
    world: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
