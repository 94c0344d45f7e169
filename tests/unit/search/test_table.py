"""The order of trials, the history of the best, and what people read of them."""

import pytest

from mmray.config.training.train import ObjectiveConfig
from mmray.search.front import front_layers, pareto_front
from mmray.search.table import best_trial, history, ranked, table_lines, trial_rows
from mmray.search.view.heading import SearchHeading
from mmray.search.view.sentence import counts_sentence, headline
from mmray.search.view.text import gain_text, objective_name, setting_text, value_text
from tests.support.trials import ACCURACY, LOSS, SIZE, trial


def numbers(trials):
    return [each.number for each in trials]


def test_the_best_trial_comes_first_and_failed_ones_last():
    trials = [
        trial(1, 0.5), trial(2, state="failed"), trial(3, 0.9, state="stopped"),
        trial(4, state="running"), trial(5, 0.7), trial(6, 0.99, state="failed"), trial(7, 0.7),
    ]  # fmt: skip

    assert numbers(ranked(trials, [ACCURACY])) == [3, 5, 7, 1, 4, 2, 6]
    assert numbers(ranked(trials, [LOSS])) == [1, 5, 7, 3, 4, 2, 6]
    assert best_trial(trials, [ACCURACY]) is trials[2]
    assert best_trial(trials[1:2], [ACCURACY]) is None


def test_the_front_holds_what_no_other_trial_beats_in_all_objectives():
    trials = [
        trial(1, 0.9, 500.0), trial(2, 0.8, 100.0), trial(3, 0.8, 300.0), trial(4, 0.95, 900.0),
        trial(5, 0.9, 500.0), trial(6, 0.7, 50.0, state="failed"), trial(7, state="running"),
        trial(8, 0.7, 400.0),
    ]  # fmt: skip
    objectives = [ACCURACY, SIZE]

    layers = [numbers(layer) for layer in front_layers(trials, objectives)]

    assert layers == [[4, 1, 5, 2], [3], [8]]
    assert numbers(pareto_front(trials, objectives)) == [4, 1, 5, 2]
    assert numbers(ranked(trials, objectives)) == [4, 1, 5, 2, 3, 8, 7, 6]
    assert pareto_front([], objectives) == []


def test_the_history_is_the_best_value_after_each_trial():
    trials = [trial(3, 0.7), trial(1, 0.5), trial(2, 0.4), trial(4, state="failed")]

    rising = [(each.number, best) for each, best in history(trials, ACCURACY)]
    falling = [(each.number, best) for each, best in history(trials, LOSS)]

    assert rising == [(1, 0.5), (2, 0.5), (3, 0.7)]
    assert falling == [(1, 0.5), (2, 0.4), (3, 0.4)]


def test_a_row_of_the_table_holds_the_overrides_to_paste():
    def overrides(sample):
        return {"model.fusion": {"kind": sample["model.fusion"]}}

    (row,) = trial_rows([trial(4, 0.5, model__fusion="gated")], [ACCURACY], overrides)

    assert row["trial"] == 4
    assert row["values"] == {"val/digit/accuracy": 0.5}
    assert row["sample"] == {"model.fusion": "gated"}
    assert row["overrides"] == {"model.fusion": {"kind": "gated"}}


def test_the_table_at_a_terminal_has_aligned_columns_and_says_how_many_are_left_out():
    trials = [
        trial(1, 0.5), trial(12, 0.875, train__lr=0.00123456, model__fusion="gated"),
        trial(3, state="failed", epochs=0, reason="out of memory"),
    ]  # fmt: skip

    lines = table_lines(trials, [ACCURACY], limit=2)

    assert lines == [
        "trial  digit accuracy (val)  epochs    time     state  settings",
        "   12                0.8750       8  12.0 s  complete  lr=0.001235, fusion=gated",
        "    1                0.5000       8  12.0 s  complete  the document",
        "and 1 more",
    ]
    assert table_lines(trials, [ACCURACY])[-1].endswith("failed  the document (out of memory)")


def test_the_headline_names_the_best_trial_and_its_gain_over_the_document():
    trials = [trial(1, 0.88), trial(2, 0.9125, train__lr=0.01)]

    lines = headline(trials, [ACCURACY])

    assert lines == [
        "best: trial 2, digit accuracy (val) 0.9125, with lr=0.01",
        "the document itself (trial 1): 0.8800; the best trial: +3.2 points",
    ]
    assert headline(trials[:1], [ACCURACY]) == [
        "best: trial 1, digit accuracy (val) 0.8800, with the document"
    ]
    assert headline([trial(1, state="running")], [ACCURACY]) == ["no trial has a result yet"]


def test_of_several_objectives_the_headline_names_the_front():
    trials = [trial(1, 0.9, 5000.0), trial(2, 0.8, 100.0, train__lr=0.01)]

    lines = headline(trials, [ACCURACY, SIZE])

    assert lines == [
        "best in digit accuracy (val): trial 1, digit accuracy (val) 0.9000, parameters 5,000, "
        "with the document",
        "front of digit accuracy (val), parameters: trials 1, 2",
    ]


def test_the_counts_name_the_budget_and_each_state():
    trials = [trial(1, 0.5), trial(2, 0.4, state="stopped"), trial(3, state="running")]
    heading = SearchHeading("digits", (ACCURACY,), 8, 24, 30.0)

    assert counts_sentence(trials, heading) == (
        "trials: 3 of 24, within 30 minutes; 1 complete, 1 stopped, 1 running"
    )


@pytest.mark.parametrize(
    ("metric", "value", "than", "shown", "gain"),
    [
        ("val/digit/accuracy", 0.9, 0.85, "0.9000", "+5.0 points"),
        ("val/loss", 0.5, 0.75, "0.5000", "-0.25"),
        ("parameters", 120000.0, 240000.0, "120,000", "-50 %"),
        ("latency_ms", 1.23456, 1.0, "1.235", "+23 %"),
        ("val/rate/mae", 123.456, 100.0, "123.5", "+23.46"),
    ],
)
def test_values_and_gains_are_written_as_they_are_read(metric, value, than, shown, gain):
    objective = ObjectiveConfig(metric=metric)

    assert value_text(value, objective) == shown
    assert gain_text(value, than, objective) == gain


def test_names_and_settings_are_short_and_harmless():
    assert objective_name(ACCURACY) == "digit accuracy (val)"
    assert objective_name(ObjectiveConfig(metric="latency_ms")) == "latency in ms"
    assert setting_text("a\x1b[31m") == "a\\x1b[31m"
    assert len(setting_text({"kind": "x" * 100})) == 60
