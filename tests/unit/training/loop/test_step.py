import numpy as np
import pytest
import torch

from mmray.training.data.epoch import train_batches
from mmray.training.loop.step import step_loss, task_sums
from tests.support.sample import TASKS, make_model, make_samples


def gradients(samples, *, world):
    """Mean gradient over the workers, as data parallelism computes it."""
    model = make_model(samples).train()
    for rank in range(world):
        order = np.arange(len(samples))
        batch = next(train_batches(samples, order, batch_size=9, rank=rank, world=world))
        sums = task_sums(TASKS, model(batch.features, batch.present), batch)
        (step_loss(TASKS, sums, batch, world=world) / world).backward()
    return {name: p.grad for name, p in model.named_parameters()}


@pytest.mark.parametrize("world", [2, 4])
def test_the_mean_gradient_of_the_workers_is_that_of_one_worker(world):
    samples = make_samples(9, unlabelled=0.5)

    torch.testing.assert_close(gradients(samples, world=world), gradients(samples, world=1))


def test_a_task_without_any_label_adds_nothing_and_every_weight_has_a_gradient():
    samples = make_samples(9)
    samples.labels["rate"][:] = np.nan

    found = gradients(samples, world=2)

    assert all(grad is not None and grad.isfinite().all() for grad in found.values())
    assert not found["heads.1.project.weight"].any()
    assert found["heads.0.project.weight"].any()
