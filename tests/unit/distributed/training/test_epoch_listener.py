"""Epochs that are heard from the files of a training."""

import json

import pytest

from mmray.distributed.training.epoch_listener import EpochListener


@pytest.fixture
def files(tmp_path):
    path = tmp_path / "run" / "epochs.jsonl"
    path.parent.mkdir()
    line = {"run": "fusion", "seconds": 1.0, "metrics": {}}
    lines = [json.dumps(line | {"epoch": epoch}) for epoch in (1, 2)]
    path.write_text("\n".join(lines) + "\n")
    return {"fusion": path}


def test_each_epoch_is_heard_once_also_by_who_resumes(files):
    heard = []

    for _ in range(2):
        listener = EpochListener(files, lambda name, line: heard.append(line["epoch"]))
        listener.hear()
        listener.hear()

    assert heard == [1, 2]


def test_an_epoch_that_comes_later_is_heard_and_so_is_one_in_a_file_that_was_replaced(files):
    heard = []
    listener = EpochListener(files, lambda name, line: heard.append(line["epoch"]))
    path = files["fusion"]
    line = {"run": "fusion", "seconds": 1.0, "metrics": {}}

    for epoch in (3, 4):
        listener.hear()
        whole = path.read_text() + json.dumps(line | {"epoch": epoch}) + "\n"
        path.with_name("new").write_text(whole)
        path.with_name("new").replace(path)
    with path.open("a") as stream:
        stream.write(json.dumps(line | {"epoch": 5}) + "\n")
    listener.hear()

    assert heard == [1, 2, 3, 4, 5]


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
