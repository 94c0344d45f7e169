"""The metrics of each kind against another library's, and what people get to read."""

import math

import numpy as np
import pytest
import torch
from sklearn import metrics as sklearn_metrics
from torchmetrics.functional.retrieval import retrieval_hit_rate

from mmray.config.task.kind import main_metric, task_metrics
from mmray.config.task.loss import QuantileLossConfig, SupervisedContrastiveConfig
from mmray.config.task.task import AlignmentConfig, MultilabelConfig
from mmray.training.tasks.alignment import AlignmentTask
from mmray.training.tasks.build import fit_task
from tests.support.tasks import (
    EVERY_TASK,
    MODALITIES,
    alignment,
    binary,
    classification,
    multilabel,
    ordinal,
    regression,
)

N = 60
RNG = np.random.default_rng


def random_outputs(task, count=N, seed=0):
    return torch.from_numpy(RNG(seed).normal(size=(count, task.outputs)).astype(np.float32) * 2)


def names_of(task):
    return {metric.name for metric in task_metrics(task.config, MODALITIES)}


def unit(values):
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


@pytest.mark.parametrize(("task", "labels"), EVERY_TASK.values(), ids=EVERY_TASK)
def test_every_metric_was_announced_and_the_main_one_is_among_them(task, labels):
    encoded = task.encode([label for label in labels if label is not None] * 3)
    decoded = task.decode(random_outputs(task, len(encoded)))

    metrics = task.metrics(decoded, encoded)

    assert set(metrics) == names_of(task)
    assert main_metric(task.config).name in metrics


@pytest.mark.parametrize(("task", "labels"), EVERY_TASK.values(), ids=EVERY_TASK)
def test_the_statistic_that_is_resampled_is_the_main_metric(task, labels):
    encoded = task.encode([label for label in labels if label is not None] * 3)
    decoded = task.decode(random_outputs(task, len(encoded)))
    rows = np.arange(len(encoded))

    statistic = task.main_statistic(decoded, encoded)

    main = main_metric(task.config).name
    assert statistic(rows) == pytest.approx(task.metrics(decoded, encoded)[main], abs=1e-6)
    assert np.isfinite([statistic(np.full(4, row)) for row in rows]).all()


def test_binary_metrics_equal_scikit_learn():
    task, y = binary(), RNG(1).integers(0, 2, N)

    p = task.decode(random_outputs(task))
    metrics = task.metrics(p, y)

    assert metrics == pytest.approx(
        {
            "accuracy": sklearn_metrics.accuracy_score(y, p > 0.5),
            "precision": sklearn_metrics.precision_score(y, p > 0.5),
            "recall": sklearn_metrics.recall_score(y, p > 0.5),
            "f1": sklearn_metrics.f1_score(y, p > 0.5),
            "auroc": sklearn_metrics.roc_auc_score(y, p),
            "average_precision": sklearn_metrics.average_precision_score(y, p),
        },
        abs=1e-6,
    )
    matrix = sklearn_metrics.confusion_matrix(y, p > 0.5)
    assert task.details(p, y)["confusion_matrix"] == matrix.tolist()


@pytest.mark.parametrize(("label", "absent"), [(0, {"auroc", "average_precision"}), (1, {"auroc"})])
def test_metrics_that_need_both_labels_are_left_out_without_them(label, absent):
    task = binary()

    metrics = task.metrics(np.array([0.2, 0.9], dtype=np.float32), np.array([label] * 2))

    assert names_of(task) - set(metrics) == absent


def test_multilabel_metrics_equal_scikit_learn():
    task, y = multilabel(), RNG(1).integers(0, 2, (N, 2)).astype(np.float32)

    p = task.decode(random_outputs(task))
    metrics = task.metrics(p, y)

    assert metrics == pytest.approx(
        {
            "f1_micro": sklearn_metrics.f1_score(y, p > 0.5, average="micro"),
            "f1_macro": sklearn_metrics.f1_score(y, p > 0.5, average="macro"),
            "subset_accuracy": sklearn_metrics.accuracy_score(y, p > 0.5),
            "mean_average_precision": sklearn_metrics.average_precision_score(y, p),
        },
        abs=1e-6,
    )


