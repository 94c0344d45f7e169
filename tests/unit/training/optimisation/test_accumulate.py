from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.amp import GradScaler

from mmray.config.training.train import TrainConfig
from mmray.config.training.weighting import UncertaintyWeightingConfig
from mmray.errors import TrainingError
from mmray.models.task_weighting import build_weighting
from mmray.training.data.epoch import train_batches
from mmray.training.loop.step import train_step
from mmray.training.modalities.modalities import Modalities
from mmray.training.optimisation.accumulate import cut
from mmray.training.optimisation.optimizer import build_optimizer
from mmray.training.optimisation.precision import build_scaler
from tests.support.sample import TASKS, make_model
from tests.support.training import make_plan


def stepped(*, scaler=None, **settings):
    """The weights, and the losses, after one step on one batch of 11."""
    plan = make_plan(config=TrainConfig(batch_size=11, weight_decay=0.0, lr=0.1, **settings))
    model = make_model(plan.train)
    model.weighting = build_weighting(UncertaintyWeightingConfig(), tasks=len(TASKS))
    optimizer = build_optimizer(model, plan.config)
    order = np.arange(len(plan.train))
    batch = next(train_batches(plan.train, order, batch_size=11, rank=0, world=1))
    modalities = Modalities(model, plan)
    sums = train_step(modalities.view.train(), optimizer, plan, batch, modalities, scaler=scaler)
    gradients = {name: weight.grad for name, weight in model.named_parameters()}
    return model.state_dict(), gradients, sums


@pytest.mark.parametrize("parts", [2, 3, 50])
def test_a_step_in_parts_is_the_step_of_the_whole_batch(parts):
    _, gradients, sums = stepped()
    _, in_parts, sums_in_parts = stepped(accumulate=parts)

    assert gradients["weighting.log_variances"].abs().min() > 1e-4
    torch.testing.assert_close(in_parts, gradients, atol=2e-6, rtol=2e-4)
    torch.testing.assert_close(sums_in_parts, sums)


def test_a_batch_is_cut_into_parts_of_like_size_and_none_is_empty():
    plan = make_plan()
    order = np.arange(len(plan.train))
    batch = next(train_batches(plan.train, order, batch_size=7, rank=0, world=1))

    parts = list(cut(batch, 3))

    assert [len(part.present) for part in parts] == [2, 2, 3]
    assert torch.equal(torch.cat([part.labels["digit"] for part in parts]), batch.labels["digit"])
    assert all(part.label_totals == batch.label_totals for part in parts)
    assert len(list(cut(batch, 20))) == 7
    assert len(list(cut(replace(batch, least=6), 20))) == 6  # as on the worker with the fewest


def test_a_scaled_loss_gives_the_same_step():
    weights, _, _ = stepped()
    scaled, _, _ = stepped(scaler=GradScaler("cpu", init_scale=1024.0))

    torch.testing.assert_close(scaled, weights, atol=1e-6, rtol=1e-5)


def test_a_step_with_infinite_gradients_is_left_out_and_the_scale_falls():
    scaler = GradScaler("cpu", init_scale=3e38)
    before = make_model(make_plan().train).state_dict()

    after, _, _ = stepped(scaler=scaler)

    torch.testing.assert_close({name: after[name] for name in before}, before, atol=0, rtol=0)
    assert scaler.get_scale() == pytest.approx(1.5e38)


def test_float16_without_a_gpu_is_an_error_with_a_way_out():
    with pytest.raises(TrainingError, match="float16 needs a GPU, and this worker has a cpu") as e:
        build_scaler("float16", torch.device("cpu"))

    assert "bfloat16" in e.value.hint
