"""The optimiser."""

import torch
from torch import nn

from mmray.config.training.train import TrainConfig
from mmray.models.parameter_groups import parameter_groups


def build_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.AdamW:
    """Return AdamW; biases and normalisations do not decay, checkpoints have rates of their own."""
    groups = parameter_groups(model, config.lr, config.weight_decay)
    return torch.optim.AdamW(groups, lr=config.lr, fused=True)