def test_a_class_that_is_not_among_the_labels_does_not_spoil_the_means():
    task = multilabel()
    p = np.array([[0.9, 0.1], [0.2, 0.3]], dtype=np.float32)
    y = np.array([[1, 0], [0, 0]], dtype=np.float32)

    metrics, details = task.metrics(p, y), task.details(p, y)

    assert (metrics["f1_macro"], metrics["mean_average_precision"]) == (1.0, 1.0)
    assert details["per_class"]["x"]["average_precision"] == 1.0
    assert details["per_class"]["y"] == {
        "precision": 0.0, "recall": 0.0, "f1": 0.0, "average_precision": 0.0, "support": 0.0
    }  # fmt: skip


def test_a_multilabel_task_of_one_class_has_the_figures_of_a_binary_one():
    task = fit_task(MultilabelConfig(column="c"), [["x"], []])
    p = np.array([[0.9], [0.8], [0.2], [0.7]], dtype=np.float32)
    y = np.array([[1], [0], [1], [1]], dtype=np.float32)

    metrics, details = task.metrics(p, y), task.details(p, y)

    assert metrics["f1_micro"] == metrics["f1_macro"] == pytest.approx(2 / 3)
    assert metrics["subset_accuracy"] == 0.5
    assert details["per_class"]["x"]["recall"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("method", ["corn", "coral"])
def test_ordinal_metrics_equal_scikit_learn(method):
    task, y = ordinal(method=method), RNG(1).integers(0, 3, N)

    p = task.decode(random_outputs(task))
    metrics = task.metrics(p, y)

    ranks = (np.cumsum(p, axis=1) < 0.5).sum(axis=1)
    assert metrics == pytest.approx(
        {
            "mae": np.abs(ranks - y).mean(),
            "accuracy": (ranks == y).mean(),
            "quadratic_weighted_kappa": sklearn_metrics.cohen_kappa_score(
                y, ranks, weights="quadratic"
            ),
        },
        abs=1e-6,
    )


def test_a_quantile_regression_tells_what_its_interval_is_worth():
    task = regression(loss=QuantileLossConfig(quantiles=(0.1, 0.5, 0.9)))
    predicted = np.array([[0.0, 1.0, 2.0], [0.0, 1.0, 4.0]], dtype=np.float32)
    truth = np.array([1.5, 5.0])

    metrics = task.metrics(predicted, ((truth - task.mean) / task.std).astype(np.float32))

    errors = truth[:, None] - predicted
    expected = np.maximum(np.array([0.1, 0.5, 0.9]) * errors, np.array([-0.9, -0.5, -0.1]) * errors)
    assert metrics["mae"] == pytest.approx(2.25)
    assert metrics["coverage"] == 0.5
    assert metrics["interval_width"] == 3.0
    assert metrics["pinball"] == pytest.approx(expected.mean(), abs=1e-6)


# --- retrieval -----------------------------------------------------------------------------


def spread(absent=0.3):
    """Embeddings (N, 3, 4) of length one, some of them absent."""
    values = unit(RNG(2).normal(size=(N, 3, 4)).astype(np.float32))
    values[RNG(3).random((N, 3)) < absent] = 0.0
    return values


def expected_recall(values, a, b, cut, groups=None):
    """By torchmetrics, one query after the other."""
    there = (values != 0).any(-1)
    gallery, hits = np.flatnonzero(there[:, b]), []
    for row in np.flatnonzero(there[:, a] & there[:, b]):
        target = gallery == row if groups is None else groups[gallery] == groups[row]
        cosines = values[gallery, b] @ values[row, a]
        found = retrieval_hit_rate(
            torch.from_numpy(cosines), torch.from_numpy(target), top_k=min(cut, len(gallery))
        )
        hits.append(float(found))
    return np.mean(hits)


@pytest.mark.parametrize("is_supervised", [False, True])
def test_recalls_equal_torchmetrics_also_where_modalities_are_absent(is_supervised):
    loss = {"column": "c", "loss": SupervisedContrastiveConfig()} if is_supervised else {}
    task, groups = alignment(["a", "b"] * 30, **loss), RNG(4).integers(0, 2, N)
    values = spread()

    metrics = task.metrics(values, groups)

    names = {"text": 0, "image": 1, "audio": 2}
    pairs = [(a, b) for a in names for b in names if a != b]
    for cut in (1, 5):
        recalls = [
            expected_recall(values, names[a], names[b], cut, groups if is_supervised else None)
            for a, b in pairs
        ]
        found = [metrics[f"recall_at_{cut}_{a}_to_{b}"] for a, b in pairs]
        np.testing.assert_allclose(found, recalls, atol=1e-6)
        assert metrics[f"recall_at_{cut}"] == pytest.approx(np.mean(recalls))


def test_a_space_in_which_all_is_one_point_finds_nothing_but_by_luck():
    values = np.ones((20, 3, 4), dtype=np.float32) / 2

    metrics = alignment().metrics(values, np.zeros(20, dtype=np.int64))

    assert metrics["recall_at_1"] == pytest.approx(1 / 20)
    assert metrics["recall_at_5"] == pytest.approx(5 / 20)


def test_a_copy_of_the_right_payload_is_no_miss():
    """Two captions of one picture: each finds the picture, and the picture finds either."""
    values = unit(RNG(0).normal(size=(6, 2, 4)).astype(np.float32))
    values[1, 1] = values[0, 1]  # the picture, once more
    values[0, 0], values[1, 0] = values[0, 1], -values[0, 1]  # one caption is near, one is far
    values[2:] = 0.0
    task = AlignmentTask(AlignmentConfig(size=4), ("text", "image"))
    payloads = np.arange(12).reshape(6, 2)

    apart = task.metrics(values, payloads)
    payloads[1, 1] = payloads[0, 1]
    together = task.metrics(values, payloads)

    assert apart["recall_at_1_text_to_image"] == pytest.approx((0.5 + 0.5) / 2)
    assert together["recall_at_1_text_to_image"] == 1.0
    assert apart["recall_at_1_image_to_text"] == pytest.approx(0.5)
    assert together["recall_at_1_image_to_text"] == 1.0


def test_by_chance_several_right_ones_of_one_class_are_found_more_often():
    task = alignment(["a", "b"] * 10, column="c", loss=SupervisedContrastiveConfig())
    values = np.ones((20, 3, 4), dtype=np.float32) / 2

    metrics = task.metrics(values, np.arange(20) % 2)

    assert metrics["recall_at_1"] == pytest.approx(10 / 20)
    assert metrics["recall_at_5"] == pytest.approx(1 - math.comb(10, 5) / math.comb(20, 5))


# --- what people read ----------------------------------------------------------------------


def test_a_class_is_described_with_its_probabilities():
    task = classification()

    row = task.describe(task.decode(torch.tensor([[0.0, 2.0, 0.0]]))[0])

    assert row["label"] == "b"
    assert sum(row["probabilities"].values()) == pytest.approx(1)


def test_a_binary_output_is_described_by_both_classes():
    task = binary()

    row = task.describe(np.asarray(task.decode(torch.tensor([[np.log(3.0)]]))[0]))

    assert row["label"] == "yes"
    assert row["probabilities"] == pytest.approx({"no": 0.25, "yes": 0.75})


def test_a_multilabel_output_is_described_by_all_that_are_likely():
    task = multilabel()

    row = task.describe(task.decode(torch.tensor([[1.0, -1.0]]))[0])

    assert row["labels"] == ["x"]
    assert list(row["probabilities"]) == ["x", "y"]


@pytest.mark.parametrize(
    ("method", "logits", "expected"),
    [
        ("corn", [0.0, 0.0], [0.5, 0.25, 0.25]),
        ("corn", [50.0, 50.0], [0.0, 0.0, 1.0]),
        ("coral", [np.log(3.0), 0.0], [0.25, 0.25, 0.5]),
        ("coral", [-np.log(3.0), 50.0], [0.75, 0.0, 0.25]),  # out of order: never above one
    ],
)
def test_ordinal_outputs_become_probabilities_of_classes(method, logits, expected):
    task = ordinal(method=method)

    decoded = task.decode(torch.tensor([logits]))

    np.testing.assert_allclose(decoded[0], expected, atol=1e-6)
    assert task.describe(decoded[0])["label"] == "123"[int((np.cumsum(expected) < 0.5).sum())]


def test_quantiles_are_put_in_order_and_in_the_labels_unit():
    task = regression(loss=QuantileLossConfig(quantiles=(0.1, 0.5, 0.9)))

    decoded = task.decode(torch.tensor([[1.0, 0.0, 2.0]]))

    row = task.describe(decoded[0])
    assert row["value"] == pytest.approx(task.mean + task.std)
    assert row["interval"] == pytest.approx([task.mean, task.mean + 2 * task.std])
    assert list(row["quantiles"]) == ["0.1", "0.5", "0.9"]


def test_numbers_come_back_in_their_own_unit():
    task = regression()

    found = task.decode(torch.tensor([[-1.0], [3.0]]))

    np.testing.assert_allclose(found, [task.mean - task.std, task.mean + 3 * task.std], rtol=1e-6)
