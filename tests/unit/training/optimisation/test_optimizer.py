import torch

from mmray.config.training.train import TrainConfig
from mmray.training.optimisation.optimizer import build_optimizer


def test_biases_and_normalisations_do_not_decay():
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.LayerNorm(2))

    groups = build_optimizer(model, TrainConfig(weight_decay=0.1)).param_groups

    assert [(g["weight_decay"], len(g["params"])) for g in groups] == [(0.1, 1), (0.0, 3)]
