"""Making ready for an extraction."""

import threading

import pytest

from mmray.stages.computing import run_in_thread


def test_what_runs_beside_gives_its_result_and_its_error():
    def fail():
        raise ValueError("this corpus teaches nothing")

    assert run_in_thread(lambda: threading.current_thread().name).result() != "MainThread"
    with pytest.raises(ValueError, match="teaches nothing"):
        run_in_thread(fail).result()
