import pytest
import torch

from mmray.config.training.train import TrainConfig
from mmray.training.loop.average import WeightAverage, decay_after
from mmray.training.loop.loop import fit
from mmray.training.loop.validation import validate
from tests.support.sample import make_model
from tests.support.training import identity, ignore, make_plan


def test_the_average_follows_its_formula():
    model = torch.nn.Linear(1, 1, bias=False)
    average = WeightAverage(model, decay=0.25)

    for value in (2.0, 6.0, 10.0, 4.0):
        model.weight.data.fill_(value)
        average.update_parameters(model)

    expected = 2.0
    for updates, value in ((1, 6.0), (2, 10.0), (3, 4.0)):
        decay = min(0.25, (1 + updates) / (10 + updates))
        expected = decay * expected + (1 - decay) * value
    assert average.module.weight.item() == pytest.approx(expected)


def test_the_decay_rises_to_its_value():
    assert [decay_after(n, 0.9) for n in (0, 8, 1000)] == pytest.approx([0.1, 0.5, 0.9])


def test_the_average_is_what_is_evaluated_and_kept():
    config = TrainConfig(epochs=2, batch_size=8, lr=3e-3, ema=0.9)
    plan, plain = (
        make_plan(config=config),
        make_plan(config=config.model_copy(update={"ema": None})),
    )
    model, without = make_model(plan.train), make_model(plan.train)

    report = fit(model, plan, wrap=identity, on_epoch=ignore)
    expected = fit(without, plain, wrap=identity, on_epoch=ignore)

    assert validate(model, plan.val, plan)["loss"] == report.best.metrics["val/loss"]
    assert report.best.metrics["val/loss"] != expected.best.metrics["val/loss"]
    trained = [record.weights_hashes for record in report.records]
    assert trained == [record.weights_hashes for record in expected.records]
