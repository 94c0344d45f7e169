"""How a search ends when it does not end well, and what fits at a time, without Tune's part."""

from types import SimpleNamespace

import pytest
from ray.tune.error import TuneError

from mmray.config.training.search import SearchConfig
from mmray.config.training.train import TrainConfig
from mmray.distributed.node.session import ClusterSize
from mmray.distributed.search.adapter import Room, StudySearcher, _reason
from mmray.distributed.search.searching import (
    DRIVER_CPUS,
    _checked,
    _fit,
    _room,
    plan_trials,
)
from mmray.errors import DiskFullError, TrainingError
from mmray.search.record import TrialRecord

SEARCH = SearchConfig(trials=12, objective={"metric": "val/loss"})


class Tuner:
    """Ends as it is told to."""

    def __init__(self, error):
        self._error = error

    def fit(self):
        print("a table of Tune's own")
        raise self._error


def failed(number, reason):
    return TrialRecord(
        number=number, sample={}, state="failed", values=(), epochs=0, seconds=0.0,
        reason=reason, started=0.0, folder="", parameters=None, latency_ms=None,
    )  # fmt: skip


def test_a_search_that_is_stopped_is_no_success_and_says_how_far_it_was(capsys):
    progress = SimpleNamespace(num_ended=1, search=SEARCH)

    with pytest.raises(KeyboardInterrupt) as info:
        _fit(Tuner(KeyboardInterrupt()), progress)

    assert info.value.__notes__ == ["after 1 of 12 trials"]
    assert capsys.readouterr().out == ""


def test_an_error_of_ours_stays_one_though_tune_wraps_it():
    wrapped = TuneError("Traceback (most recent call last): ...")
    wrapped.__context__ = DiskFullError("no space left")

    with pytest.raises(DiskFullError):
        _fit(Tuner(wrapped), SimpleNamespace())


def test_if_all_trials_failed_their_reasons_are_the_hint():
    records = [failed(1, "worker 0 failed"), failed(2, "no room"), failed(3, "no room")]

    with pytest.raises(TrainingError, match="no trial reported 'val/loss'") as info:
        _checked(records, SEARCH)

    assert info.value.hint == "no room; worker 0 failed"


@pytest.mark.parametrize(
    ("train", "search", "size", "expected"),
    [
        ({}, {}, ClusterSize(8, 0), (8, 1, 1.0, False)),
        ({}, {"concurrent": 2}, ClusterSize(8, 0), (2, 1, 4.0, False)),
        ({}, {}, ClusterSize(8, 4), (4, 1, 2.0, True)),
        ({"workers": 2}, {}, ClusterSize(8, 4), (4, 1, 2.0, True)),
        ({"workers": 2, "parallel": "fsdp"}, {}, ClusterSize(8, 4), (2, 2, 1.95, True)),
        ({}, {"workers": 2}, ClusterSize(8, 4), (2, 2, 1.95, True)),
        ({}, {"workers": 2, "concurrent": 1}, ClusterSize(2, 0), (1, 2, 0.95, False)),
        ({}, {"trials": 3}, ClusterSize(8, 0), (3, 1, 2.66, False)),
    ],
)
def test_the_cluster_is_shared_between_the_trials_that_fit(train, search, size, expected):
    search = SearchConfig(**{"trials": 12} | search)

    concurrent, share = plan_trials(search, TrainConfig(**train), size)

    assert (concurrent, share.workers, share.cpus, share.use_gpu) == expected


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("size", [ClusterSize(2, 0), ClusterSize(7, 0), ClusterSize(64, 0)])
def test_what_is_reserved_for_trials_at_a_time_is_never_more_than_there_is(workers, size):
    search = SearchConfig(trials=100, workers=workers)

    concurrent, share = plan_trials(search, TrainConfig(), size)

    leads = 0.0 if workers == 1 else DRIVER_CPUS
    assert _room(search, share, concurrent, size) == concurrent
    assert concurrent * (workers * share.cpus + leads) <= size.cpus


@pytest.mark.parametrize(
    ("peak_gib", "expected"), [(0.0, 8), (1.0, 8), (3.0, 5), (16.1, 1)], ids=str
)
def test_no_more_trials_run_than_their_memory_allows(monkeypatch, peak_gib, expected):
    size = ClusterSize(8, 0, memory_gib=16.0)
    monkeypatch.setattr("mmray.distributed.search.adapter.cluster_size", lambda: size)

    room = Room(lambda size: size.cpus, peak_bytes=int(peak_gib * 2**30))

    assert room.trials() == expected


def test_no_trial_is_begun_while_there_is_no_room():
    begun = []
    progress = SimpleNamespace(running={1, 2}, begin=lambda: begun.append(1))

    assert StudySearcher(progress, SimpleNamespace(trials=lambda: 2)).suggest("a") is None
    assert StudySearcher(progress, SimpleNamespace(trials=lambda: 3)).suggest("a") == "FINISHED"
    assert begun == [1]


def test_the_reason_of_a_lost_process_is_its_last_line_or_that_there_is_none(tmp_path):
    path = tmp_path / "error.txt"
    path.write_text("Failure # 1\nTraceback ...\nRayActorError: the node died\n\n")

    assert _reason(SimpleNamespace(error_file=str(path))) == "RayActorError: the node died"
    silent = SimpleNamespace(error_file=None, get_error=lambda: None)
    assert _reason(silent) == "its process ended without a message"
