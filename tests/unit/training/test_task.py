import json
import math

import numpy as np
import pytest
import torch
from mmray.training.task import (
    ClassificationState,
    RegressionState,
    decode_outputs,
    encode_labels,
    fit_task,
    state_from_dict,
    task_loss,
)

from mmray.config.task import (
    ClassificationConfig,
    CrossEntropyConfig,
    RegressionConfig,
    RegressionLossConfig,
)
from mmray.errors import ManifestError, TrainingError

CLASSES = ClassificationConfig(column="c")
NUMBER = RegressionConfig(column="n", loss=RegressionLossConfig(kind="mse"))


def test_classes_are_those_of_the_train_split_sorted_and_balanced_by_their_share():
    balanced = CLASSES.model_copy(update={"loss": CrossEntropyConfig(class_weights="balanced")})

    state = fit_task(balanced, ["dog", "cat", None, "dog", "dog"])

    assert state == ClassificationState(("cat", "dog"), (2.0, 2 / 3))


def test_numbers_are_standardised_and_come_back_in_their_own_unit():
    state = fit_task(NUMBER, [1.0, "3", None, math.nan])

    encoded = encode_labels(state, [1.0, "3", None, 5])

    assert state == RegressionState(2.0, 1.0)
    np.testing.assert_allclose(encoded, [-1, 1, np.nan, 3])
    np.testing.assert_allclose(decode_outputs(state, torch.tensor([[-1.0], [3.0]])), [1, 5])


def test_a_constant_number_is_not_divided_by_zero():
    assert fit_task(NUMBER, [4.0, 4.0]) == RegressionState(4.0, 1.0)


@pytest.mark.parametrize(
    "state", [ClassificationState(("a", "b"), (1.0, 2.0)), RegressionState(0.5, 2.0)]
)
def test_a_state_survives_json(state):
    assert state_from_dict(json.loads(json.dumps(state.to_dict()))) == state


def test_an_unknown_class_is_an_error_with_the_nearest_one():
    with pytest.raises(ManifestError, match="unknown class 'catt'; the classes are: cat, dog") as e:
        encode_labels(ClassificationState(("cat", "dog")), ["dog", "catt"])

    assert "did you mean 'cat'?" in e.value.hint


def test_labels_of_numbers_are_classes_with_or_without_gaps_in_their_column():
    state = fit_task(CLASSES, [3, 7])

    assert encode_labels(state, [3.0, None, "7", math.nan]).tolist() == [0, -1, 1, -1]


@pytest.mark.parametrize(
    ("config", "labels", "words"),
    [
        (CLASSES, [None, ""], "no sample of the train split has a label in column 'c'"),
        (CLASSES, ["a", "a"], "has only one class: a"),
        (NUMBER, [None], "no sample of the train split has a label in column 'n'"),
    ],
)
def test_what_cannot_be_learnt_is_an_error(config, labels, words):
    with pytest.raises(TrainingError, match=words) as caught:
        fit_task(config, labels)

    assert caught.value.hint


def test_a_missing_label_costs_nothing_and_has_no_gradient():
    outputs = torch.tensor([[2.0], [5.0]], requires_grad=True)
    labels = torch.tensor([1.0, math.nan])

    losses = task_loss(NUMBER, RegressionState(0.0, 1.0), outputs, labels, ~labels.isnan())
    losses.sum().backward()

    assert losses.tolist() == [1.0, 0.0]
    assert outputs.grad.tolist() == [[2.0], [0.0]]


def test_cross_entropy_is_weighted_per_class_and_skips_the_unlabelled():
    outputs, labels = torch.zeros(3, 2), torch.tensor([0, 1, -1])
    state = ClassificationState(("a", "b"), (1.0, 3.0))

    losses = task_loss(CLASSES, state, outputs, labels, labels >= 0)

    torch.testing.assert_close(losses, torch.tensor([1.0, 3.0, 0.0]) * math.log(2))
