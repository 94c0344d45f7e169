"""Epochs heard while a block runs, and what ends the block early."""

import json
import signal
import threading

import pytest

from mmray.distributed.training.epoch_listener import EpochListener, watching
from mmray.errors import TrainingError


@pytest.fixture
def files(tmp_path):
    path = tmp_path / "run" / "epochs.jsonl"
    path.parent.mkdir()
    line = {"run": "fusion", "seconds": 1.0, "metrics": {}}
    lines = [json.dumps(line | {"epoch": epoch}) for epoch in (1, 2)]
    path.write_text("\n".join(lines) + "\n")
    return {"fusion": path}


def train_for_ever():
    assert not threading.Event().wait(20), "nothing has ended it"


def test_each_epoch_is_heard_once_also_by_who_resumes(files, tmp_path):
    heard = []

    for _ in range(2):
        with watching(files, lambda name, line: heard.append(line["epoch"]), needed=tmp_path):
            pass

    assert heard == [1, 2]


def test_what_nobody_took_before_the_process_ended_is_passed_on_by_the_next(files):
    heard = []

    def take_one(name, line):
        if line["epoch"] == 2:
            raise ConnectionError("the process ends here")
        heard.append(line["epoch"])

    with pytest.raises(ConnectionError):
        EpochListener(files, take_one).hear()
    EpochListener(files, lambda name, line: heard.append(line["epoch"])).hear()

    assert heard == [1, 2]


@pytest.mark.parametrize("content", [b"", b"[1, 2", b"{}", b"\xff"])
def test_with_a_damaged_list_of_what_was_heard_every_epoch_is_passed_on(files, content):
    files["fusion"].with_name("heard.json").write_bytes(content)
    heard = []

    EpochListener(files, lambda name, line: heard.append(line["epoch"])).hear()

    assert heard == [1, 2]


@pytest.fixture(params=[False, True], ids=["foreground", "background"])
def ignored(request):
    """As a shell starts what a script puts in the background: with Ctrl-C ignored."""
    before = signal.getsignal(signal.SIGINT)
    if request.param:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ignored")
def test_a_training_whose_epochs_nobody_takes_is_ended(files, tmp_path):
    def refuse(name, line):
        raise ValueError("no room for epoch 1")

    with pytest.raises(ValueError, match="no room"), watching(files, refuse, needed=tmp_path):
        train_for_ever()


def test_a_training_whose_workspace_is_removed_is_ended(files, tmp_path):
    gone = tmp_path / "manifest.parquet"

    with pytest.raises(TrainingError, match="removed"), watching(files, print, needed=gone):
        train_for_ever()


def test_a_stop_by_the_user_stays_one(files, tmp_path):
    with pytest.raises(KeyboardInterrupt), watching(files, print, needed=tmp_path):
        raise KeyboardInterrupt
