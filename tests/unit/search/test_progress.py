"""A search as it runs, with trainings that are a formula: next trials, epochs, ends, resumes."""

import pickle

import pytest

from mmray.config.training.search import SearchConfig
from mmray.errors import TrainingError
from mmray.search.progress import MINUTES_OVER, SearchProgress
from mmray.search.study import JOURNAL, SPENT, load_study, open_study, read_trials, spent_seconds
from mmray.search.table import best_trial, ranked

EPOCHS = 4
DIRECTIONS = {"max": "maximize", "min": "minimize"}


SPACE = {
    "lr": {"uniform": [0.0, 1.0]},
    "fusion": {
        "choice": {
            "concat": {"kind": "concat"},
            "gated": {"kind": "gated", "heads": {"int": [1, 4]}},
        }
    },
}
DOCUMENT = {"lr": 0.2, "fusion": "concat"}


def line(record, epoch):
    """What a training would report: it learns, and best at lr = 0.7."""
    reached = 1.0 - abs(record.sample.get("lr", 0.2) - 0.7) - 1.0 / (1 + epoch)
    return {"epoch": epoch, "seconds": 2.0, "metrics": {"val/f1": reached}, "parameters": 7}


def config(**section):
    stop = {"kind": "asha", "grace_epochs": 1, "reduction": 2}
    default = {"objective": {"metric": "val/f1"}, "trials": 12, "stop": stop, "space": SPACE}
    return SearchConfig(**default | section)


class KilledError(Exception):
    """In place of a SIGKILL."""


class Driver:
    """Runs a search in a folder, one trial after the other; it can be killed at any call."""

    def __init__(self, folder, search=None, *, calls=None):
        self.folder, self.search, self.calls = folder, search or config(), calls
        self.heard, self.trained, self.changes = [], [], []

    def _call(self):
        if self.calls is not None:
            self.calls -= 1
            if self.calls < 0:
                raise KilledError

    def on_epoch(self, record, metrics):
        self.heard.append((record.number, record.epochs))
        self._call()

    def on_change(self, record):
        self.changes.append((record.number, record.state))
        self._call()

    def run(self):
        directions = [DIRECTIONS[each.direction] for each in self.search.objective]
        study = open_study(self.folder, directions)
        progress = SearchProgress(
            study, self.search, DOCUMENT,
            lambda sample: self.folder / str(sample), lambda sample: EPOCHS, self.on_epoch,
            self.on_change,
        )  # fmt: skip
        while (record := progress.begin()) is not None:
            self._call()
            self.train(progress, record)
            self._call()
        return study.records()

    def train(self, progress, record):
        for epoch in range(record.epochs + 1, EPOCHS + 1):
            self.trained.append((record.number, epoch))
            if not progress.epoch(record.number, line(record, epoch)):
                return
        progress.complete(record.number)


def told(records):
    """What must not depend on when a search was disturbed."""
    return [(r.number, r.sample, r.state, r.values, r.epochs, r.seconds, r.reason) for r in records]


def test_the_document_is_the_first_trial_and_the_sampler_learns_from_the_others(tmp_path):
    records = Driver(tmp_path, config(trials=30, stop={"kind": "none"})).run()

    assert records[0].sample == {}
    assert load_study(tmp_path).get_trials()[0].params == DOCUMENT
    assert [r.number for r in records] == list(range(1, 31))
    late = [abs(r.sample["lr"] - 0.7) for r in records[20:]]
    assert sum(late) / len(late) < 0.15  # at random it would be a quarter or more
    assert records[0].parameters == 7


def test_bad_trials_are_stopped_with_their_reason_and_the_best_epoch_counts(tmp_path):
    driver = Driver(tmp_path)
    records = driver.run()

    stopped = [r for r in records if r.state == "stopped"]
    assert stopped
    assert all(r.reason.startswith("not among the best") for r in stopped)
    assert all(r.epochs < EPOCHS for r in stopped)
    ends = [change for change in driver.changes if change[1] != "running"]
    assert ends == [(r.number, r.state) for r in records]
    assert [number for number, _ in driver.changes] == sorted([*range(1, 13)] * 2)
    assert sorted(driver.heard) == driver.trained == sorted(set(driver.trained))
    best = best_trial(records, driver.search.objective)
    assert best.values[0] == max(r.values[0] for r in records)


@pytest.mark.parametrize("sampler", ["tpe", "random", "nsga2", "gp", "cmaes"])
def test_a_search_that_is_killed_at_any_call_ends_as_if_it_never_was(tmp_path, sampler):
    search = config(sampler=sampler, trials=12 if sampler != "gp" else 5)
    expected = told(Driver(tmp_path / "undisturbed", search).run())
    folder, calls = tmp_path / "killed", 3
    for _ in range(100):
        finished = {r.number for r in read_trials(folder) if r.state != "running"}
        driver = Driver(folder, search, calls=calls)
        try:
            driver.run()
        except KilledError:
            calls = 3 + (calls * 7) % 11
        assert not finished & {number for number, _ in driver.trained}
        if driver.calls >= 0:
            break
    assert told(read_trials(folder)) == expected


