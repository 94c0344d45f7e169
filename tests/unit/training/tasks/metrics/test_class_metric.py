import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from mmray.training.tasks.metrics.classes import (
    classification_metrics,
    confusion_matrix,
    per_class_metrics,
)
from mmray.training.tasks.metrics.numbers import regression_metrics

CLASSES = ["a", "b", "c", "d"]


@pytest.fixture
def case():
    """Class d is neither among the labels nor predicted; class c is never predicted."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 2, 60), rng.integers(0, 3, 60)


def test_classification_metrics_equal_scikit_learn(case):
    predicted, labels = case

    metrics = classification_metrics(predicted, labels, CLASSES)

    expected = {"accuracy": sklearn_metrics.accuracy_score(labels, predicted)}
    for average in ("macro", "weighted"):
        values = sklearn_metrics.precision_recall_fscore_support(
            labels, predicted, average=average, zero_division=0
        )
        expected |= zip(
            [f"{name}_{average}" for name in ("precision", "recall", "f1")], values[:3], strict=True
        )
    assert metrics == pytest.approx(expected, abs=1e-6)


def test_per_class_metrics_and_the_confusion_matrix_equal_scikit_learn(case):
    predicted, labels = case
    numbers = range(len(CLASSES))

    table = per_class_metrics(predicted, labels, CLASSES)

    expected = sklearn_metrics.precision_recall_fscore_support(
        labels, predicted, labels=numbers, zero_division=0
    )
    np.testing.assert_allclose([list(table[c].values()) for c in CLASSES], np.array(expected).T)
    matrix = sklearn_metrics.confusion_matrix(labels, predicted, labels=numbers)
    assert confusion_matrix(predicted, labels, CLASSES) == matrix.tolist()


def test_regression_metrics_equal_scikit_learn_also_far_from_zero():
    labels = 10_000 + np.random.default_rng(0).normal(size=50).astype(np.float32)
    predicted = labels + np.float32(0.25)

    assert regression_metrics(predicted, labels) == pytest.approx(
        {
            "mae": sklearn_metrics.mean_absolute_error(labels, predicted),
            "rmse": sklearn_metrics.root_mean_squared_error(labels, predicted),
            "r2": sklearn_metrics.r2_score(labels.astype(float), predicted.astype(float)),
        }
    )


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e6])
def test_r2_does_not_depend_on_the_unit(scale):
    generator = np.random.default_rng(0)
    predicted, labels = (generator.normal(100, 1, 60) * scale for _ in range(2))

    found = regression_metrics(predicted, labels)["r2"]

    assert found == pytest.approx(sklearn_metrics.r2_score(labels, predicted))


def test_r2_is_left_out_where_it_has_no_meaning():
    one, same = np.ones(1, dtype=np.float32), np.ones(3, dtype=np.float32)

    assert set(regression_metrics(one, one)) == {"mae", "rmse"}
    assert set(regression_metrics(same, same)) == {"mae", "rmse"}
