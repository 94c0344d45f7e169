import pytest
import torch

from mmray.config.train import TrainConfig
from mmray.training.optimizer import build_optimizer, learning_rate


def test_the_rate_rises_then_follows_a_half_cosine():
    config = TrainConfig(lr=1.0, warmup=0.3, schedule="cosine")

    rates = [learning_rate(step, 10, config) for step in range(10)]

    assert rates[:4] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert rates[3:] == sorted(rates[3:], reverse=True)
    assert 0 < rates[-1] < 0.06


def test_a_constant_rate_stays():
    config = TrainConfig(lr=0.5, warmup=0.0, schedule="constant")

    assert {learning_rate(step, 7, config) for step in range(7)} == {0.5}


def test_biases_and_normalisations_do_not_decay():
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.LayerNorm(2))

    groups = build_optimizer(model, TrainConfig(weight_decay=0.1)).param_groups

    assert [(g["weight_decay"], len(g["params"])) for g in groups] == [(0.1, 1), (0.0, 3)]
