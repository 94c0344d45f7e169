"""A lock of one process, seen from another."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mmray.core.process.lock import holder_of, locked

HOLD = """
import sys
from pathlib import Path
from mmray.core.process.lock import locked
with locked(Path(sys.argv[1]), on_wait=lambda holder: print(holder.describe(), flush=True)):
    print("held", flush=True)
    sys.stdin.read()
"""


def refuse(holder):
    raise AssertionError(holder)


@pytest.fixture
def hold(tmp_path):
    """Start processes that hold the lock until they are told to end."""
    started = []

    def start():
        command = [sys.executable, "-c", HOLD, str(tmp_path / ".lock")]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=Path(__file__).parents[4],
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_second_process_says_whom_it_waits_for_and_goes_on_when_that_one_ends(hold):
    first = hold()
    assert first.stdout.readline() == "held\n"

    second = hold()
    said = second.stdout.readline()
    first.stdin.close()

    assert said.startswith(f"process {first.pid} (-c ")
    assert second.stdout.readline() == "held\n"


def test_a_lock_is_free_when_its_holder_was_killed(hold, tmp_path):
    first = hold()
    first.stdout.readline()
    first.send_signal(signal.SIGKILL)
    first.wait()

    with locked(tmp_path / ".lock", on_wait=refuse):
        assert json.loads((tmp_path / ".lock").read_text())["pid"] == os.getpid()
    assert (tmp_path / ".lock").read_text() == ""


def test_who_waited_for_a_lock_whose_file_was_removed_takes_the_new_one(hold, tmp_path):
    first = hold()
    first.stdout.readline()
    second = hold()
    second.stdout.readline()

    (tmp_path / ".lock").unlink()
    with locked(tmp_path / ".lock", on_wait=refuse):
        first.stdin.close()
        said = second.stdout.readline()

    assert said.startswith(f"process {os.getpid()} ")
    assert second.stdout.readline() == "held\n"


@pytest.fixture
def held_here(tmp_path):
    """Another thread holds the lock, until the event is set."""
    ready, done = threading.Event(), threading.Event()

    def hold_it():
        with locked(tmp_path / ".lock", on_wait=refuse):
            ready.set()
            done.wait(30)

    thread = threading.Thread(target=hold_it)
    thread.start()
    ready.wait(30)
    yield done
    done.set()
    thread.join()


@pytest.mark.parametrize(
    ("host", "there"), [(socket.gethostname(), ""), ("there\x1b", r" on there\x1b")]
)
def test_the_holder_is_named_as_it_wrote_itself_down(tmp_path, held_here, host, there):
    holder = {"pid": 12, "host": host, "command": "mmray train\x1b[2J", "since": "10:30:00"}
    (tmp_path / ".lock").write_text(json.dumps(holder))
    found = []

    def note(holder):
        found.append(holder.describe())
        held_here.set()

    with locked(tmp_path / ".lock", on_wait=note):
        pass

    assert found == [f"process 12{there} (mmray train\\x1b[2J), since 10:30:00"]


def test_a_process_writes_down_who_it_is_without_its_secrets(tmp_path, monkeypatch):
    command = ["/usr/lib/mmray/__main__.py", "train", "a b.yaml", "http://u:secret@host/"]
    monkeypatch.setattr(sys, "argv", command)

    with locked(tmp_path / ".lock", on_wait=refuse):
        written = json.loads((tmp_path / ".lock").read_text())

    assert written["command"].startswith("mmray train 'a b.yaml' ")
    assert "secret" not in written["command"]
    assert (written["pid"], written["host"]) == (os.getpid(), socket.gethostname())
    assert time.strptime(written["since"], "%H:%M:%S")


@pytest.mark.parametrize("written", ["", "{", '{"pid": 1}', "[]"])
def test_a_holder_that_cannot_be_read_is_nobody_known(tmp_path, hold, written):
    first = hold()
    first.stdout.readline()
    (tmp_path / ".lock").write_text(written)
    found = []

    def note(holder):
        found.append(holder)
        first.stdin.close()

    with locked(tmp_path / ".lock", on_wait=note):
        pass

    assert found == [None]


def test_the_holder_can_be_asked_for_without_waiting_and_one_that_was_killed_is_none(
    hold, tmp_path
):
    assert holder_of(tmp_path / ".lock") is None
    first = hold()
    first.stdout.readline()

    assert holder_of(tmp_path / ".lock").pid == first.pid

    first.send_signal(signal.SIGKILL)
    first.wait()
    assert holder_of(tmp_path / ".lock") is None
    assert (tmp_path / ".lock").read_text() != ""
