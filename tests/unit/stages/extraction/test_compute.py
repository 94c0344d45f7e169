"""Making ready for an extraction."""

import threading

import pytest

from mmray.core.process.thread import run_in_thread
from tests.support.process import run_python

UNREACHABLE = """
from mmray.errors import ClusterError
from mmray.stages.extraction.compute import OnRay
from tests.support.document import make_config

learnt = []

def learn(stop):
    stopped = stop.wait(1)  # takes longer than to be refused
    learnt.append(not stopped)

try:
    OnRay().beside(make_config(runtime={"mode": "cluster", "address": "127.0.0.1:1"}), learn)
except ClusterError as error:
    print(error)
print("learnt, not stopped:", *learnt)
"""


def test_what_runs_beside_gives_its_result_and_its_error():
    def fail():
        raise ValueError("this corpus teaches nothing")

    assert run_in_thread(lambda: threading.current_thread().name).result() != "MainThread"
    with pytest.raises(ValueError, match="teaches nothing"):
        run_in_thread(fail).result()


def test_an_unreachable_cluster_is_told_at_once_and_what_runs_beside_is_finished():
    done = run_python("-c", UNREACHABLE)  # this process may be connected

    assert done.returncode == 0, done.stderr
    assert "cannot connect to Ray" in done.stdout
    assert done.stdout.endswith("learnt, not stopped: True\n")
