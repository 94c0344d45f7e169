import numpy as np
import pytest
import torch

from mmray.config.task.kind import main_metric
from mmray.evaluation.baseline import find_baseline
from mmray.training.tasks.label import has_label
from tests.support.tasks import EVERY_TASK, alignment, classification, multilabel, regression

WITH_ANSWER = {n: e for n, e in EVERY_TASK.items() if e[0].to_dict()["kind"] != "alignment"}
"""An alignment has an order, and no answer."""


def evaluated(task, train, test):
    outputs = torch.zeros(len(test), task.outputs)
    return find_baseline(task, task.encode(train), task.decode(outputs), task.encode(test))


def test_of_classes_it_is_the_commonest_one_of_train_where_test_has_a_label():
    found = evaluated(classification(), ["a", "b", "b", None], ["b", "a", "c", None])

    assert found.answer == "always 'b'"
    assert found.result.value() == pytest.approx(1 / 3)
    assert found.result.samples == 3


def test_of_numbers_it_is_the_median_of_train():
    found = evaluated(regression(), [1.0, 2.0, 9.0], [2.0, 4.0])

    assert found.answer == "always 2"
    assert found.result.value() == pytest.approx(1.0)


def test_of_tags_it_is_those_that_are_worth_naming_always():
    found = evaluated(multilabel(), [["x"], ["x"], ["x", "y"], [], []], [["x"], ["y"]])

    # x alone: F1 = 2 * 3 / (5 + 4) on train, x and y: 2 * 4 / (10 + 4)
    assert found.result.value() == pytest.approx(2 * 1 / (2 + 2))


def test_of_an_alignment_it_is_chance():
    task = alignment()
    decoded = np.random.default_rng(0).normal(size=(20, 3, 4)).astype(np.float32)

    found = find_baseline(task, np.zeros(5, int), decoded, np.zeros(20, int))

    assert found.answer == "chance"
    assert found.result.metrics["recall_at_1"] == pytest.approx(1 / 20)
    assert found.result.metrics["recall_at_5"] == pytest.approx(5 / 20)


@pytest.mark.parametrize(("task", "labels"), WITH_ANSWER.values(), ids=WITH_ANSWER)
def test_no_other_constant_is_better_on_the_labels_it_has_seen(task, labels):
    labels = list(labels) * 10
    mine = evaluated(task, labels, labels).result.value()
    sign = main_metric(task.config).sign

    encoded = task.encode(labels)
    known = encoded[has_label(encoded)]
    for seed in range(20):
        other = np.random.default_rng(seed).normal(size=(1, task.outputs)) * 3
        decoded = task.decode(torch.from_numpy(np.repeat(other, len(known), 0).astype(np.float32)))
        theirs = task.main_statistic(decoded, known)(np.arange(len(known)))
        assert sign * mine >= sign * theirs - 1e-6
