import numpy as np
import pytest
import torch

from mmray.config.training.weighting import (
    FixedWeightingConfig,
    GradNormWeightingConfig,
    UncertaintyWeightingConfig,
)
from mmray.models.task_weighting import build_weighting

LOSSES, WEIGHTS = torch.tensor([2.0, 0.5, 4.0]), torch.tensor([1.0, 0.5, 3.0])
ALL, SOME = torch.tensor([True, True, True]), torch.tensor([True, False, True])


def make(config):
    return build_weighting(config, tasks=3)


@pytest.mark.parametrize(
    "config",
    [FixedWeightingConfig(), UncertaintyWeightingConfig(), GradNormWeightingConfig()],
    ids=lambda config: config.kind,
)
def test_every_weighting_begins_with_the_tasks_own_weights(config):
    weighting = make(config)

    assert weighting(LOSSES, WEIGHTS, ALL).item() == pytest.approx(14.25)
    assert weighting.factors().tolist() == [1.0, 1.0, 1.0]


def test_fixed_weights_have_no_state():
    assert make(FixedWeightingConfig()).state_dict() == {}


def test_uncertainty_is_kendalls_formula():
    weighting, s = make(UncertaintyWeightingConfig()), np.array([0.3, -1.0, 2.0])
    weighting.log_variances.data = torch.tensor(s, dtype=torch.float32)

    found = weighting(LOSSES, WEIGHTS, SOME)
    found.backward()

    w, losses, known = WEIGHTS.numpy(), LOSSES.numpy(), SOME.numpy()
    terms = w * (np.exp(-s) * losses + s / 2)
    assert found.item() == pytest.approx(terms[known].sum())
    expected = np.where(known, w * (0.5 - np.exp(-s) * losses), 0.0)
    np.testing.assert_allclose(weighting.log_variances.grad, expected, rtol=1e-5)
    np.testing.assert_allclose(weighting.factors(), np.exp(-s), rtol=1e-6)


def test_uncertainty_comes_to_rest_where_the_variance_is_twice_the_loss():
    weighting = make(UncertaintyWeightingConfig())
    optimizer = torch.optim.Adam(weighting.parameters(), lr=0.05)

    for _ in range(500):
        optimizer.zero_grad()
        weighting(LOSSES, WEIGHTS, ALL).backward()
        optimizer.step()

    np.testing.assert_allclose(weighting.factors(), 1 / (2 * LOSSES), rtol=1e-3)


def test_gradnorm_is_chens_rule():
    weighting = make(GradNormWeightingConfig(alpha=1.5, lr=0.1))
    norms, first, second = np.array([1.0, 4.0, 2.0]), LOSSES.numpy(), np.array([1.0, 0.45, 1.0])
    weighting.update(torch.tensor(norms).float(), LOSSES, ALL)
    c = weighting.weights.double().numpy()

    weighting.update(torch.tensor(norms).float(), torch.tensor(second).float(), ALL)

    rates = second / first
    target = (c * norms).mean() * (rates / rates.mean()) ** 1.5
    moved = c - 0.1 * np.sign(c * norms - target) * norms / (c * norms).mean()
    np.testing.assert_allclose(weighting.weights, moved * 3 / moved.sum(), rtol=1e-5)
    np.testing.assert_allclose(weighting.initial, first)


def test_gradnorm_makes_gradients_alike():
    weighting, norms = make(GradNormWeightingConfig(alpha=0.0, lr=0.01)), [1.0, 4.0, 2.0]

    for _ in range(2000):
        weighting.update(torch.tensor(norms), LOSSES, ALL)

    weighted = weighting.weights.numpy() * norms
    np.testing.assert_allclose(weighted, weighted.mean(), rtol=0.05)
    assert float(weighting.weights.sum()) == pytest.approx(3.0)


def test_a_task_without_a_label_does_not_move_the_others_among_themselves():
    weighting = make(GradNormWeightingConfig(alpha=0.0, lr=0.1))

    weighting.update(torch.tensor([2.0, 99.0, 2.0]), LOSSES, SOME)
    weighting.update(torch.tensor([2.0, 99.0, 2.0]), LOSSES, torch.tensor([True, False, False]))

    assert weighting.weights.tolist() == pytest.approx([1.0, 1.0, 1.0])
    assert weighting.initial.tolist() == [2.0, 0.0, 4.0]
