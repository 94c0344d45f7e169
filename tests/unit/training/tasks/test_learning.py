"""Every kind of task learns a generated rule, with labels partly missing."""

import pytest
import torch

from mmray.config.model.model import ConcatFusionConfig, LateFusionConfig, TransformerFusionConfig
from mmray.config.task.loss import (
    FocalClassesConfig,
    FocalConfig,
    QuantileLossConfig,
    SiglipConfig,
    SupervisedContrastiveConfig,
)
from mmray.config.task.task import (
    AlignmentConfig,
    BinaryConfig,
    ClassificationConfig,
    MultilabelConfig,
    OrdinalConfig,
    RegressionConfig,
)
from mmray.config.training.train import TrainConfig
from mmray.config.training.weighting import GradNormWeightingConfig, UncertaintyWeightingConfig
from mmray.training.loop.predict import predict
from tests.support.many_tasks import make_model, make_parts, run_worker, train
from tests.support.workers import in_one_process, run_on_two

ALL = {
    "classification": ClassificationConfig(column="c"),
    "binary": BinaryConfig(column="c"),
    "multilabel": MultilabelConfig(column="c"),
    "ordinal": OrdinalConfig(column="c"),
    "regression": RegressionConfig(column="c"),
    "alignment": AlignmentConfig(size=8),
}
CASES = {
    "classification": (ALL["classification"], {"accuracy": 0.85, "f1_macro": 0.85}),
    "classification focal": (
        ClassificationConfig(column="c", loss=FocalClassesConfig()),
        {"accuracy": 0.85},
    ),
    "binary": (ALL["binary"], {"accuracy": 0.9, "auroc": 0.95, "average_precision": 0.9}),
    "binary focal": (BinaryConfig(column="c", loss=FocalConfig()), {"accuracy": 0.9}),
    "multilabel": (ALL["multilabel"], {"f1_micro": 0.85, "mean_average_precision": 0.9}),
    "ordinal corn": (ALL["ordinal"], {"quadratic_weighted_kappa": 0.75, "accuracy": 0.65}),
    "ordinal coral": (
        OrdinalConfig(column="c", method="coral"),
        {"quadratic_weighted_kappa": 0.75},
    ),
    "regression": (ALL["regression"], {"r2": 0.75}),
    "quantile": (RegressionConfig(column="c", loss=QuantileLossConfig()), {"r2": 0.75}),
    "info_nce": (ALL["alignment"], {"recall_at_1": 0.3, "recall_at_5": 0.7}),
    "siglip": (AlignmentConfig(size=8, loss=SiglipConfig()), {"recall_at_5": 0.6}),
    "supervised": (
        AlignmentConfig(size=8, column="c", loss=SupervisedContrastiveConfig()),
        {"recall_at_1": 0.75},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_rule_is_learnt_although_labels_are_missing(case):
    config, reached = CASES[case]
    labels = "classification" if case == "supervised" else config.kind

    _, _, report = train({labels: config})

    metrics = {
        name.rsplit("/", 1)[-1]: value
        for name, value in report.best.metrics.items()
        if name.startswith("val/")
    }
    assert {name: metrics[name] for name in reached if metrics[name] < reached[name]} == {}
    assert report.best.metrics["train/loss"] < 0.7 * report.records[0].metrics["train/loss"]


def test_an_interval_holds_about_as_many_labels_as_it_says():
    config = RegressionConfig(column="c", loss=QuantileLossConfig(quantiles=(0.1, 0.5, 0.9)))

    _, _, report = train({"regression": config}, train=600)

    assert 0.6 < report.best.metrics["val/regression/coverage"] <= 0.95


def test_all_kinds_are_trained_together():
    _, _, report = train(ALL)

    best = report.best.metrics
    assert best["val/classification/accuracy"] > 0.75
    assert best["val/binary/accuracy"] > 0.85
    assert best["val/multilabel/f1_micro"] > 0.75
    assert best["val/ordinal/quadratic_weighted_kappa"] > 0.7
    assert best["val/regression/r2"] > 0.7
    assert best["val/alignment/recall_at_5"] > 0.5


@pytest.mark.parametrize(
    "fusion", [ConcatFusionConfig(), TransformerFusionConfig(), LateFusionConfig()]
)
@pytest.mark.parametrize("kinds", [tuple(ALL), ("alignment",)])
def test_every_weight_has_a_gradient_whatever_the_tasks(fusion, kinds):
    tasks, samples, _ = make_parts({kind: ALL[kind] for kind in kinds}, train=20, val=1)
    model = make_model(tasks, TrainConfig(), fusion=fusion).train()
    batch = samples.batch(torch.arange(20).numpy())

    outputs = model(batch.features, batch.present)
    sum(values.square().sum() for values in outputs.values()).backward()

    unused = [name for name, weight in model.named_parameters() if weight.grad is None]
    assert unused == []


def test_predictions_of_every_kind_do_not_depend_on_the_batch():
    tasks, samples, _ = make_parts(ALL, train=20, val=1)
    model = make_model(tasks, TrainConfig())
    cpu = torch.device("cpu")

    together = predict(model, samples, tasks, batch_size=20, device=cpu)
    alone = predict(model, samples, tasks, batch_size=1, device=cpu)

    for name in tasks:
        torch.testing.assert_close(alone[name], together[name], atol=1e-5, rtol=1e-5)


# --- weighting between tasks ---------------------------------------------------------------

WEIGHTINGS = {
    "uncertainty": UncertaintyWeightingConfig(),
    "gradnorm": GradNormWeightingConfig(lr=0.05),
}


@pytest.mark.parametrize("name", ["fixed", "sharded", *WEIGHTINGS])
@in_one_process
def test_two_workers_train_all_kinds_as_one_does(tmp_path, name):
    settings = {"task_weighting": WEIGHTINGS[name]} if name in WEIGHTINGS else {}
    settings |= {"parallel": "fsdp"} if name == "sharded" else {}
    config = TrainConfig(epochs=3, batch_size=12, lr=3e-3, **settings)

    run_on_two(run_worker, str(tmp_path), ALL, config)
    model, _, report = train(ALL, config=config, train=63, val=30)

    weights, metrics = torch.load(tmp_path / "found.pt")
    torch.testing.assert_close(weights, model.state_dict(), atol=1e-5, rtol=0)
    for record, found in zip(report.records, metrics, strict=True):
        assert set(found) == set(record.metrics)
        assert found["val/loss"] == pytest.approx(record.metrics["val/loss"], abs=1e-4)
        for key in ("val/alignment/recall_at_1", "val/binary/auroc"):
            assert found[key] == pytest.approx(record.metrics[key], abs=1e-6)


class WorkerDiedError(Exception):
    pass


@pytest.mark.parametrize("name", WEIGHTINGS)
def test_learned_weights_are_put_back_when_training_goes_on(tmp_path, name):
    config = TrainConfig(epochs=4, batch_size=16, lr=3e-3, task_weighting=WEIGHTINGS[name])
    sizes = {"train": 60, "val": 20}

    def die(record):
        if record.epoch == 1:
            raise WorkerDiedError

    with pytest.raises(WorkerDiedError):
        train(ALL, config=config, folder=tmp_path, on_epoch=die, **sizes)
    resumed, _, report = train(ALL, config=config, folder=tmp_path, **sizes)
    undisturbed, _, expected = train(ALL, config=config, **sizes)

    assert report.resumed_from == 2
    torch.testing.assert_close(resumed.state_dict(), undisturbed.state_dict(), atol=0, rtol=0)
    weights = {k: v for k, v in report.records[-1].metrics.items() if k.endswith("/weight")}
    assert weights == {k: expected.records[-1].metrics[k] for k in weights}
    assert len(weights) == len(ALL)
    assert len(set(weights.values())) > 1


def test_a_task_on_a_scale_of_its_own_is_brought_to_that_of_the_others():
    loud = ALL["regression"].model_copy(update={"weight": 50.0})
    tasks = {"binary": ALL["binary"], "regression": loud}
    config = TrainConfig(
        epochs=6, batch_size=32, lr=1e-3, task_weighting=GradNormWeightingConfig(alpha=0.0, lr=0.05)
    )

    _, _, report = train(tasks, config=config)

    first, last = report.records[0].metrics, report.records[-1].metrics
    ratio = last["train/regression/weight"] / last["train/binary/weight"]
    assert ratio < 0.3 * 50.0
    assert ratio < first["train/regression/weight"] / first["train/binary/weight"]
