import itertools

import numpy as np
import pytest
import torch

from mmray.config.document import EvaluationConfig
from mmray.config.task.metric import metric_named
from mmray.evaluation.ablate import ablate
from mmray.evaluation.ablation import (
    shapley_values,
    subset_name,
    subsets_of,
    tabulate,
)
from mmray.evaluation.evaluate import EvaluationResult
from mmray.evaluation.sentence import ablation_sentence
from mmray.evaluation.table import SHARE_COLUMNS, SUBSET_COLUMNS, share_rows, subset_rows
from mmray.training.data.samples import ModalityFeatures, Samples
from mmray.training.loop.predict import predict
from tests.support.sample import TASKS, make_model, make_samples

CPU = torch.device("cpu")
PAIR = {"a-b": 0.9, "a": 0.6, "b": 0.5, "nothing": 0.1}


def test_all_subsets_the_largest_first():
    names = [subset_name(subset) for subset in subsets_of("abc")]

    assert names == ["a-b-c", "a-b", "a-c", "b-c", "a", "b", "c", "nothing"]


def test_shapley_shares_of_two_by_hand():
    found = shapley_values(PAIR, "ab")

    assert found == pytest.approx({"a": (0.5 + 0.4) / 2, "b": (0.4 + 0.3) / 2})


def test_shapley_shares_are_the_mean_over_all_orders():
    rng = np.random.default_rng(0)
    values = {subset_name(subset): rng.random() for subset in subsets_of("abcd")}

    found = shapley_values(values, "abcd")

    added = dict.fromkeys("abcd", 0.0)
    for order in itertools.permutations("abcd"):
        for place, name in enumerate(order):
            with_it, before = sorted(order[: place + 1]), sorted(order[:place])
            added[name] += values[subset_name(with_it)] - values[subset_name(before)]
    assert found == pytest.approx({name: total / 24 for name, total in added.items()})
    assert sum(found.values()) == pytest.approx(values["a-b-c-d"] - values["nothing"])


def result(share, samples=1000):
    """A model that is right about the first samples, up to this share."""
    hits = np.arange(samples) < round(share * samples)
    return EvaluationResult({}, {}, samples, lambda rows: float(hits[rows].mean()))


def test_the_table_is_the_mean_over_the_trainings_with_intervals():
    runs = [
        {"t": {name: result(value + more) for name, value in PAIR.items()}} for more in (0, 0.02)
    ]

    found = tabulate(runs, {"t": metric_named("accuracy")}, "ab", EvaluationConfig())["t"]

    assert found["metric"] == "accuracy"
    assert found["subsets"]["a-b"] == pytest.approx(0.91)
    assert found["shapley"]["b"] == pytest.approx(0.35)
    low, high = found["intervals"]["a-b"]
    assert (low, high) == pytest.approx((0.8907, 0.9262), abs=1e-3)  # Wilson, 910 of 1,000


def test_subsets_and_shares_are_rows_of_tables():
    runs = [{"t": {name: result(value) for name, value in PAIR.items()}}]
    table = tabulate(runs, {"t": metric_named("accuracy")}, "ab", EvaluationConfig())

    subsets, added = list(subset_rows(table)), list(share_rows(table))

    assert [row["modalities"] for row in subsets] == ["a-b", "a", "b", "nothing"]
    assert [row["value"] for row in subsets] == pytest.approx([0.9, 0.6, 0.5, 0.1])
    assert (subsets[0]["low"], subsets[0]["high"]) == pytest.approx((0.8799, 0.9171), abs=1e-4)
    assert set(subsets[0]) == set(SUBSET_COLUMNS)
    assert added == [
        {"task": "t", "metric": "accuracy", "modality": name, "shapley_value": pytest.approx(value)}
        for name, value in (("a", 0.45), ("b", 0.35))
    ]
    assert set(added[0]) == set(SHARE_COLUMNS)


def test_what_dropping_a_modality_costs_is_said_by_its_name():
    assert ablation_sentence("t", metric_named("accuracy"), PAIR, ("a", "b")) == (
        "t: accuracy on test of the fusion without a 0.5000, b 0.6000"
    )


def test_a_subset_is_evaluated_as_if_the_others_had_never_been_there():
    samples, model = make_samples(40), make_model(make_samples(40)).eval()

    found = ablate(model, samples, TASKS, batch_size=16, device=CPU)

    hidden = samples.modalities["image"]
    gone = ModalityFeatures(hidden.spec, hidden.values, hidden.offsets, hidden.present & False)
    rest = Samples(samples.ids, samples.modalities | {"image": gone}, samples.labels)
    for task, metric in (("digit", "accuracy"), ("rate", "mae")):
        for name, each in (("text-image-audio", samples), ("text-audio", rest)):
            outputs = predict(model, each, TASKS, batch_size=16, device=CPU)[task]
            known = samples.labelled(task)
            labels = samples.labels[task][known]
            expected = TASKS[task].metrics(outputs[known], labels)[metric]
            assert found[task][name].value() == pytest.approx(expected, rel=1e-5)
            assert found[task][name].samples == known.sum()
    assert len(found["digit"]) == 8


def test_of_one_modality_there_is_no_table():
    samples = make_samples(8)
    one = Samples(samples.ids, {"text": samples.modalities["text"]}, samples.labels)

    assert ablate(make_model(one), one, TASKS, batch_size=8, device=CPU) == {}
