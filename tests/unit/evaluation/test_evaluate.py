import json

import numpy as np
import pytest
import torch

from mmray.config.document import EvaluationConfig
from mmray.config.task.kind import main_metric
from mmray.config.task.metric import metric_named
from mmray.config.task.task import ClassificationConfig, RegressionConfig
from mmray.evaluation.comparison import summarise
from mmray.evaluation.evaluate import evaluate
from mmray.training.tasks.classification import ClassificationTask
from mmray.training.tasks.regression import RegressionTask
from tests.support.tasks import EVERY_TASK

TASKS = {
    "animal": ClassificationTask(ClassificationConfig(column="animal"), ("cat", "dog")),
    "age": RegressionTask(RegressionConfig(column="age"), 10.0, 2.0),
}
CONFIG = EvaluationConfig(resamples=200)


def probabilities(*classes):
    return np.eye(2, dtype=np.float32)[list(classes)]


def test_classes_are_evaluated_where_there_is_a_label():
    outputs = {"animal": probabilities(0, 1, 1, 0, 1), "age": np.zeros(5)}
    labels = {"animal": np.array([0, 1, 0, -1, -1]), "age": np.full(5, np.nan)}

    found = evaluate(outputs, labels, TASKS)

    assert set(found) == {"animal"}
    assert found["animal"].metrics["accuracy"] == pytest.approx(2 / 3)
    assert found["animal"].metrics["f1_macro"] == pytest.approx(2 / 3)
    assert found["animal"].details["confusion_matrix"] == [[1, 1], [0, 1]]
    assert found["animal"].details["samples"] == 3
    assert found["animal"].details["per_class"]["dog"] == pytest.approx(
        {"precision": 0.5, "recall": 1.0, "f1": 2 / 3, "support": 1.0}
    )


def test_numbers_are_evaluated_in_the_unit_of_the_label():
    outputs = {"animal": probabilities(0, 0, 0, 0), "age": np.array([10.0, 13.0, 8.0, 99.0])}
    standardised = np.array([0.0, 1.0, -1.0, np.nan], dtype=np.float32)  # 10, 12, 8 years

    found = evaluate(outputs, {"animal": np.full(4, -1), "age": standardised}, TASKS)

    assert set(found) == {"age"}
    assert found["age"].metrics["mae"] == pytest.approx(1 / 3)
    assert found["age"].metrics["rmse"] == pytest.approx(np.sqrt(1 / 3))
    assert found["age"].metrics["r2"] == pytest.approx(1 - 1 / 8)
    assert found["age"].details["samples"] == 3


def test_intervals_hold_the_figure_and_are_in_its_unit():
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 2, 200)
    taken = np.where(generator.random(200) < 0.8, truth, 1 - truth)
    age = generator.normal(size=200).astype(np.float32)
    outputs = {"animal": probabilities(*taken), "age": age * 2 + 10 + generator.normal(size=200)}

    found = evaluate(outputs, {"animal": truth, "age": age}, TASKS)

    for task, metric in (("animal", "accuracy"), ("age", "mae")):
        low, high = summarise([found[task]], metric_named(metric), CONFIG).interval
        assert low < found[task].metrics[metric] < high
        assert high - low < 0.25


def test_without_any_label_nothing_is_evaluated():
    outputs = {"animal": probabilities(0, 1, 1, 0), "age": np.zeros(4)}

    assert evaluate(outputs, {"animal": np.full(4, -1), "age": np.full(4, np.nan)}, TASKS) == {}


@pytest.mark.parametrize(("task", "labels"), EVERY_TASK.values(), ids=EVERY_TASK)
def test_every_kind_is_evaluated_and_its_interval_is_of_the_main_metric(task, labels):
    encoded = task.encode(list(labels) * 20)
    outputs = np.random.default_rng(0).normal(size=(len(encoded), task.outputs))
    decoded = task.decode(torch.from_numpy(outputs.astype(np.float32)))

    found = evaluate({"task": decoded}, {"task": encoded}, {"task": task})["task"]

    metric = main_metric(task.config)
    figure = summarise([found], metric, CONFIG)
    low, high = figure.interval
    assert low <= found.metrics[metric.name] <= high
    assert figure.value == pytest.approx(found.metrics[metric.name], abs=1e-6)
    assert found.details["samples"] == 20 * sum(
        label is not None or task.config.column is None for label in labels
    )
    json.dumps(found.details)
