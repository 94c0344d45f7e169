from dataclasses import replace
from pathlib import Path

import pytest

from mmray.config.training.train import ObjectiveConfig
from mmray.run.training_job import TrainingJob
from mmray.search.confirm import Confirmed, choose_trials, value_of, winner_of, with_seeds
from mmray.search.record import TrialRecord
from mmray.search.sample import apply_sample
from tests.support.document import make_config

ACCURACY = ObjectiveConfig(metric="val/animal/accuracy")
CONFIG = make_config(
    search={"space": {"train.lr": {"loguniform": [1e-4, 1e-1]}}}, train={"lr": 0.001, "seed": 5}
)


def trial(number, sample, value, state="complete"):
    return TrialRecord(
        number, sample, state, (value,), 3, 1.0, "", 0.0, f"/search/{number}", None, None
    )


def plan(sample):
    config = apply_sample(CONFIG, sample)
    return TrainingJob("", config, "/manifest", {}, config.train.seed, "/search/planned")


def confirmed(number, *values, sample=None):
    known = trial(number, {"train.lr": number / 1000} if sample is None else sample, values[0])
    return Confirmed(with_seeds(known, plan, seeds=0, folder=Path("/s")), values)


DOCUMENT = trial(1, {}, 0.5)


def test_the_best_trials_are_chosen_and_the_document_besides_them():
    ranked = [trial(number, {"train.lr": number / 100}, 0.9) for number in (4, 2, 3)]

    document, chosen = choose_trials([*ranked, DOCUMENT], 2, plan)

    assert document == DOCUMENT
    assert [each.number for each in chosen] == [4, 2]


def test_trials_of_one_document_are_one_candidate_and_the_document_is_none_of_them():
    same = trial(4, {"train.lr": 0.001}, 0.9)  # what the document says already
    twice = [trial(number, {"train.lr": 0.02}, 0.8) for number in (5, 6)]

    _, chosen = choose_trials([same, *twice, trial(7, {"train.lr": 0.03}, 0.1), DOCUMENT], 3, plan)

    assert [each.number for each in chosen] == [5, 7]


def test_a_trial_that_was_stopped_is_chosen_only_where_too_few_are_complete():
    stopped = trial(2, {"train.lr": 0.02}, 0.9, state="stopped")
    failed = trial(3, {"train.lr": 0.03}, 0.9, state="failed")
    complete = trial(4, {"train.lr": 0.04}, 0.7)

    assert choose_trials([stopped, failed, complete], 1, plan) == (None, [complete])
    assert choose_trials([stopped, failed, complete], 3, plan)[1] == [complete, stopped]


def test_the_training_of_a_complete_trial_is_its_first_seed():
    found = with_seeds(trial(3, {"train.lr": 0.01}, 0.9), plan, seeds=2, folder=Path("/s"))

    assert [job.seed for job in found.jobs] == [5, 6, 7]
    assert found.jobs[0].folder == "/search/3"
    assert len({job.folder for job in found.jobs}) == 3
    assert {job.config.train.lr for job in found.jobs} == {0.01}


def test_a_trial_that_was_stopped_is_trained_with_its_own_seed_too():
    stopped = trial(3, {"train.lr": 0.01}, 0.9, state="stopped")

    found = with_seeds(stopped, plan, seeds=1, folder=Path("/s"))

    assert [Path(job.folder).name for job in found.jobs] == ["seed-5", "seed-6"]


def test_the_mean_over_seeds_wins_and_not_the_best_seed():
    lucky, steady = confirmed(2, 0.99, 0.70, 0.71), confirmed(3, 0.90, 0.91, 0.89)

    found = winner_of([lucky, steady], ACCURACY)

    assert found == steady
    assert found.mean == pytest.approx(0.9)


def test_of_losses_the_smallest_mean_wins():
    loss = ObjectiveConfig(metric="val/loss")

    found = winner_of([confirmed(2, 0.5), confirmed(3, 0.4)], loss)

    assert found.candidate.trial.number == 3


def test_of_equal_means_the_document_wins_and_then_the_earlier_trial():
    others = [confirmed(3, 0.9), confirmed(2, 0.9)]
    document = confirmed(1, 0.9, sample={})

    assert winner_of([document, *others], ACCURACY) == document
    assert winner_of(others, ACCURACY) == others[1]


def test_the_value_of_a_training_is_that_of_the_model_it_kept():
    success = {"best_metrics": {"val/animal/accuracy": 0.8}}
    latency = ObjectiveConfig(metric="latency_ms")
    fast = replace(DOCUMENT, values=(1.5, 0.9))

    assert value_of(success, DOCUMENT, ACCURACY) == 0.8
    assert value_of(success, fast, latency) == 1.5
    assert value_of({"best_metrics": {}}, DOCUMENT, ACCURACY) is None
