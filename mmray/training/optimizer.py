"""The optimiser and its learning rate."""

import math

import torch
from torch import nn

from mmray.config.train import TrainConfig
from mmray.models.parameter_groups import parameter_groups


def build_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.AdamW:
    """Return AdamW; biases and normalisations do not decay, checkpoints have rates of their own."""
    groups = parameter_groups(model, config.lr, config.weight_decay)
    return torch.optim.AdamW(groups, lr=config.lr, fused=True)


def learning_rate(step: int, num_steps: int, config: TrainConfig) -> float:
    """Return the rate of one step: a linear rise from zero, then constant or a half cosine."""
    warmup = round(config.warmup * num_steps)
    if step < warmup:
        return config.lr * (step + 1) / (warmup + 1)
    if config.schedule == "constant":
        return config.lr
    done = (step - warmup) / max(1, num_steps - warmup)
    return config.lr * 0.5 * (1.0 + math.cos(math.pi * done))


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the rate of the next step; each group has its share of it."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["share"]
