"""The server of the MLflow UI ends with the process that started it."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmray.errors import ClusterError
from mmray.tracking.find import latest_parent
from mmray.tracking.open import tracking, tracking_uri
from mmray.tracking.ui import PORT, _choose_port, _page
from tests.support.document import make_config

RUN = """
import os
from mmray.tracking.ui import _run_as_group
_run_as_group(["sh", "-c", "sleep 300 & echo $!; wait"], dict(os.environ))
"""


def test_ending_the_process_ends_what_the_server_started():
    process = subprocess.Popen([sys.executable, "-c", RUN], stdout=subprocess.PIPE, text=True)
    grandchild = int(process.stdout.readline())

    process.send_signal(signal.SIGTERM)

    assert process.wait(timeout=30) == 128 + signal.SIGTERM
    assert has_ended(grandchild)


def has_ended(process_id):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(process_id, 0)
        except ProcessLookupError:
            return True
        if state(process_id) == "Z":  # nobody waits for it in a container
            return True
    return False


def state(process_id):
    return Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()[0]


def test_a_port_that_is_taken_is_an_error_when_it_was_asked_for_and_else_another_is_found():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        with pytest.raises(ClusterError, match=f"127.0.0.1:{port}: Address already in use"):
            _choose_port("127.0.0.1", port)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", PORT))
            listener.listen()
        except OSError:
            pass  # somebody else has it, which is as good

        assert _choose_port("127.0.0.1", None) != PORT


def test_the_ui_opens_on_the_newest_run_of_the_workflow(tmp_path):
    config = make_config(workspace=str(tmp_path))
    for key in ("first", "second"):
        with tracking(config) as tracker:
            tracker.identify(key)
            run_id = tracker.parent().run_id
            tracker.child("fusion")

    found = latest_parent(config, tracking_uri(config))

    assert found is not None
    assert found[1] == run_id
    page = _page(config, tracking_uri(config))
    assert page == f"/#/experiments/{found[0]}/runs/{run_id}?workflowType=machine_learning"
