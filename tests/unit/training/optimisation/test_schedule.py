import pytest
import torch

from mmray.config.training.train import TrainConfig
from mmray.training.optimisation.schedule import learning_rate


def rates(config, steps):
    return [learning_rate(step, steps, config) for step in range(steps)]


def test_the_rate_rises_then_follows_a_half_cosine():
    config = TrainConfig(lr=1.0, warmup=0.3, schedule="cosine")

    found = rates(config, 10)

    assert found[:4] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert found[3:] == sorted(found[3:], reverse=True)
    assert 0 < found[-1] < 0.06


def test_a_constant_rate_stays():
    config = TrainConfig(lr=0.5, warmup=0.0, schedule="constant")

    assert set(rates(config, 7)) == {0.5}


def test_a_linear_rate_falls_by_the_same_in_every_step():
    config = TrainConfig(lr=1.0, warmup=0.2, schedule="linear")

    assert rates(config, 10) == pytest.approx([1 / 3, 2 / 3, *(1 - n / 8 for n in range(8))])


@pytest.mark.parametrize(("warmup", "steps"), [(0.3, 40), (0.0, 7), (0.25, 21)])
def test_one_cycle_is_the_one_that_torch_has(warmup, steps):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0, momentum=0.9)
    theirs = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.2, steps, pct_start=warmup)
    expected = [theirs.get_last_lr()[0]]
    for _ in range(steps - 1):
        optimizer.step()
        theirs.step()
        expected += theirs.get_last_lr()

    found = rates(TrainConfig(lr=0.2, warmup=warmup, schedule="one_cycle"), steps)

    assert found == pytest.approx(expected, rel=1e-9)
