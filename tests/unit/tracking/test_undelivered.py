"""What a server could not be told while it was away, and epochs that it was told before."""

import logging

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from mmray.errors import ClusterError
from mmray.tracking.open import tracking
from mmray.tracking.run import MLflowRun
from mmray.tracking.store import MLflowTracker
from mmray.tracking.tracker import UNDELIVERED
from tests.support.document import make_config


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db"


@pytest.fixture
def client(uri):
    return MlflowClient(tracking_uri=uri)


@pytest.fixture
def open_tracker(uri, tmp_path):
    def open_once():
        tracker = MLflowTracker(uri=uri, experiment=tmp_path.name, name="pets", workspace=tmp_path)
        tracker.identify("k")
        return tracker

    return open_once


class DeadClient:
    """Of a server that has died."""

    def log_batch(self, *_, **__):
        raise MlflowException("connection refused")

    set_terminated = get_metric_history = search_runs = log_batch


def test_a_run_that_ended_while_the_server_was_away_is_not_taken_for_killed(
    open_tracker, client, tmp_path
):
    run_id = open_tracker().parent().run_id
    run = MLflowRun(DeadClient(), run_id, tmp_path / UNDELIVERED)
    run.log_metrics({"loss": 0.5}, step=1)
    run.end("FINISHED")

    open_tracker()

    ended = client.get_run(run_id)
    assert (ended.info.status, ended.data.metrics) == ("FINISHED", {"loss": 0.5})
    assert not (tmp_path / UNDELIVERED).exists()


def test_a_command_with_nothing_to_do_delivers_what_waits(open_tracker, client, uri, tmp_path):
    run_id = open_tracker().parent().run_id
    MLflowRun(DeadClient(), run_id, tmp_path / UNDELIVERED).end("FINISHED")
    config = make_config(
        workspace=str(tmp_path), tracking={"uri": uri, "experiment": tmp_path.name}
    )

    with tracking(config):
        pass

    assert client.get_run(run_id).info.status == "FINISHED"


def test_a_command_with_nothing_to_do_ends_well_while_the_server_is_still_away(
    tmp_path, monkeypatch, caplog
):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    config = make_config(workspace=str(tmp_path), tracking={"uri": "http://127.0.0.1:9/none"})
    MLflowRun(DeadClient(), "r", tmp_path / UNDELIVERED).end("FINISHED")

    with caplog.at_level(logging.WARNING), tracking(config):
        pass

    assert "the tracking store does not answer" in caplog.text
    assert (tmp_path / UNDELIVERED).read_text().count("FINISHED") == 1


@pytest.mark.parametrize(
    "broken",
    [b"", b"{\n", b"\xff\xfe\n", b"[]\n", b"{}\n", b'{"status": "BORED"}\n', b"[" * 9999 + b"\n",
     b'{"run_id": "r", "key": "loss", "value": "x", "step": 1, "timestamp": 1}\n'],
)  # fmt: skip
def test_lines_that_cannot_be_read_are_dropped_with_a_word_and_the_rest_arrives(
    open_tracker, client, tmp_path, caplog, broken
):
    run_id = open_tracker().parent().run_id
    run = MLflowRun(DeadClient(), run_id, tmp_path / UNDELIVERED)
    run.log_metrics({"loss": 0.5}, step=1)
    run.end("FINISHED")
    whole = (tmp_path / UNDELIVERED).read_bytes()
    (tmp_path / UNDELIVERED).write_bytes(broken + whole)

    open_tracker()

    assert client.get_run(run_id).data.metrics == {"loss": 0.5}
    assert ("1 lines of" in caplog.text) == bool(broken)


def test_an_epoch_that_an_earlier_process_has_logged_is_not_logged_twice(open_tracker, client):
    first = open_tracker().child("fusion")
    for epoch in (1, 2):
        first.log_metrics({"val/loss": epoch / 10}, step=epoch)
    first.log_metrics({"test/accuracy": 0.5})

    again = open_tracker().child("fusion")
    for epoch in (1, 2, 3):
        again.log_metrics({"val/loss": epoch / 10}, step=epoch)
    again.log_metrics({"test/accuracy": 0.75})

    history = client.get_metric_history(again.run_id, "val/loss")
    assert again.run_id == first.run_id
    assert [(metric.step, metric.value) for metric in history] == [(1, 0.1), (2, 0.2), (3, 0.3)]
    assert client.get_run(again.run_id).data.metrics["test/accuracy"] == 0.75


def test_a_training_that_starts_anew_has_a_run_of_its_own(open_tracker):
    first = open_tracker().child("fusion").run_id
    assert open_tracker().child("fusion", is_new=True).run_id == first
    open_tracker().child("fusion").log_metrics({"val/loss": 0.5}, step=1)

    tracker = open_tracker()
    second = tracker.child("fusion", is_new=True).run_id

    assert second != first
    assert tracker.child("fusion").run_id == second
    assert open_tracker().child("fusion").run_id == second


def test_a_server_that_dies_after_the_opening_is_told_and_no_traceback(open_tracker):
    tracker = open_tracker()
    tracker._client = DeadClient()

    with pytest.raises(ClusterError, match="connection refused"):
        tracker.parent()
