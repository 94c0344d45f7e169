"""Every loss against its formula, written once more in numpy."""

import math

import numpy as np
import pytest
import torch

from mmray.config.task.loss import (
    BceConfig,
    CrossEntropyConfig,
    FocalClassesConfig,
    FocalConfig,
    QuantileLossConfig,
    RegressionLossConfig,
)
from mmray.training.tasks.build import task_losses
from mmray.training.tasks.label import has_label
from mmray.training.tasks.losses.formula import pinball
from tests.support.tasks import (
    EVERY_TASK,
    binary,
    classification,
    multilabel,
    ordinal,
    regression,
)

B = 7


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape) * 2


def losses_of(task, outputs, targets):
    found = task.losses(torch.from_numpy(outputs), torch.from_numpy(targets))
    return found.numpy()


def softmax(x):
    return np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy(smoothing):
    task = classification(loss=CrossEntropyConfig(label_smoothing=smoothing))
    logits, y = draw(B, 3), np.arange(B) % 3

    found = losses_of(task, logits, y)

    target = (1 - smoothing) * np.eye(3)[y] + smoothing / 3
    np.testing.assert_allclose(found, -(target * np.log(softmax(logits))).sum(axis=1))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_loss_of_classes(gamma):
    task = classification(loss=FocalClassesConfig(gamma=gamma, class_weights="balanced"))
    task_weights = np.array(task.weights)
    logits, y = draw(B, 3), np.arange(B) % 3

    found = losses_of(task, logits, y)

    p = softmax(logits)[np.arange(B), y]
    np.testing.assert_allclose(found, task_weights[y] * (1 - p) ** gamma * -np.log(p), rtol=1e-6)


@pytest.mark.parametrize("weight", [1.0, 3.5])
def test_binary_cross_entropy(weight):
    task = binary(loss=BceConfig(positive_weight=weight))
    logits, y = draw(B, 1), np.arange(B) % 2

    found = losses_of(task, logits, y)

    p = sigmoid(logits[:, 0])
    np.testing.assert_allclose(found, -(weight * y * np.log(p) + (1 - y) * np.log(1 - p)))


@pytest.mark.parametrize("alpha", [None, 0.25])
@pytest.mark.parametrize("gamma", [0.0, 2.0])
def test_focal_loss_of_flags(alpha, gamma):
    task = multilabel(loss=FocalConfig(gamma=gamma, alpha=alpha))
    logits, y = draw(B, 2), (draw(B, 2, seed=1) > 0).astype(np.float64)

    found = losses_of(task, logits, y)

    p = np.where(y == 1, sigmoid(logits), 1 - sigmoid(logits))
    share = 1.0 if alpha is None else np.where(y == 1, alpha, 1 - alpha)
    np.testing.assert_allclose(found, (share * (1 - p) ** gamma * -np.log(p)).mean(axis=1))


def test_multilabel_cross_entropy_is_the_mean_over_the_classes():
    task = multilabel(loss=BceConfig(positive_weight="balanced"))
    logits, y = draw(B, 2), (draw(B, 2, seed=1) > 0).astype(np.float64)

    found = losses_of(task, logits, y)

    p, w = sigmoid(logits), np.array([0.5, 2.0])
    np.testing.assert_allclose(found, -(w * y * np.log(p) + (1 - y) * np.log(1 - p)).mean(axis=1))


def test_corn_asks_for_each_threshold_only_those_that_reach_it():
    logits, y = draw(B, 2), np.arange(B) % 3

    found = losses_of(ordinal(), logits, y)

    expected = np.zeros(B)
    for n in range(B):
        for k in range(2):
            if y[n] >= k:
                p = sigmoid(logits[n, k])
                expected[n] -= math.log(p if y[n] > k else 1 - p) / 2
    np.testing.assert_allclose(found, expected)


