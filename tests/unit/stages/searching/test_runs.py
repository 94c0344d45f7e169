"""The runs of a search: one for each trial, and the search's own with all that is shown of it."""

import csv
from dataclasses import replace

from mmray.search.study import open_study
from mmray.search.view.description import describe_search
from mmray.search.view.heading import heading_of, write_heading
from mmray.stages.searching.runs import SearchRuns, deliver_view
from mmray.tracking.memory import MemoryTracker
from tests.support.document import make_config
from tests.support.trials import ACCURACY, SIZE, SPACE, trial, view

FUSIONS = {"concat": {"kind": "concat"}, "gated": {"kind": "gated", "temperature": 0.5}}


def searched(**search):
    space = {"train.lr": {"loguniform": [0.001, 0.1]}, "model.fusion": {"choice": FUSIONS}}
    return make_config(
        modalities={"text": {"column": "note"}, "image": {"column": "photo"}},
        search={"space": space} | search,
    )


def runs_of(config):
    tracker = MemoryTracker()
    return tracker, SearchRuns(tracker, config, heading_of(config))


def test_a_trial_is_a_run_with_the_settings_that_it_changes_its_curve_and_its_end():
    tracker, runs = runs_of(searched())
    begun = trial(2, state="running", epochs=0, train__lr=0.01, model__fusion="gated")
    ended = replace(begun, state="stopped", values=(0.7,), epochs=2, seconds=3.0, reason="too bad")

    runs.change(begun)
    for epoch, value in ((1, 0.6), (2, 0.7)):
        now = replace(begun, values=(value,), epochs=epoch, seconds=1.5 * epoch)
        runs.epoch(now, {"val/animal/accuracy": value})
    runs.change(ended)

    run = tracker.runs["trial 02: lr=0.01, fusion=gated"]
    assert run.params == {"train.lr": 0.01, "model.fusion": FUSIONS["gated"]}
    assert run.metrics["val/animal/accuracy"] == [(1, 0.6), (2, 0.7)]
    assert run.metrics["best/val/animal/accuracy"] == [(0, 0.7)]
    assert run.metrics["seconds"] == [(0, 3.0)]
    assert run.tags == {"trial": "2", "state": "stopped", "reason": "too bad"}
    assert (run.seconds, run.status) == (3.0, "FINISHED")


def test_a_trial_that_failed_before_its_first_epoch_is_a_failed_run():
    tracker, runs = runs_of(searched())

    runs.change(trial(1, state="failed", epochs=0, reason="out of memory", train__lr=0.01))
    tracker.close()

    run = tracker.runs["trial 01: lr=0.01"]
    assert run.status == "FAILED"
    assert run.tags["reason"] == "out of memory"


def test_the_search_s_run_has_the_best_value_over_the_number_of_ended_trials():
    config, tracker = searched(), MemoryTracker()
    runs = SearchRuns(tracker, config, heading_of(config), [trial(1, 0.5, train__lr=0.02)])

    for number, value in ((2, 0.8), (3, 0.6)):
        runs.change(trial(number, value, train__lr=0.01 * number))

    best = tracker.runs["workflow"].metrics["search/best/val/animal/accuracy"]
    assert best == [(2, 0.8), (3, 0.8)]


def test_page_table_plots_and_description_are_kept_with_the_search_s_run(tmp_path):
    config, tracker = searched(), MemoryTracker()
    write_heading(tmp_path, heading_of(config))
    study = open_study(tmp_path, ["maximize"])
    for each in (trial(1, 0.5), trial(2, 0.6, train__lr=0.01)):
        spaces = {name: SPACE[name] for name in each.sample}
        study.add(replace(each, state="running"), dict(each.sample), spaces)
        study.tell(each)

    deliver_view(tracker, tmp_path, found=["the winner"])

    parent = tracker.runs["workflow"]
    assert parent.files == ["search.html", "tables/trials.csv", "plots/history.svg",
                            "plots/parallel.svg"]  # fmt: skip
    assert parent.description.startswith(
        "<!-- search -->\n\n- the winner\n- trials: 2 of 24; 2 complete\n"
    )
    with (tmp_path / "trials.csv").open(newline="") as stream:
        first, second = csv.DictReader(stream)
    assert (first["trial"], first["val/animal/accuracy"], first["train.lr"]) == ("2", "0.6", "0.01")
    assert (second["trial"], second["state"], second["train.lr"]) == ("1", "complete", "")


def test_the_description_lists_the_best_trials_and_shows_names_as_they_are():
    trials = [
        trial(1, 0.9, 5000.0),
        trial(2, 0.8, 100.0, state="stopped", model__fusion="concat"),
        trial(3, state="failed", reason="x"),
    ]

    text = describe_search(view(*trials, objectives=(ACCURACY, SIZE)), found=["*a* | <b>"])

    lines = text.splitlines()
    assert lines[0] == r"- \*a\* \| &lt;b&gt;"
    assert "| 2 | 0.8000 | 100 | 8 | stopped | fusion=concat |" in lines
    assert "| 3 |  |  | 8 | failed | the document |" in lines
    assert describe_search(view(*trials, objectives=(ACCURACY, SIZE))).startswith(
        "- best in digit accuracy (val): trial 1, "
    )
