"""Every training has a run of its own: its time, its epochs, its test figures."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mmray.config.document import EvaluationConfig
from mmray.core.kind import Split
from mmray.data.manifest.manifest import Manifest
from mmray.evaluation.baseline import Baseline
from mmray.evaluation.evaluate import EvaluationResult
from mmray.stages.evaluate import _variants, can_measure
from mmray.stages.evaluation.evaluated import evaluate_models, mean_metrics, sentences
from mmray.stages.evaluation.outcome import headline_figures
from mmray.stages.evaluation.predictions import EvaluatedModel
from mmray.stages.training.runs import TrainingRuns, training_seconds
from mmray.stages.training.variant import Variant, fusion_variant, main_model
from mmray.tracking.memory import MemoryTracker
from tests.support.document import make_config

TWO = {"text": {"column": "note"}, "image": {"column": "photo"}}


def record(epoch, seconds=2.0):
    metrics = {"train/loss": 1.0 / epoch, "train/samples_per_s": 9.0, "val/animal/accuracy": 0.5}
    return {"epoch": epoch, "seconds": seconds, "metrics": metrics}


def test_a_run_is_opened_when_its_training_begins_and_lasts_as_long_as_its_epochs(tmp_path):
    config, tracker = make_config(modalities=TWO), MemoryTracker()
    variants = [fusion_variant(config, seed) for seed in (0, 1)]
    runs = TrainingRuns(tracker, config, variants)
    lines = [record(1), record(2, 3.0)]
    (tmp_path / "epochs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    runs.open("fusion")
    assert set(tracker.runs) == {"fusion"}
    for line in lines:
        runs.hear("fusion, seed 1", line)
    success = {"best_metrics": {"val/loss": 0.1}, "best_epoch": 2, "parameters": 7, "samples": 3}
    runs.close("fusion, seed 1", success, tmp_path)

    other = tracker.runs["fusion, seed 1"]
    assert (other.under, other.seconds) == ("fusion", 5.0)
    assert other.metrics["train/loss"] == [(1, 1.0), (2, 0.5)]
    assert other.metrics["best/epoch"] == [(0, 2)]
    assert other.params["train"]["seed"] == 1
    assert training_seconds(tmp_path) == 5.0


def test_a_model_of_one_modality_has_its_name_and_nothing_is_called_fusion():
    config = make_config(evaluation={"seeds": 2})

    assert main_model(config) == "text"
    names = [variant.name for group in _variants(config).values() for variant in group]
    assert names == ["text", "text, seed 1"]


def test_each_modality_is_trained_alone_and_its_seeds_belong_to_it():
    config = make_config(modalities=TWO, evaluation={"seeds": 2})

    found = _variants(config)

    assert list(found) == ["fusion", "text", "image"]
    alone = Variant("text alone, seed 1", ("text",), 1, first="text alone")
    assert found["text"] == [Variant("text alone", ("text",), 0), alone]


# --- figures -------------------------------------------------------------------------------


def evaluated(name, right, samples=40, task="animal"):
    hits = (np.arange(samples) < right).astype(float)
    one = EvaluationResult(
        {"accuracy": float(hits.mean())}, {}, samples, lambda rows: float(hits[rows].mean())
    )
    floor = EvaluationResult({"accuracy": 0.5}, {}, samples, lambda rows: 0.5)
    baselines = {task: Baseline("always 'cat'", floor)}
    return EvaluatedModel(Variant(name, ("text",), 0), None, {task: one}, {}, baselines, {})


def test_the_report_has_the_mean_of_the_seeds_and_each_seed_its_own():
    config = make_config(modalities=TWO, evaluation={"seeds": 2})
    models = {
        "fusion": [evaluated("fusion", 30), evaluated("fusion, seed 1", 20)],
        "text": [evaluated("text alone", 10), evaluated("text alone, seed 1", 12)],
    }

    found = evaluate_models(config, models)

    fusion = found.metrics()["fusion"]["animal"]
    assert fusion["accuracy"] == pytest.approx(0.625)
    assert fusion["seeds"] == [{"accuracy": 0.75}, {"accuracy": 0.5}]
    assert fusion["samples"] == 40
    low, high = fusion["interval"]
    assert low < 0.625 < high
    assert headline_figures(found) == pytest.approx({
        "test/animal/accuracy": 0.625, "test/animal/gain_over_constant_answer": 0.125,
        "test/animal/gain_over_best_alone": 0.35, "test/animal/samples": 40,
    })  # fmt: skip
    json.dumps(found.details())
    assert any("40 samples, mean of 2 trainings" in line for line in sentences(config, found))


def test_the_last_finding_is_an_example():
    config = make_config(modalities=TWO)
    model = replace(evaluated("fusion", 30), example="example: sample s1: label cat")

    found = sentences(config, evaluate_models(config, {"fusion": [model]}))

    assert found[-1] == "example: sample s1: label cat"


def test_figures_where_a_modality_is_present_are_means_as_well():
    runs = [replace(evaluated(name, 9), where_present={"animal": {"accuracy": value}})
            for name, value in (("fusion", 0.2), ("fusion, seed 1", 0.6))]  # fmt: skip

    found = evaluate_models(make_config(modalities=TWO), {"fusion": runs}).metrics()

    assert found["fusion"]["animal"]["where_present"] == {"accuracy": pytest.approx(0.4)}


def test_without_labels_in_test_there_is_no_figure():
    config = make_config(modalities=TWO)
    empty = [EvaluatedModel(Variant("fusion", ("text", "image"), 0), None, {}, {}, {}, {})]

    found = evaluate_models(config, {"fusion": empty})

    assert found.metrics() == {"fusion": {}}
    assert (found.details(), headline_figures(found)) == ({}, {})
    assert sentences(config, found) == (
        "warning: no usable sample of test has a label for animal: there is no figure, and the "
        "model is packaged without one",
    )


def test_a_metric_that_one_training_lacks_has_no_mean():
    assert mean_metrics([{"a": 1.0, "r2": 0.5}, {"a": 3.0}]) == {"a": 2.0}


def test_one_training_each_is_said_to_know_nothing_of_other_seeds():
    config = make_config(modalities=TWO, evaluation=EvaluationConfig().model_dump())

    found = sentences(config, evaluate_models(config, {"fusion": [evaluated("fusion", 30)]}))

    assert "'evaluation.seeds'" in found[-1]


@pytest.mark.parametrize(
    ("splits", "labels", "expected"),
    [
        (["train", "test"], ["cat", "dog"], True),
        (["train", "test"], ["cat", None], False),
        (["train", "val"], ["cat", "dog"], False),
    ],
)
def test_models_are_compared_where_test_has_labels(splits, labels, expected):
    splits = [Split(split) for split in splits]
    manifest = Manifest("/c", ["a", "b"], splits, {"text": ["x", "y"]}, {"animal": labels})

    assert can_measure(make_config(), manifest) == expected
