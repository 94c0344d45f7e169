"""What every kind of task promises, on both sides: with tensors and without."""

import json
from typing import get_args

import numpy as np
import pytest
import torch

from mmray.config.task.kind import TASK_KINDS, kind_of, main_metric, task_metrics
from mmray.config.task.metric import METRICS, main_metric_of, metric_named, metrics_of
from mmray.config.task.task import TaskConfig
from mmray.run.bundle.served import output_columns, to_columns
from mmray.training.tasks.build import IMPLEMENTATIONS, restore_task, task_losses
from mmray.training.tasks.label import has_label
from mmray.training.tasks.task import ComparesModalities, Task
from tests.support.document import make_config
from tests.support.tasks import EVERY_TASK, MODALITIES

DRAWN = {"confusion matrix": {"confusion_matrix", "classes"},
         "predicted against true": {"true", "predicted"}}  # fmt: skip
ANSWERS = {"class": "label", "classes": "labels", "number": "value", "embeddings": "embeddings"}
N = 12

listed_kind = pytest.mark.parametrize("kind", [k for k in TASK_KINDS if k != "custom"])
every_task = pytest.mark.parametrize(("task", "labels"), EVERY_TASK.values(), ids=EVERY_TASK)


@pytest.fixture
def outputs():
    def make(task):
        torch.manual_seed(0)
        return torch.randn(N, task.outputs)

    return make


def labelled(task, labels):
    known = [label for label in labels if label is not None] or labels
    return task.encode((known * N)[:N])


# --- the records ---------------------------------------------------------------------------


def test_there_is_a_record_and_an_implementation_of_every_section():
    union, _ = get_args(TaskConfig)
    kinds = {section.model_fields["kind"].default: section for section in get_args(union)}

    assert {name: kind.config for name, kind in TASK_KINDS.items()} == kinds
    assert set(IMPLEMENTATIONS) == set(kinds)


@listed_kind
def test_what_is_declared_and_what_computes_have_the_same_metrics(kind):
    assert {metric.name for metric in metrics_of(kind)} == set(IMPLEMENTATIONS[kind].metrics)
    assert main_metric_of(kind) in metrics_of(kind)
    assert sum(kind in metric.main_of for metric in METRICS) == 1


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_metric_has_a_direction_and_a_name_of_its_own(metric):
    assert metric.direction in ("min", "max")
    assert metric_named(metric.name) is metric
    assert metric.kinds
    assert set(metric.kinds) <= set(TASK_KINDS)


# --- what computes -------------------------------------------------------------------------


@every_task
def test_a_task_is_what_its_record_says(task, labels):
    assert isinstance(task, Task)
    assert isinstance(task, ComparesModalities) == kind_of(task.config).compares_modalities


@every_task
def test_a_label_that_is_not_there_is_encoded_as_none(task, labels):
    encoded = task.encode(labels)

    needs_label = task.config.column is not None
    there = [label is not None or not needs_label for label in labels]
    assert has_label(encoded).tolist() == there


@every_task
def test_losses_are_finite_one_per_sample_and_zero_without_a_label(task, labels, outputs):
    out = outputs(task).requires_grad_()
    targets = torch.from_numpy(labelled(task, labels))
    known = torch.arange(N) % 3 > 0

    losses = task_losses(task, out, targets, known)
    losses.sum().backward()

    assert losses.shape == (N,)
    assert losses.isfinite().all()
    assert (losses[~known] == 0).all()
    assert out.grad.isfinite().all()
    assert (out.grad[~known] == 0).all()


@every_task
def test_metrics_are_those_declared_and_the_main_one_can_be_resampled(task, labels, outputs):
    decoded, encoded = task.decode(outputs(task)), labelled(task, labels)

    metrics = task.metrics(decoded, encoded)

    assert set(metrics) == {metric.name for metric in task_metrics(task.config, MODALITIES)}
    assert all(type(value) is float for value in metrics.values())
    statistic = task.main_statistic(decoded, encoded)
    expected = metrics[main_metric(task.config).name]
    assert statistic(np.arange(N)) == pytest.approx(expected, abs=1e-6)


@every_task
def test_no_value_is_outside_of_its_metrics_range(task, labels, outputs):
    encoded = labelled(task, labels)
    for decoded in (task.decode(outputs(task)), task.decode(-9 * outputs(task))):
        for metric in task_metrics(task.config, MODALITIES):
            value = task.metrics(decoded, encoded)[metric.name]

            assert metric.low is None or value >= metric.low
            assert metric.high is None or value <= metric.high


@every_task
def test_details_are_plain_and_hold_what_is_drawn(task, labels, outputs):
    details = task.details(task.decode(outputs(task)), labelled(task, labels))

    json.dumps(details, allow_nan=False)
    assert set(details) >= DRAWN.get(kind_of(task.config).drawing, set())


@every_task
def test_an_answer_has_the_form_and_the_columns_that_the_record_names(task, labels, outputs):
    answer = task.describe(np.asarray(task.decode(outputs(task))[0]))

    assert ANSWERS[kind_of(task.config).answer] in answer
    assert ("probabilities" in answer) == kind_of(task.config).has_probabilities
    modalities = {name: {"column": name} for name in MODALITIES}
    config = make_config(tasks={"t": task.config.model_dump(mode="json")}, modalities=modalities)
    row = {"predictions": {"t": answer}, "present": [], "rejected": {}}
    columns = output_columns(config)
    assert set(to_columns(row, list(columns))) == set(columns)


@every_task
def test_a_constant_answer_has_the_form_of_decoded_outputs(task, labels, outputs):
    decoded = task.decode(outputs(task))

    constant = task.constant(labelled(task, labels), decoded)

    assert (constant.shape, constant.dtype) == (decoded.shape, decoded.dtype)
    assert np.isfinite(constant).all()
    assert (constant == constant[0]).all()


@every_task
def test_what_was_learnt_comes_back_from_json(task, labels):
    restored = restore_task(task.config, json.loads(json.dumps(task.to_dict())))

    assert restored == task
    np.testing.assert_array_equal(restored.encode(labels), task.encode(labels))
