import numpy as np
import pytest
import torch

from mmray.config.training.balance import MmParetoConfig
from mmray.config.training.train import TrainConfig
from mmray.training.loop.step import task_sums, view_losses
from mmray.training.modalities.balance.mmpareto import MmPareto, integrate
from mmray.training.modalities.modalities import Modalities
from tests.support.sample import make_model
from tests.support.training import make_plan


def integrated(whole, alone, scale=1.5):
    """What ``integrate`` makes of two gradients that each lie in two weights."""
    parts = [slice(0, 2), slice(2, None)]
    sums = [torch.tensor(whole + alone)[part] for part in parts]
    in_conflict = integrate(sums, [torch.tensor(alone)[part] for part in parts], scale)
    return torch.cat(sums).numpy(), bool(in_conflict)


def test_gradients_that_agree_are_summed_and_scaled():
    whole, alone = np.array([1.0, 0.0, 2.0]), np.array([0.5, 1.0, 0.0])

    found, in_conflict = integrated(whole, alone)

    np.testing.assert_allclose(found, 1.5 * (whole + alone))
    assert not in_conflict


@pytest.mark.parametrize("seed", range(4))
def test_gradients_in_conflict_take_the_shortest_combination_at_the_length_of_the_sum(seed):
    rng = np.random.default_rng(seed)
    whole = rng.normal(size=6)
    alone = 0.5 * rng.normal(size=6) - 0.8 * whole * rng.uniform(0.2, 2.0)
    assert whole @ alone < 0

    found, in_conflict = integrated(whole, alone)

    grid = np.linspace(0.0, 1.0, 200_001)[:, None]
    points = grid * whole + (1 - grid) * alone
    h = 2 * points[np.linalg.norm(points, axis=1).argmin()]
    length = np.linalg.norm(whole + alone) / np.linalg.norm(h)
    np.testing.assert_allclose(found, 1.5 * max(1.0, length) * h, atol=1e-4)
    assert in_conflict
    assert found @ whole > 0
    assert found @ alone > 0


def test_opposite_gradients_leave_something_finite():
    found, in_conflict = integrated(np.array([2.0, 0.0, 2.0]), np.array([-1.0, 0.0, -1.0]))

    assert np.isfinite(found).all()
    assert np.abs(found).max() < 1e-3
    assert in_conflict


def test_encoders_get_the_integrated_gradients_and_the_rest_that_of_the_sum():
    plan = make_plan(config=TrainConfig(balance=MmParetoConfig()))
    model = make_model(plan.train)
    modalities = Modalities(model, plan)
    assert isinstance(modalities.balance, MmPareto)
    batch = plan.train.batch(np.arange(16))

    def losses():
        views = modalities.view(batch.features, batch.present)
        return views, view_losses(plan, task_sums(plan.tasks, views.whole, batch), views, batch)

    views, found = losses()
    modalities.loss(found, views, batch).backward()
    modalities.after_backward()
    got = {name: weight.grad.clone() for name, weight in model.named_parameters()}

    def gradients(loss):
        model.zero_grad()
        loss.backward(retain_graph=True)
        return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}

    _, again = losses()
    whole = gradients(again.whole)
    summed = gradients(again.whole + sum(again.alone))
    for index in range(3):
        alone = gradients(again.alone[index])
        mine = [n for n in got if n.startswith((f"encoders.{index}.", f"norms.{index}."))]
        expected = [whole[n] + alone[n] for n in mine]
        integrate(expected, [alone[n] for n in mine], 1.5)
        torch.testing.assert_close([got[n] for n in mine], expected)
    rest = [n for n in got if n.startswith(("fusion.", "heads."))]
    torch.testing.assert_close([got[n] for n in rest], [summed[n] for n in rest])
