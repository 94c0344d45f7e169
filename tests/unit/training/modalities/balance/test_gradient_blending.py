import numpy as np
import pytest

from mmray.config.training.balance import GradientBlendingConfig
from mmray.config.training.train import TrainConfig
from mmray.errors import TrainingError
from mmray.training.modalities.balance.gradient_blending import blend_weights, losses_of
from tests.support.balance import train
from tests.support.sample import make_model
from tests.support.training import identity, ignore, make_plan

BEFORE = np.array([[2.0, 2.0, 2.0], [2.1, 2.0, 2.2]])
AFTER = np.array([[1.0, 1.5, 0.5], [1.6, 1.6, 1.7]])


def test_weights_are_gain_over_squared_change_of_the_gap():
    found = blend_weights(BEFORE, AFTER, [])

    gain = np.array([0.5, 0.4, 0.5])
    gap = np.array([0.6 - 0.1, 0.1 - 0.0, 1.2 - 0.2])
    np.testing.assert_allclose(found, gain / gap**2 / (gain / gap**2).sum())


def test_what_generalises_worse_has_no_weight_and_a_still_gap_not_all():
    after = np.array([[1.0, 1.5, 0.5], [2.2, 1.5, 1.7]])  # gaps change by 1.1, 0 and 1.0

    found = blend_weights(BEFORE, after, [])

    ratio = np.array([0.0, 0.5 / 0.11**2, 0.5])
    np.testing.assert_allclose(found, ratio / ratio.sum())


def test_weights_are_kept_where_nothing_generalises_better():
    assert blend_weights(BEFORE, BEFORE, [0.2, 0.3, 0.5]) == [0.2, 0.3, 0.5]


def test_losses_of_several_tasks_add_up_and_those_that_val_does_not_tell_are_left_out():
    metrics = {
        "train/a/x/loss": 1.0, "train/a/loss": 2.0, "val/a/x/loss": 3.0, "val/a/loss": 4.0,
        "train/b/x/loss": 5.0, "train/b/loss": 6.0, "val/b/x/loss": 7.0, "val/b/loss": 8.0,
        "train/c/x/loss": 9.0, "train/c/loss": 9.0,
        "train/d/x/loss": 9.0, "train/d/loss": 9.0, "val/d/loss": 9.0,
    }  # fmt: skip

    found = losses_of(metrics, {"a": 1.0, "b": 0.5, "c": 9.0, "d": 9.0}, ["x"])

    np.testing.assert_allclose(found, [[3.5, 5.0], [6.5, 8.0]])


def test_weights_are_equal_first_and_then_follow_from_the_records():
    _, report = train("gradient_blending", epochs=5)

    names, tasks = ["text", "image", "audio"], {"digit": 1.0, "rate": 0.5}
    curves = [losses_of(record.metrics, tasks, names) for record in report.records]
    first = blend_weights(curves[0], curves[1], [0.25] * 4)
    second = blend_weights(curves[1], curves[3], first)
    told = [
        [record.metrics[f"train/{name}blend"] for name in ("text/", "image/", "audio/", "")]
        for record in report.records
    ]
    np.testing.assert_allclose(told, [[0.25] * 4] * 2 + [first] * 2 + [second])
    assert first != [0.25] * 4


def test_without_val_samples_it_is_refused():
    plan = make_plan(config=TrainConfig(balance=GradientBlendingConfig()), val=0)

    from mmray.training.loop.loop import fit

    with pytest.raises(TrainingError, match="the val split has no samples"):
        fit(make_model(plan.train), plan, wrap=identity, on_epoch=ignore)
