"""Making ready for an extraction."""

import threading

import pytest

from mmray.errors import ClusterError
from mmray.stages.computing import OnRay, run_in_thread
from tests.support.document import make_config


def test_what_runs_beside_gives_its_result_and_its_error():
    def fail():
        raise ValueError("this corpus teaches nothing")

    assert run_in_thread(lambda: threading.current_thread().name).result() != "MainThread"
    with pytest.raises(ValueError, match="teaches nothing"):
        run_in_thread(fail).result()


def test_an_unreachable_cluster_is_told_at_once_and_what_runs_beside_is_finished():
    config = make_config(runtime={"mode": "cluster", "address": "127.0.0.1:1"})
    done = []

    def learn(stop):
        assert sum(range(10_000_000))  # takes longer than to be refused
        done.append(stop.is_set())

    with pytest.raises(ClusterError, match="cannot connect to Ray"):
        OnRay().beside(config, learn)
    assert done == [False]
