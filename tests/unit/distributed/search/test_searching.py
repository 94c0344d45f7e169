"""How a search ends when it does not end well, without Tune's part."""

from pathlib import Path

import pytest
from ray.tune.error import TuneError

from mmray.config.training.search import SearchConfig
from mmray.distributed.search.searching import _checked, _fit
from mmray.distributed.search.trial import TrialLog, TrialResult
from mmray.errors import DiskFullError, TrainingError

SEARCH = SearchConfig(
    objective={"metric": "val/loss"}, trials=12, space={"train.lr": {"uniform": [0, 1]}}
)


class Tuner:
    """Ends as it is told to."""

    def __init__(self, error):
        self._error = error

    def fit(self):
        print("a table of Tune's own")
        raise self._error


@pytest.fixture
def log(tmp_path):
    log = TrialLog(SEARCH.objective[0], tmp_path, Path, lambda *_: None)
    log.results = {
        "a": TrialResult(1, {}, tmp_path, has_ended=True),
        "b": TrialResult(2, {}, tmp_path),
    }
    return log


def test_a_search_that_is_stopped_is_no_success_and_says_how_far_it_was(log, capsys):
    with pytest.raises(KeyboardInterrupt) as info:
        _fit(Tuner(KeyboardInterrupt()), log, SEARCH)

    assert info.value.__notes__ == ["after 1 of 12 trials"]
    assert capsys.readouterr().out == ""


def test_an_error_of_ours_stays_one_though_tune_wraps_it(log):
    wrapped = TuneError("Traceback (most recent call last): ...")
    wrapped.__context__ = DiskFullError("no space left")

    with pytest.raises(DiskFullError):
        _fit(Tuner(wrapped), log, SEARCH)


def test_an_objective_that_is_not_reported_is_named(log):
    wrapped = TuneError("...")
    wrapped.__context__ = ValueError("did not include the specified metric(s) `val/loss`")

    with pytest.raises(TrainingError, match="no trial reported 'val/loss'"):
        _fit(Tuner(wrapped), log, SEARCH)


def test_if_all_trials_failed_their_errors_are_the_hint(log):
    log.results["b"].error = "worker 0 failed"

    with pytest.raises(TrainingError, match="worker 0 failed"):
        _checked(log.ranked(), SEARCH)
