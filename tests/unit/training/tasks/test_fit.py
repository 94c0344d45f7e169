import json
import math

import numpy as np
import pytest

from mmray.config.task.loss import BceConfig, CrossEntropyConfig
from mmray.config.task.task import (
    AlignmentConfig,
    BinaryConfig,
    ClassificationConfig,
    MultilabelConfig,
    OrdinalConfig,
    RegressionConfig,
)
from mmray.errors import ManifestError, TrainingError
from mmray.training.tasks.build import fit_task, restore_task
from tests.support.tasks import EVERY_TASK, MISSING

CLASSES = ClassificationConfig(column="c")
NUMBER = RegressionConfig(column="n")
SUPERVISED = AlignmentConfig(column="c", loss={"kind": "supervised"})


@pytest.mark.parametrize(("task", "labels"), EVERY_TASK.values(), ids=EVERY_TASK)
def test_what_was_learnt_survives_json(task, labels):
    document = json.loads(json.dumps(task.to_dict()))

    assert restore_task(task.config, document) == task


@pytest.mark.parametrize("nothing", MISSING)
@pytest.mark.parametrize(("task", "labels"), EVERY_TASK.values(), ids=EVERY_TASK)
def test_every_way_to_leave_a_label_out_is_the_same(task, labels, nothing):
    written = [nothing if label is None else label for label in labels]

    np.testing.assert_array_equal(task.encode(written), task.encode(labels))


# --- classification ------------------------------------------------------------------------


def test_classes_are_those_of_the_train_split_sorted_and_balanced_by_their_share():
    balanced = CLASSES.model_copy(update={"loss": CrossEntropyConfig(class_weights="balanced")})

    task = fit_task(balanced, ["dog", "cat", None, "dog", "dog"])

    assert (task.classes, task.weights) == (("cat", "dog"), (2.0, 2 / 3))


def test_an_unknown_class_is_an_error_with_the_nearest_one():
    task = fit_task(CLASSES, ["dog", "cat"])

    with pytest.raises(ManifestError, match="unknown class 'catt'; the classes are: cat, dog") as e:
        task.encode(["dog", "catt"])

    assert "did you mean 'cat'?" in e.value.hint


def test_labels_of_numbers_are_classes_with_or_without_gaps_in_their_column():
    task = fit_task(CLASSES, [3, 7])

    assert task.encode([3.0, None, "7", math.nan]).tolist() == [0, -1, 1, -1]


# --- binary --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "positive", "classes"),
    [
        (["no", "yes", None], None, ("no", "yes")),
        (["true", "false"], None, ("false", "true")),
        (["true", "false"], False, ("true", "false")),
        (["0", "1"], None, ("0", "1")),
        (["ill", "well"], "ill", ("well", "ill")),
    ],
)
def test_the_positive_class_is_named_or_speaks_for_itself(labels, positive, classes):
    task = fit_task(BinaryConfig(column="c", positive=positive), labels)

    assert task.classes == classes
    assert task.encode([classes[1], None, classes[0]]).tolist() == [1, -1, 0]


@pytest.mark.parametrize(("weight", "expected"), [("none", 1.0), ("balanced", 3.0), (7.0, 7.0)])
def test_the_positive_label_weighs_what_the_document_says(weight, expected):
    config = BinaryConfig(column="c", loss=BceConfig(positive_weight=weight))

    assert fit_task(config, ["yes", "no", "no", None, "no"]).positive_weight == expected


# --- multilabel ----------------------------------------------------------------------------


def test_a_sample_without_any_of_the_classes_is_not_one_whose_classes_are_not_known():
    balanced = BceConfig(positive_weight="balanced")
    config = MultilabelConfig(column="c", loss=balanced)

    task = fit_task(config, [["x"], ["y", "x"], [], None])

    assert (task.classes, task.positive_weights) == (("x", "y"), (0.5, 2.0))
    np.testing.assert_array_equal(
        task.encode([["y"], [], None, ["y", "x"]]), [[0, 1], [0, 0], [np.nan] * 2, [1, 1]]
    )


# --- ordinal -------------------------------------------------------------------------------


def test_classes_that_are_numbers_are_ordered_as_numbers():
    task = fit_task(OrdinalConfig(column="c"), [10, 9, 2.0, None])

    assert task.classes == ("2", "9", "10")
    assert task.outputs == 2
    assert task.encode(["10", None, 2]).tolist() == [2, -1, 0]


def test_listed_classes_are_in_the_order_of_the_list():
    config = OrdinalConfig(column="c", classes=("poor", "fair", "good"))

    assert fit_task(config, ["good", "poor"]).encode(["fair", "good"]).tolist() == [1, 2]


# --- regression ----------------------------------------------------------------------------


def test_numbers_are_standardised():
    task = fit_task(NUMBER, [1.0, "3", None, math.nan])

    assert (task.mean, task.std) == (2.0, 1.0)
    np.testing.assert_allclose(task.encode([1.0, "3", None, 5]), [-1, 1, np.nan, 3])


def test_a_constant_number_is_not_divided_by_zero():
    task = fit_task(NUMBER, [4.0, 4.0])

    assert (task.mean, task.std) == (4.0, 1.0)


# --- alignment -----------------------------------------------------------------------------


def test_without_classes_every_sample_with_two_modalities_takes_part():
    task = fit_task(AlignmentConfig(), [None] * 3, ["text", "image"])
    present = np.array([[1, 1], [1, 0], [0, 0]], dtype=bool)

    assert task.paired(task.encode([None] * 3), present).tolist() == [0, -1, -1]
    assert task.outputs == 2 * 128 + 2


def test_with_classes_only_those_that_have_one_do():
    task = fit_task(SUPERVISED, ["b", "a", None], ["text", "image"])
    present = np.array([[1, 1], [1, 0], [1, 1]], dtype=bool)

    assert task.paired(task.encode(["b", "a", None]), present).tolist() == [1, -1, -1]


# --- what cannot be learnt -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "labels", "words"),
    [
        (CLASSES, [None, ""], "no sample of the train split has a label in column 'c'"),
        (CLASSES, ["a", "a"], "has only one class: a"),
        (NUMBER, [None], "no sample of the train split has a label in column 'n'"),
        (BinaryConfig(column="c"), ["yes", "yes"], "has only one class: yes"),
        (BinaryConfig(column="c"), ["a", "b"], "has the labels a, b: which is positive?"),
        (BinaryConfig(column="c", positive="a"), ["a", "b", "c"], "which is positive?"),
        (MultilabelConfig(column="c"), [[], None], "no sample of the train split has any class"),
        (OrdinalConfig(column="c"), ["low", "high"], "the order of high, low is not known"),
        (OrdinalConfig(column="c"), ["1", "1"], "has only one class: 1"),
        (SUPERVISED, ["a", None], "has only one class: a"),
    ],
)
def test_what_cannot_be_learnt_is_an_error(config, labels, words):
    with pytest.raises(TrainingError) as caught:
        fit_task(config, labels)

    assert words in str(caught.value)
    assert caught.value.hint
