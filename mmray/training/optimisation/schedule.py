"""The learning rate of each step."""

import math

import torch

from mmray.config.training.train import TrainConfig

START_DIVISOR, END_DIVISOR = 25.0, 1e4
"""Divisors of one_cycle: it starts at lr / 25 and ends at a ten thousandth of that."""


def learning_rate(step: int, num_steps: int, config: TrainConfig) -> float:
    """Return the rate of one step: a rise over the warm-up, then what the schedule says."""
    if config.schedule == "one_cycle":
        return _one_cycle(step, num_steps, config)
    warmup = round(config.warmup * num_steps)
    if step < warmup:
        return config.lr * (step + 1) / (warmup + 1)
    done = (step - warmup) / max(1, num_steps - warmup)
    match config.schedule:
        case "constant":
            return config.lr
        case "linear":
            return config.lr * (1.0 - done)
        case "cosine":
            return _cosine(config.lr, 0.0, done)


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the rate of the next step; each group has its share of it."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["share"]


def _one_cycle(step: int, num_steps: int, config: TrainConfig) -> float:
    """Half a cosine up and another one down (Smith 2018), as torch's OneCycleLR with two phases."""
    low, top, last = config.lr / START_DIVISOR, config.warmup * num_steps - 1.0, num_steps - 1.0
    if step < top:
        return _cosine(low, config.lr, step / top)
    return _cosine(config.lr, low / END_DIVISOR, (step - top) / (last - top))


def _cosine(start: float, end: float, done: float) -> float:
    return end + (start - end) * 0.5 * (1.0 + math.cos(math.pi * done))