def test_wherever_the_record_of_a_search_ends_it_is_resumed_to_the_same_trials(tmp_path):
    search = config(trials=6)
    expected = told(Driver(tmp_path / "undisturbed", search).run())
    lines = (tmp_path / "undisturbed" / JOURNAL).read_bytes().splitlines(keepends=True)

    for length in range(2, len(lines), 5):
        folder = tmp_path / str(length)
        folder.mkdir()
        (folder / JOURNAL).write_bytes(b"".join(lines[:length]))

        assert told(Driver(folder, search).run()) == expected, lines[length - 1]


def test_a_trial_that_fails_is_recorded_and_the_search_continues(tmp_path):
    class Failing(Driver):
        def train(self, progress, record):
            if record.number == 2:
                progress.epoch(2, line(record, 1))
                progress.fail(2, "OutOfMemoryError: 3 GiB")
            else:
                super().train(progress, record)

    records = Failing(tmp_path, config(trials=4, stop={"kind": "none"})).run()

    assert [(r.state, r.reason) for r in records] == [
        ("complete", ""), ("failed", "OutOfMemoryError: 3 GiB"), ("complete", ""), ("complete", ""),
    ]  # fmt: skip
    assert ranked(records, config().objective)[-1].number == 2


def test_with_several_objectives_the_first_decides_which_trials_stop(tmp_path):
    search = config(objective=[{"metric": "val/f1"}, {"metric": "parameters"}], sampler="nsga2")
    records = Driver(tmp_path, search).run()

    assert {len(r.values) for r in records} == {2}
    assert {r.values[1] for r in records} == {7.0}
    assert {r.state for r in records} == {"complete", "stopped"}


def test_when_the_minutes_are_over_running_trials_stop_and_none_begins(tmp_path):
    search = config(trials=None, minutes=1.0)
    study = open_study(tmp_path, ["maximize"])
    study.study.set_user_attr(SPENT, 59.9)  # by the process that was killed
    assert (spent_seconds(tmp_path), spent_seconds(tmp_path / "none")) == (59.9, 0.0)
    progress = SearchProgress(
        study, search, {}, lambda sample: tmp_path, lambda sample: EPOCHS, lambda *_: None,
        lambda *_: None,
    )  # fmt: skip
    first = progress.begin()
    assert progress.epoch(first.number, line(first, 1))
    progress._began -= 1.0

    assert not progress.epoch(first.number, line(first, 2))
    assert progress.begin() is None
    assert [(r.state, r.reason, r.epochs) for r in read_trials(tmp_path)] == [
        ("stopped", MINUTES_OVER, 2)
    ]


def test_a_grid_has_every_sample_once_and_ends(tmp_path):
    gated = {"kind": "gated", "heads": {"int": [1, 2]}}
    space = {
        "fusion": {"choice": {"concat": {"kind": "concat"}, "gated": gated}},
        "lr": {"choice": [0.1, 0.2]},
    }
    search = config(sampler="grid", trials=30, stop={"kind": "none"}, space=space)
    study = open_study(tmp_path, ["maximize"])
    progress = SearchProgress(
        study, search, {}, lambda sample: tmp_path, lambda sample: EPOCHS, lambda *_: None,
        lambda *_: None,
    )  # fmt: skip
    while (record := progress.begin()) is not None:
        progress.epoch(record.number, line(record, 1))
        progress.complete(record.number)

    heads = "fusion.gated.heads"
    assert [r.sample for r in read_trials(tmp_path)] == [
        {},
        {"fusion": "concat", "lr": 0.1}, {"fusion": "concat", "lr": 0.2},
        {"fusion": "gated", heads: 1, "lr": 0.1}, {"fusion": "gated", heads: 1, "lr": 0.2},
        {"fusion": "gated", heads: 2, "lr": 0.1}, {"fusion": "gated", heads: 2, "lr": 0.2},
    ]  # fmt: skip


def test_an_objective_that_is_not_reported_is_named(tmp_path):
    with pytest.raises(TrainingError, match="no trial reported 'val/f2'"):
        Driver(tmp_path, config(objective={"metric": "val/f2", "mode": "max"})).run()


def test_what_follows_a_search_may_hold_a_terminal(tmp_path):
    with (tmp_path / "terminal").open("w") as terminal:
        progress = SearchProgress(
            open_study(tmp_path, ["maximize"]), config(), DOCUMENT,
            lambda sample: tmp_path, lambda sample: EPOCHS, print, terminal.write,
        )  # fmt: skip

        assert pickle.dumps(progress)  # Tune does so with all that it is given


def test_a_trial_that_has_trained_its_last_epoch_is_complete_and_not_stopped(tmp_path):
    stop = {"kind": "asha", "grace_epochs": EPOCHS, "reduction": 2}

    records = Driver(tmp_path, config(stop=stop)).run()

    assert {(each.state, each.epochs) for each in records} == {("complete", EPOCHS)}
