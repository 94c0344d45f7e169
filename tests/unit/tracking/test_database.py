"""A store that is a SQLite file: made once and whole, moved, damaged and locked."""

import logging
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.tracking._tracking_service.utils import _artifact_repos_cache

from mmray.errors import ClusterError
from mmray.tracking import database
from mmray.tracking.database import database_file, open_database
from mmray.tracking.store import MLflowTracker
from mmray.tracking.ui import serve
from tests.support.document import make_config

ROOT = Path(__file__).parents[3]
OPEN = """
import sys
from pathlib import Path
from mmray.tracking.database import database_file, open_database
open_database(sys.argv[1], database_file(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The bytes of a store, since making its tables takes a second."""
    file = tmp_path_factory.mktemp("made") / "mlflow.db"
    open_database(f"sqlite:///{file}", file)
    return file.read_bytes()


@pytest.fixture
def workspace(tmp_path, made):
    folder = tmp_path / "a project" / "work"
    folder.mkdir(parents=True)
    (folder / "mlflow.db").write_bytes(made)
    return folder


def open_tracker(workspace, key="k"):
    """Open the tracker as a process of its own would."""
    _artifact_repos_cache.clear()
    uri = f"sqlite:///{workspace / 'mlflow.db'}"
    tracker = MLflowTracker(uri=uri, experiment="e", name="pets", workspace=workspace)
    tracker.identify(key)
    return tracker


def start(workspace):
    """Open the store in a process of its own."""
    command = [sys.executable, "-c", OPEN, f"sqlite:///{workspace / 'mlflow.db'}"]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("uri", "file"),
    [
        ("sqlite:///work/mlflow.db", "work/mlflow.db"),
        ("sqlite:////work/a%20b.db", "/work/a b.db"),
        ("sqlite:///:memory:", None),
        ("http://server:5000", None),
        ("file:///work/mlruns", None),
        ("no store", None),
    ],
)
def test_the_file_of_a_store_is_known_by_its_uri(uri, file):
    assert database_file(uri) == (None if file is None else Path(file))


# --- making ---------------------------------------------------------------------------------


def test_processes_that_come_at_once_make_one_store(tmp_path):
    processes = [start(tmp_path) for _ in range(2)]

    said = [process.communicate()[1] for process in processes]

    assert [process.returncode for process in processes] == [0, 0], said
    assert "".join(said).count("Creating initial MLflow database tables") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [".mlflow.db.lock", "mlflow.db"]


def test_a_process_that_is_killed_while_it_makes_the_store_leaves_nothing_that_counts(tmp_path):
    process = start(tmp_path)
    deadline = time.monotonic() + 60
    while not any(path.stat().st_size for path in tmp_path.glob(".mlflow.db.*.tmp")):
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (tmp_path / "mlflow.db").exists()

    open_tracker(tmp_path).parent()

    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == [".mlflow.db.lock", "mlflow.db"]


def test_an_empty_file_is_no_store_yet(tmp_path):
    (tmp_path / "mlflow.db").touch()

    open_tracker(tmp_path).parent()

    assert (tmp_path / "mlflow.db").stat().st_size > 100_000


# --- damage ---------------------------------------------------------------------------------


def interrupt(file):
    """Leave what MLflow leaves when it is killed while it makes the tables."""
    file.unlink()
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE experiments (experiment_id INTEGER)")
    connection.close()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (
            lambda file: file.write_bytes(b"garbage" * 9999),
            "cannot be read: file is not a database",
        ),
        (lambda file: os.truncate(file, 50), "is cut: a part of the file is missing"),
        (lambda file: os.truncate(file, 100_000), "is cut: a part of the file is missing"),
        (interrupt, "is incomplete: its creation was interrupted"),
        (lambda file: (file.unlink(), file.mkdir()), "cannot be read"),
    ],
    ids=["garbage", "cut in the header", "cut", "half made", "a folder"],
)
def test_a_damaged_store_is_named_with_what_to_do(workspace, damage, said):
    file = workspace / "mlflow.db"
    damage(file)

    with pytest.raises(ClusterError) as caught:
        open_tracker(workspace)

    assert said in str(caught.value)
    assert caught.value.where == str(file)
    assert "move this file away and run again" in caught.value.hint


def test_damage_that_only_a_query_meets_is_told_as_well(workspace):
    file = workspace / "mlflow.db"
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TABLE runs")
    connection.close()

    with pytest.raises(ClusterError, match="the tracking store cannot be used"):
        open_tracker(workspace)


# --- locks ----------------------------------------------------------------------------------


@pytest.fixture
def lock(workspace, monkeypatch):
    """Another program that writes; it lets go when told to."""
    monkeypatch.setattr(database, "PATIENCE_S", 0.1)
    connection = sqlite3.connect(workspace / "mlflow.db", check_same_thread=False)
    connection.execute("BEGIN EXCLUSIVE")
    yield connection
    connection.close()


def test_a_locked_store_is_waited_for_with_a_line(workspace, lock, caplog):
    threading.Timer(0.5, lock.rollback).start()

    with caplog.at_level(logging.WARNING):
        open_tracker(workspace).parent()

    assert "another program has locked" in caplog.text


def test_a_store_that_stays_locked_is_told_with_what_to_do(workspace, lock, monkeypatch):
    monkeypatch.setattr(database, "LOCK_S", 0.2)

    with pytest.raises(ClusterError, match="locked by another program") as caught:
        open_tracker(workspace)

    assert "fuser" in caught.value.hint


# --- a workspace that is moved ----------------------------------------------------------------


@pytest.fixture
def log_file(tmp_path):
    def log(run):
        (tmp_path / "found.txt").write_text("42")
        run.log_file(tmp_path / "found.txt")
        return run.run_id

    return log


def test_a_renamed_workspace_keeps_its_runs_and_their_files(workspace, tmp_path, log_file):
    before = open_tracker(workspace)
    known = log_file(before.parent()), before.child("fusion").run_id  # left open: it was killed
    place = workspace.parent.rename(tmp_path / "renamed") / "work"

    after = open_tracker(place)
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path}/renamed/work/mlflow.db")

    assert client.get_run(known[1]).info.status == "KILLED"
    assert (log_file(after.parent()), after.child("fusion").run_id) == known
    assert [file.path for file in client.list_artifacts(known[0])] == ["found.txt"]
    assert log_file(after.child("text alone")) not in known
    assert not workspace.parent.exists()


def test_a_copied_workspace_writes_nothing_into_the_one_it_was_copied_from(
    workspace, tmp_path, log_file
):
    log_file(open_tracker(workspace).parent())
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", workspace, copy], check=True)
    before = sorted(workspace.rglob("*"))

    log_file(open_tracker(copy, key="other").parent())

    assert sorted(workspace.rglob("*")) == before
    assert len(list((copy / "mlartifacts").rglob("found.txt"))) == 2


def test_the_ui_says_of_a_damaged_store_what_to_do(workspace):
    os.truncate(workspace / "mlflow.db", 100_000)

    with pytest.raises(ClusterError, match="is cut") as caught:
        serve(make_config(workspace=str(workspace)), host="127.0.0.1", port=None)

    assert "move this file away" in caught.value.hint
