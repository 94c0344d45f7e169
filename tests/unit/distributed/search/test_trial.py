"""What a search notes of its trials, without Tune."""

import json
from types import SimpleNamespace

import pytest

from mmray.config.training.search import SearchConfig
from mmray.config.training.train import ObjectiveConfig
from mmray.distributed.search.sampling import build_sampler
from mmray.distributed.search.trial import TrialLog, read_state


@pytest.fixture
def log(tmp_path):
    heard = []
    log = TrialLog(
        ObjectiveConfig(metric="val/loss"), tmp_path, lambda sample: tmp_path / str(sample["lr"]),
        lambda number, sample, metrics, epoch: heard.append((number, epoch)),
    )  # fmt: skip
    log.heard = heard
    return log


def trial(name, lr):
    return SimpleNamespace(
        trial_id=name, config={"lr": lr}, error_file=None, get_error=lambda: None
    )


def report(log, trials, each, epoch, loss):
    log.on_trial_result(1, trials, each, {"val/loss": loss, "epoch": epoch})


def test_trials_are_numbered_by_their_order_whatever_their_ids_are(log):
    trials = [trial("e1506601", 0.1), trial("0a", 0.2)]

    for each in reversed(trials):
        log.on_trial_start(1, trials, each)
        report(log, trials, each, 1, 0.5)

    assert log.heard == [(2, 1), (1, 1)]
    assert log.tried() == [{"lr": 0.1}, {"lr": 0.2}]


def test_an_epoch_is_passed_on_once_also_by_the_search_that_resumes(log):
    first, again = [trial("a", 0.1)], [trial("b", 0.1)]

    log.on_trial_start(1, first, first[0])
    report(log, first, first[0], 1, 0.5)
    log.on_trial_start(1, again, again[0])
    report(log, again, again[0], 1, 0.5)
    report(log, again, again[0], 2, 0.4)

    assert log.heard == [(1, 1), (1, 2)]
    assert not read_state(log.folder / "0.1").has_ended


def test_the_best_comes_first_and_what_is_not_finite_is_no_best(log):
    trials = [trial("a", 0.1), trial("b", 0.2), trial("c", 0.3)]
    losses = {"a": (0.5, 0.4, 0.6), "b": (0.3, float("nan")), "c": (float("nan"),)}
    for each in trials:
        log.on_trial_start(1, trials, each)
        for epoch, loss in enumerate(losses[each.trial_id], start=1):
            report(log, trials, each, epoch, loss)
        log.on_trial_complete(1, trials, each)

    assert [(r.number, r.best, r.epochs) for r in log.ranked()] == [
        (2, 0.3, 2), (1, 0.4, 3), (3, None, 1),
    ]  # fmt: skip
    assert log.num_ended == 3
    assert read_state(log.folder / "0.1").epochs == 3


def test_a_trial_that_has_ended_keeps_what_it_reached_also_where_tune_stops_it_sooner(log):
    first, again = [trial("a", 0.1)], [trial("b", 0.1)]
    losses = (0.5, 0.4, 0.6)
    log.on_trial_start(1, first, first[0])
    for epoch, loss in enumerate(losses, start=1):
        report(log, first, first[0], epoch, loss)
    log.on_trial_complete(1, first, first[0])
    lines = [
        {"run": "r", "epoch": epoch, "seconds": 1.0, "metrics": {"val/loss": loss}}
        for epoch, loss in enumerate(losses, start=1)
    ]
    (log.folder / "0.1" / "epochs.jsonl").write_text("\n".join(map(json.dumps, lines)))
    resumed = TrialLog(log.objective, log.folder, log.folder_of, log.on_epoch)

    resumed.on_trial_start(1, again, again[0])
    report(resumed, again, again[0], 1, 0.5)
    resumed.on_trial_complete(1, again, again[0])

    assert [(r.best, r.epochs) for r in resumed.ranked()] == [(0.4, 3)]
    assert read_state(log.folder / "0.1").epochs == 3


def test_the_reason_of_a_failure_is_its_last_line_or_that_there_is_none(log, tmp_path):
    silent, told = trial("a", 0.1), trial("b", 0.2)
    told.error_file = str(tmp_path / "error.txt")
    (tmp_path / "error.txt").write_text("Failure # 1\nTraceback ...\nValueError: no room\n\n")
    for each in (silent, told):
        log.on_trial_start(1, [silent, told], each)
        log.on_trial_error(1, [silent, told], each)

    errors = [result.error for result in log.ranked()]
    assert errors == ["its process ended without a message", "ValueError: no room"]


@pytest.mark.parametrize("sampler", ["random", "optuna"])
def test_no_sampler_gives_more_trials_than_run_at_a_time(sampler):
    search = SearchConfig(sampler=sampler, trials=12, space={"train.lr": {"uniform": [0, 1]}})

    assert build_sampler(search, 2, []).max_concurrent == 2
