"""Each metric against that of torchmetrics. Axes: N samples, C classes."""

import numpy as np
import pytest
import torch
from sklearn import metrics as sklearn_metrics
from torchmetrics.functional import classification as reference
from torchmetrics.functional import regression

from mmray.training.tasks.metrics.classes import CLASSIFICATION, ClassRows, kappa, per_class_metrics
from mmray.training.tasks.metrics.flags import BINARY, MULTILABEL, FlagRows, FlagTable
from mmray.training.tasks.metrics.measure import measure
from mmray.training.tasks.metrics.numbers import REGRESSION, NumberRows

CASES = [(1, 2), (2, 3), (7, 4), (60, 3), (501, 10)]
"""Samples and classes: with few samples, some classes are nowhere."""


def draws(count, most, seed):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, most, count))


@pytest.mark.parametrize(("count", "classes"), CASES)
def test_classes(count, classes):
    rows = ClassRows(draws(count, classes, 0), draws(count, classes, 1), classes)
    functions = {
        "precision": reference.multiclass_precision,
        "recall": reference.multiclass_recall,
        "f1": reference.multiclass_f1_score,
    }

    found = measure(CLASSIFICATION, rows)

    assert found == {"accuracy": float(reference.multiclass_accuracy(*rows, average="micro"))} | {
        f"{name}_{average}": float(function(*rows, average=average))
        for name, function in functions.items()
        for average in ("macro", "weighted")
    }
    names = [str(number) for number in range(classes)]
    of_each = per_class_metrics(rows.predicted.numpy(), rows.labels.numpy(), names)
    for name, function in functions.items():
        told = [of_each[label][name] for label in names]
        assert told == function(*rows, average="none").tolist()
    assert torch.equal(rows.matrix, reference.multiclass_confusion_matrix(*rows))
    if len(rows.labels.unique()) > 1:
        expected = float(reference.multiclass_cohen_kappa(*rows, weights="quadratic"))
        assert kappa(rows) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("ties", [2, 5, 10**6])
@pytest.mark.parametrize("count", [2, 7, 60, 501])
def test_a_flag(count, ties):
    scores = draws(count, ties, 0).double() / ties
    labels = draws(count, 2, 1)
    labels[:2] = torch.tensor([0, 1])
    rows = FlagRows(scores, labels)

    found = measure(BINARY, rows)

    expected = {
        "accuracy": reference.binary_accuracy(rows.guess, labels),
        "precision": reference.binary_precision(rows.guess, labels),
        "recall": reference.binary_recall(rows.guess, labels),
        "f1": reference.binary_f1_score(rows.guess, labels),
        "auroc": reference.binary_auroc(scores, labels),
        "average_precision": reference.binary_average_precision(scores, labels),
    }
    assert found == pytest.approx({name: float(v) for name, v in expected.items()}, abs=1e-6)


@pytest.mark.parametrize(("count", "classes"), [(2, 3), (7, 2), (60, 3), (501, 10)])
def test_several_flags(count, classes):
    scores = torch.from_numpy(np.random.default_rng(0).random((count, classes)))
    flags = draws((count, classes), 2, 1)
    flags[0] = 1
    table = FlagTable(scores, flags)
    given = (table.guess, flags, classes)

    found = measure(MULTILABEL, table)

    precisions = reference.multilabel_average_precision(scores, flags, classes, average="none")
    expected = {
        "f1_micro": reference.multilabel_f1_score(*given, average="micro"),
        "f1_macro": reference.multilabel_f1_score(*given, average="macro"),
        "subset_accuracy": reference.multilabel_exact_match(*given),
        "mean_average_precision": precisions.mean(),
    }
    assert found == pytest.approx({name: float(v) for name, v in expected.items()}, abs=1e-6)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6])
def test_numbers(scale):
    generator = np.random.default_rng(0)
    predicted, labels = (generator.normal(100, 1, 60) * scale for _ in range(2))

    found = measure(REGRESSION, NumberRows(predicted, labels))

    pair = torch.from_numpy(predicted), torch.from_numpy(labels)
    expected = {
        "mae": regression.mean_absolute_error(*pair),
        "rmse": regression.mean_squared_error(*pair, squared=False),
        # torchmetrics gives 0 where the labels' squares add up to little, whatever their unit.
        "r2": sklearn_metrics.r2_score(labels, predicted),
    }
    assert found == pytest.approx({name: float(v) for name, v in expected.items()}, rel=1e-9)
