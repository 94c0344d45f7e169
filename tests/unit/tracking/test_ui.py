"""The server of the MLflow UI ends with the process that started it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

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
