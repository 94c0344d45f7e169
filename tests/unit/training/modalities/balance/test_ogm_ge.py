import numpy as np
import pytest
import torch
from torch import nn

from mmray.config.task.task import BinaryConfig, ClassificationConfig
from mmray.config.training.balance import OgmGeConfig
from mmray.config.training.train import TrainConfig
from mmray.training.modalities.balance.balance import StepLosses
from mmray.training.modalities.balance.ogm_ge import OgmGe, modulate, modulations
from mmray.training.modalities.balance.score import label_scores, score_sums
from mmray.training.modalities.training_model import TrainingOutputs
from mmray.training.tasks.build import fit_task
from tests.support.sample import TASKS, make_samples
from tests.support.training import make_plan

ONE_TASK = torch.ones(1)


def sums(*means):
    return torch.tensor([[[10.0 * mean, 10.0]] for mean in means])


def test_the_modality_ahead_is_slowed_as_peng_says():
    found = modulations(sums(0.6, 0.2), ONE_TASK, 0.4)

    np.testing.assert_allclose(found, [1 - np.tanh(0.4 * 0.6 / 0.2), 1.0], rtol=1e-6)


def test_of_three_modalities_each_is_compared_with_the_mean_of_the_others():
    found = modulations(sums(0.6, 0.2, 0.5), ONE_TASK, 0.4)

    expected = [1 - np.tanh(0.4 * 0.6 / 0.35), 1.0, 1 - np.tanh(0.4 * 0.5 / 0.4)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_tasks_add_up_with_their_weights():
    scores = torch.tensor([[[6.0, 10.0], [1.0, 2.0]], [[1.0, 5.0], [3.0, 4.0]]])

    found = modulations(scores, torch.tensor([1.0, 0.5]), 0.4)

    first, second = 0.6 + 0.5 * 0.5, 0.2 + 0.5 * 0.75
    np.testing.assert_allclose(found, [1 - np.tanh(0.4 * first / second), 1.0], rtol=1e-6)


def test_without_any_score_nothing_is_slowed():
    assert modulations(torch.zeros(2, 1, 2), ONE_TASK, 0.4).tolist() == [1.0, 1.0]


def test_the_score_of_a_class_is_its_probability_and_of_others_exp_of_the_loss():
    outputs, kept = torch.tensor([[0.0, 1.0], [2.0, 0.0]]), torch.tensor([True, False])
    task = fit_task(ClassificationConfig(column="c"), ["a", "b"])

    found = label_scores(task, outputs, torch.tensor([1, -1]), kept)
    binary = fit_task(BinaryConfig(column="b"), [True, False])
    yes = label_scores(binary, torch.tensor([[1.0], [3.0]]), torch.tensor([1, 0]), kept)

    sure = 1 / (1 + np.exp(-1.0))
    np.testing.assert_allclose(found, [sure, 0.0], rtol=1e-6)
    np.testing.assert_allclose(yes, [sure, 0.0], rtol=1e-6)


def test_only_samples_with_modality_and_label_count():
    samples = make_samples(30)
    batch = samples.batch(np.arange(30))
    outputs = {"digit": torch.zeros(30, 3), "rate": batch.labels["rate"].nan_to_num()[:, None]}

    found = score_sums(TASKS, [outputs] * 3, batch)

    for index, features in enumerate(samples.modalities.values()):
        for column, (task, score) in enumerate([("digit", 1 / 3), ("rate", 1.0)]):
            count = (features.present & samples.labelled(task)).sum()
            assert found[index, column].tolist() == pytest.approx([score * count, count], rel=1e-5)


def test_noise_has_the_deviation_that_the_gradient_had_and_follows_from_the_seed():
    gradient = 3.0 + 2.0 * torch.randn(200, 200, generator=torch.Generator().manual_seed(0))
    changed, again = gradient.clone(), gradient.clone()

    modulate(changed, torch.tensor(0.25), torch.Generator().manual_seed(5))
    modulate(again, torch.tensor(0.25), torch.Generator().manual_seed(5))
    quiet = gradient.clone()
    modulate(quiet, torch.tensor(0.25), None)

    noise = changed - 0.25 * gradient
    assert float(noise.std()) == pytest.approx(2.0, rel=0.02)
    assert float(noise.mean()) == pytest.approx(0.0, abs=0.03)
    assert torch.equal(changed, again)
    torch.testing.assert_close(quiet, 0.25 * gradient)


def noise_of(epoch, step, *, noise=True):
    """What a step adds to the gradient of an encoder that is not slowed."""
    plan = make_plan(config=TrainConfig(seed=3))
    weights = [nn.Parameter(torch.zeros(50, 50)) for _ in plan.train.modalities]
    balance = OgmGe(OgmGeConfig(noise=noise), plan, [[weight] for weight in weights])
    gradient = torch.randn(50, 50, generator=torch.Generator().manual_seed(0))
    for weight in weights:
        weight.grad = gradient.clone()
    batch = plan.train.batch(np.arange(30))
    outputs = {"digit": torch.zeros(30, 3), "rate": batch.labels["rate"].nan_to_num()[:, None]}

    balance.begin_epoch(epoch, [])
    balance.begin_step(epoch, step)
    losses = StepLosses(torch.tensor(0.0), [], [])
    balance.before_backward(losses, TrainingOutputs(outputs, [outputs] * len(weights)), batch)
    balance.after_backward()
    factors = balance.metrics().values()
    return weights[list(factors).index(1.0)].grad - gradient


def test_every_step_of_every_epoch_has_noise_of_its_own():
    first = noise_of(0, 1)

    assert float(first.std()) == pytest.approx(1.0, rel=0.1)
    assert torch.equal(first, noise_of(0, 1))
    for other in (noise_of(0, 2), noise_of(1, 1), noise_of(1, 0)):
        correlation = torch.corrcoef(torch.stack([first.ravel(), other.ravel()]))[0, 1]
        assert abs(float(correlation)) < 0.1
    assert not noise_of(0, 1, noise=False).any()


def test_an_end_before_the_start_is_refused():
    with pytest.raises(ValueError, match=r"end \(2\) is not after start \(2\)"):
        OgmGeConfig(start=2, end=2)
