import numpy as np
import pytest
import torch

from mmray.config.training.epoch_metric import balance_metric_names
from mmray.config.training.train import TrainConfig
from mmray.training.modalities.modalities import Modalities
from tests.support.balance import METHODS, run_worker, train
from tests.support.sample import make_model
from tests.support.training import make_plan
from tests.support.workers import in_one_process, run_on_two

MODALITIES = ("text", "image", "audio")


class WorkerDiedError(Exception):
    pass


def timeless(metrics):
    return {name: value for name, value in metrics.items() if "per_s" not in name}


@in_one_process
def test_two_workers_balance_as_one_does(tmp_path):
    run_on_two(run_worker, str(tmp_path))

    found = torch.load(tmp_path / "found.pt")
    for name in METHODS:
        model, report = train(name)
        weights, records = found[name]
        torch.testing.assert_close(weights, model.state_dict(), atol=1e-5, rtol=0)
        for alone, together in zip(report.records, records, strict=True):
            expected = pytest.approx(timeless(alone.metrics), abs=1e-4)
            assert timeless(together) == expected


@pytest.mark.parametrize("name", METHODS)
def test_a_balanced_training_that_goes_on_equals_one_that_never_stopped(tmp_path, name):
    def die(record):
        if record.epoch == 1:
            raise WorkerDiedError

    with pytest.raises(WorkerDiedError):
        train(name, epochs=4, folder=tmp_path, dropout=0.2, on_epoch=die)
    torch.manual_seed(99)
    resumed, report = train(name, epochs=4, folder=tmp_path, dropout=0.2)
    undisturbed, expected = train(name, epochs=4, dropout=0.2)

    assert report.resumed_from == 2
    torch.testing.assert_close(resumed.state_dict(), undisturbed.state_dict(), atol=0, rtol=0)
    assert timeless(report.records[-1].metrics) == timeless(expected.records[-1].metrics)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_tells_in_every_epoch_what_it_does(name):
    _, report = train(name, epochs=2)

    names = balance_metric_names(METHODS[name], MODALITIES)
    assert names <= set(report.records[-1].metrics)


def test_gradients_are_modulated_between_start_and_end_alone():
    _, report = train("ogm_ge", epochs=4)

    told = [record.metrics.get("train/text/modulation") for record in report.records]
    assert told[0] is told[3] is None
    assert 0.0 < told[1] <= 1.0
    assert 0.0 < told[2] <= 1.0


def test_views_that_are_only_looked_at_have_no_gradients():
    plan = make_plan(config=TrainConfig(balance=METHODS["ogm_ge"]))
    model = make_model(plan.train)
    batch = plan.train.batch(np.arange(8))

    views = Modalities(model, plan).view(batch.features, batch.present)

    assert views.whole["digit"].requires_grad
    assert len(views.alone) == 3
    assert not any(outputs["digit"].requires_grad for outputs in views.alone)
