import numpy as np
import pytest

from mmray.config.document import EvaluationConfig
from mmray.config.task.metric import metric_named
from mmray.evaluation.baseline import Baseline
from mmray.evaluation.conclusion import conclude
from mmray.evaluation.description import describe_workflow
from mmray.evaluation.evaluate import EvaluationResult
from mmray.evaluation.sentence import (
    baseline_sentence,
    chance_sentence,
    comparison_sentence,
    figure_sentence,
)
from mmray.evaluation.table import METRIC_COLUMNS, metric_rows

CONFIG = EvaluationConfig()


def evaluated(right, samples=100, metric="accuracy"):
    hits = (np.arange(samples) < right).astype(float)
    value = float(hits.mean())
    return EvaluationResult({metric: value}, {}, samples, lambda rows: float(hits[rows].mean()))


def concluded(samples=100, constant=50, **right):
    runs = {name: [evaluated(count, samples)] for name, count in right.items()}
    baseline = Baseline("always 'cat'", evaluated(constant, samples))
    return conclude("animal", metric_named("accuracy"), runs, baseline, CONFIG)


def test_figures_come_with_interval_and_number_of_samples():
    assert figure_sentence(concluded(fusion=80, text=60)) == (
        "animal: accuracy on test (100 samples): fusion 0.8000 [0.7112, 0.8666], "
        "text 0.6000 [0.5020, 0.6906]; always 'cat' 0.5000"
    )


def test_all_of_sixteen_right_is_not_shown_to_be_better_than_fifteen():
    found = concluded(samples=16, constant=4, fusion=16, text=15)

    sentence = comparison_sentence(found, {}, "try 'train.balance'")

    assert sentence.startswith("animal: fusion is not shown to be better than text alone: +6.2 p")
    assert "try" not in sentence
    assert "16 samples" in figure_sentence(found)


def test_what_is_shown_is_said_and_what_is_worse_is_a_warning_with_advice():
    better = comparison_sentence(concluded(fusion=90, text=60, audio=50), {})
    worse = comparison_sentence(
        concluded(fusion=60, text=90, audio=50), {"text": 0.4, "audio": 0.5}, "try 'train.balance'"
    )

    assert better.startswith("animal: fusion is better than the best modality, text alone: +30.0")
    assert worse.startswith("warning: animal: fusion is worse than text alone: -30.0 points")
    assert "text lags: 0.4000 alone in the joint model, 0.9000 trained alone" in worse
    assert worse.endswith("; try 'train.balance'")
    assert not comparison_sentence(concluded(fusion=60, text=90), {}).endswith("; ")


def test_a_modality_that_lost_no_more_than_noise_does_not_lag():
    assert "lags" not in comparison_sentence(concluded(fusion=60, text=90), {"text": 0.89})


@pytest.mark.parametrize(
    ("right", "said"),
    [
        (52, "warning: animal: text is worse than the constant answer, always 'cat': 0.5200 aga"),
        (
            66,
            "warning: animal: text is below the constant answer, always 'cat': 0.6600 against 0.6",
        ),
        (70, "warning: animal: text is not shown to be better than the constant answer"),
        (90, None),
    ],
)
def test_a_model_below_the_commonest_class_is_said_to_be(right, said):
    found = baseline_sentence(concluded(constant=68, text=right))

    assert found is None if said is None else found.startswith(said)


def test_one_model_alone_has_nothing_to_compare_and_is_called_by_its_name():
    found = concluded(text=70)

    assert comparison_sentence(found, {}) is None
    assert "text 0.7000" in figure_sentence(found)
    assert "fusion" not in figure_sentence(found)


def test_a_retrieval_is_said_at_one_and_five_and_beside_chance():
    baseline = EvaluationResult(
        {"recall_at_1": 0.02, "recall_at_5": 0.1}, {}, 50, lambda rows: 0.02
    )
    run = evaluated(20, 50)
    found = conclude(
        "space",
        metric_named("recall_at_1"),
        {"fusion": [run]},
        Baseline("chance", baseline),
        CONFIG,
    )

    assert chance_sentence(found, {"recall_at_1": 0.4, "recall_at_5": 0.7}) == (
        "space: recall@1 0.4000 (chance 0.0200), recall@5 0.7000 (chance 0.1000)"
    )
    luck = Baseline("chance", baseline)
    by_luck = conclude("space", metric_named("recall_at_1"), {"fusion": [baseline]}, luck, CONFIG)
    assert "fusion is not shown to be better than chance: 0.0200" in baseline_sentence(by_luck)
    assert chance_sentence(concluded(fusion=9), {"accuracy": 0.9}) is None


def test_every_row_of_the_table_says_what_it_is_over():
    found = {"animal": concluded(fusion=80, text=60)}
    metrics = {
        name: {"animal": {"accuracy": value, "f1_macro": 0.5, "samples": 100, "interval": [0, 1],
                          "where_present": {"accuracy": 0.9}}}
        for name, value in (("fusion", 0.8), ("text", 0.6))
    }  # fmt: skip

    rows = list(metric_rows(metrics, found))

    first = dict(rows[0])
    assert set(first) <= set(METRIC_COLUMNS)
    assert (first["model"], first["metric"], first["value"]) == ("fusion", "accuracy", 0.8)
    assert first["low"] == pytest.approx(0.7112, abs=1e-4)
    assert len(rows) == 2 * 3 + 1
    assert rows[-1]["model"] == "constant answer: always 'cat'"


def test_the_description_has_headline_warnings_figures_and_counts():
    found = concluded(fusion=80, text=60)
    sentences = ["animal: accuracy on test", "warning: animal: <b>look</b>", "more"]

    text = describe_workflow([found], sentences, splits="70 train, 20 val, 100 test")

    assert text.startswith("- animal: fusion is better than the best modality, text alone")
    assert "100 samples" in text.splitlines()[0]
    assert "**Warnings (1)**" in text
    assert "<b>" not in text
    assert "70 train, 20 val, 100 test" in text
    one = describe_workflow([concluded(text=60)], [], splits="")
    assert one.startswith("- animal: accuracy on test")
