"""Python in a process of its own, for what depends on which modules are loaded."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]


def die_after(seconds):
    """End this process, a fork of a test's, though it waits in C where no handler could run."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(seconds)


def wait_for(condition, *arguments, timeout_s):
    """Wait until ``condition(*arguments)`` holds; fail when that takes too long."""
    deadline = time.monotonic() + timeout_s
    while not condition(*arguments):
        assert time.monotonic() < deadline, f"{condition.__name__} does not hold"
        time.sleep(0.05)


def run_python(*words, cwd=None):
    """Run ``python ...`` with this checkout on the path, in the current folder or another."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
