"""The model compiled by torch, where that is asked for."""

import contextlib
from collections.abc import Generator

import torch
from torch import nn

from mmray.config.training.train import TrainConfig
from mmray.errors import TrainingError


def compiled(module: nn.Module, config: TrainConfig) -> nn.Module:
    """Return the module as it trains; what torch compiles, it compiles in the first step."""
    return torch.compile(module) if config.compile else module  # pyright: ignore[reportReturnType] (of a module it makes one)


@contextlib.contextmanager
def compiling(config: TrainConfig) -> Generator[None]:
    """Raise an error with a hint if torch.compile cannot compile the model."""
    if not config.compile:
        yield
        return
    from torch._dynamo.exc import TorchDynamoException  # takes a second to load

    try:
        yield
    except TorchDynamoException as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        raise TrainingError(
            f"torch.compile does not work for this model here: {lines[0] if lines else error!r}",
            where="train.compile",
            hint="it needs a C++ compiler on every node; 'train.compile: false' needs none",
        ) from error