def test_coral_asks_for_every_threshold():
    logits, y = draw(B, 2), np.arange(B) % 3

    found = losses_of(ordinal(method="coral"), logits, y)

    above = y[:, None] > np.arange(2)
    p = np.where(above, sigmoid(logits), 1 - sigmoid(logits))
    np.testing.assert_allclose(found, -np.log(p).mean(axis=1))


@pytest.mark.parametrize(
    ("kind", "formula"),
    [
        ("mse", lambda e: e**2),
        ("mae", abs),
        ("huber", lambda e: np.where(abs(e) < 1, e**2 / 2, abs(e) - 0.5)),
    ],
)
def test_losses_of_a_number(kind, formula):
    task = regression(loss=RegressionLossConfig(kind=kind))
    outputs, y = draw(B, 1), draw(B, seed=1)

    np.testing.assert_allclose(losses_of(task, outputs, y), formula(y - outputs[:, 0]))


def test_the_pinball_loss():
    task = regression(loss=QuantileLossConfig(quantiles=(0.1, 0.5, 0.8)))
    outputs, y = draw(B, 3), draw(B, seed=1)

    found = losses_of(task, outputs, y)

    expected = np.zeros(B)
    for column, level in enumerate((0.1, 0.5, 0.8)):
        error = y - outputs[:, column]
        expected += np.where(error > 0, level * error, (level - 1) * error) / 3
    np.testing.assert_allclose(found, expected)


def test_the_pinball_loss_is_least_at_the_quantile():
    sample, grid = torch.from_numpy(draw(4001)), np.linspace(-6, 6, 601)

    means = [pinball(torch.full((4001, 1), q), sample, [0.8]).mean() for q in grid]

    assert grid[np.argmin(means)] == pytest.approx(np.quantile(sample, 0.8), abs=0.02)


# --- missing labels ------------------------------------------------------------------------


@pytest.mark.parametrize(("task", "labels"), EVERY_TASK.values(), ids=EVERY_TASK)
def test_a_missing_label_costs_nothing_and_has_no_gradient(task, labels):
    encoded = task.encode(labels)
    known = torch.from_numpy(has_label(encoded))
    torch.manual_seed(0)
    outputs = torch.randn(len(labels), task.outputs, requires_grad=True)

    losses = task_losses(task, outputs, torch.from_numpy(encoded), known)
    losses.sum().backward()

    assert losses.shape == (len(labels),)
    assert (losses[known] > 0).all()
    assert not losses[~known].any()
    assert outputs.grad.isfinite().all()
    assert outputs.grad[known].any()
    assert not outputs.grad[~known].any()


@pytest.mark.parametrize(("task", "labels"), EVERY_TASK.values(), ids=EVERY_TASK)
def test_a_batch_without_any_label_is_finite_too(task, labels):
    encoded = torch.from_numpy(task.encode([None] * 3)) if task.config.column else None
    encoded = torch.full((3,), -1) if encoded is None else encoded
    outputs = torch.randn(3, task.outputs, requires_grad=True)

    task_losses(task, outputs, encoded, torch.zeros(3, dtype=torch.bool)).sum().backward()

    assert outputs.grad is not None
    assert not outputs.grad.any()


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_focal_loss_of_what_is_certain_has_a_finite_gradient(gamma):
    task = binary(loss=FocalConfig(gamma=gamma))
    outputs = torch.tensor([[200.0], [-200.0], [0.0]], requires_grad=True)

    losses = task.losses(outputs, torch.tensor([1, 1, 1]))
    losses.sum().backward()

    assert losses[0] == 0.0
    assert losses[1] == 200.0
    assert outputs.grad.isfinite().all()


@pytest.mark.parametrize("shape", [(0,), (0, 3)])
@pytest.mark.parametrize("dtype", [np.int64, np.float32])
def test_of_no_samples_none_is_labelled(shape, dtype):
    assert has_label(np.zeros(shape, dtype)).shape == (0,)
