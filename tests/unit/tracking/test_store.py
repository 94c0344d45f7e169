import json
import logging
import os

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from mmray.errors import ClusterError
from mmray.tracking.open import tracking
from mmray.tracking.run import MLflowRun, fluent
from mmray.tracking.store import MLflowTracker
from mmray.tracking.tracker import UNDELIVERED
from tests.support.document import make_config


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    """One store for all tests, since making its tables takes seconds; each has a workspace."""
    return f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db"


@pytest.fixture
def client(uri):
    return MlflowClient(tracking_uri=uri)


@pytest.fixture
def workspace(tmp_path):
    folder = tmp_path / "o'brien's work"
    folder.mkdir()
    return folder


@pytest.fixture
def open_tracker(uri, workspace):
    """Open the workspace's tracker as a process of its own would."""

    def open_once(key="k", experiment=None):
        experiment = experiment or str(workspace.parent.name)
        tracker = MLflowTracker(uri=uri, experiment=experiment, name="pets", workspace=workspace)
        tracker.identify(key)
        return tracker

    return open_once


class AwayClient:
    """As much of a client as metrics need, of a server that is away at first."""

    def __init__(self, away=0, refuses=None):
        self.away = away
        self.refuses = refuses or (lambda metrics: False)
        self.delivered = []
        self.ended = None

    def log_batch(self, run_id, metrics):
        if self.away or self.refuses(metrics):
            self.away = max(0, self.away - 1)
            raise MlflowException("connection refused")
        self.delivered += [(m.key, m.value, m.step) for m in metrics]

    def set_terminated(self, run_id, status):
        self.ended = status


# --- runs -----------------------------------------------------------------------------------


def test_a_workflow_is_a_run_with_its_trainings_as_children(open_tracker, client):
    tracker = open_tracker()
    parent, child = tracker.parent(), tracker.child("fusion")

    tags = client.get_run(child.run_id).data.tags
    assert tags["mlflow.parentRunId"] == parent.run_id
    assert tags["mlflow.runName"] == "fusion"
    assert client.get_run(parent.run_id).info.run_name == "pets"
    assert tracker.child("fusion") is child
    assert tracker.child("text alone").run_id not in (parent.run_id, child.run_id)


def test_trainings_of_further_seeds_are_inside_the_run_of_the_first(open_tracker, client):
    tracker = open_tracker()
    first, other = tracker.child("fusion"), tracker.child("fusion, seed 1", under="fusion")

    assert client.get_run(other.run_id).data.tags["mlflow.parentRunId"] == first.run_id
    again = open_tracker()
    assert again.child("fusion, seed 1", under="fusion").run_id == other.run_id


def test_a_run_lasts_as_long_as_its_training_whenever_it_is_closed(open_tracker, client):
    tracker = open_tracker()
    run = tracker.child("text alone", started=1_700_000_000.0)

    run.spent(12.5)
    tracker.close()

    info = client.get_run(run.run_id).info
    assert info.start_time == 1_700_000_000_000
    assert info.end_time - info.start_time == 12_500
    assert info.status == "FINISHED"


def test_a_description_is_what_the_store_shows_first(open_tracker, client):
    run = open_tracker().parent()

    run.describe("**better** by 3 points")

    tags = client.get_run(run.run_id).data.tags
    assert tags["mlflow.note.content"] == "**better** by 3 points"


def test_sections_of_a_description_are_replaced_one_by_one(open_tracker, client):
    run = open_tracker().parent()

    for text in ("- trial 1", "- trial 2\n- 12 trials"):
        run.describe(text, section="search")
    for text in ("worse", "better"):
        run.describe(text)

    tags = client.get_run(run.run_id).data.tags
    assert tags["mlflow.note.content"] == ("better\n\n<!-- search -->\n\n- trial 2\n- 12 trials")


def test_settings_are_flat_and_a_setting_that_is_there_stays(open_tracker, client):
    run = open_tracker().parent()

    run.log_params({"train": {"lr": 0.1, "early_stop": None}, "allow": ["a", "b"], "x": "y" * 900})
    run.log_params({"train": {"lr": 0.2, "epochs": 3}})

    assert client.get_run(run.run_id).data.params == {
        "train.lr": "0.1",
        "train.epochs": "3",
        "allow": "['a', 'b']",
        "x": "y" * 500,
    }


def test_more_settings_than_one_request_takes_are_all_logged(open_tracker, client):
    run = open_tracker().parent()

    run.log_params({f"key{number}": number for number in range(250)})

    assert len(client.get_run(run.run_id).data.params) == 250


def test_metrics_land_on_their_run_with_their_step(open_tracker, client):
    tracker = open_tracker()

    tracker.parent().log_metrics({"seconds": 9})
    for epoch, loss in enumerate((0.5, 0.25), start=1):
        tracker.child("fusion").log_metrics({"val/loss": loss}, step=epoch)

    history = client.get_metric_history(tracker.child("fusion").run_id, "val/loss")
    assert [(metric.step, metric.value) for metric in history] == [(1, 0.5), (2, 0.25)]
    assert client.get_run(tracker.parent().run_id).data.metrics == {"seconds": 9.0}


def test_the_same_document_and_corpus_go_on_in_the_same_runs(open_tracker, client):
    first = open_tracker(key="same")
    ids = first.parent().run_id, first.child("it's fusion").run_id
    first.close()

    second = open_tracker(key="same")

    assert (second.parent().run_id, second.child("it's fusion").run_id) == ids
    assert client.get_run(ids[1]).info.status == "RUNNING"


@pytest.mark.parametrize("change", ["key", "deleted", "experiment"])
def test_another_document_or_a_run_that_was_deleted_opens_a_new_run(open_tracker, client, change):
    first = open_tracker(key="one").parent().run_id
    if change == "deleted":
        client.delete_run(first)

    second = open_tracker(
        key="two" if change == "key" else "one",
        experiment="pets-elsewhere" if change == "experiment" else None,
    )

    assert second.parent().run_id != first


def test_runs_that_an_earlier_process_left_open_are_killed_at_the_next_opening(
    open_tracker, client, uri, tmp_path
):
    left = open_tracker(key="one")
    stale = left.parent().run_id, left.child("fusion").run_id
    beside = tmp_path / "beside"
    beside.mkdir()
    other = MLflowTracker(uri=uri, experiment=tmp_path.name, name="pets", workspace=beside)
    others = other.parent().run_id

    open_tracker(key="two")

    assert [client.get_run(run).info.status for run in stale] == ["KILLED", "KILLED"]
    assert client.get_run(others).info.status == "RUNNING"


def test_a_run_that_was_closed_keeps_its_status_and_its_tags(open_tracker, client):
    tracker = open_tracker()
    run = tracker.child("trial 01")

    run.log_tags({"state": "running"})
    run.log_tags({"state": "failed", "reason": "at https://me:pass@host/"})
    run.end("FAILED")
    tracker.close()

    found = client.get_run(run.run_id)
    assert found.info.status == "FAILED"
    assert found.data.tags["state"] == "failed"
    assert found.data.tags["reason"] == "at https://***@host/"


@pytest.mark.parametrize("status", ["FINISHED", "FAILED", "KILLED"])
def test_closing_ends_every_run_with_its_status(open_tracker, client, status):
    tracker = open_tracker()
    runs = tracker.parent().run_id, tracker.child("fusion").run_id

    tracker.close(status)

    assert [client.get_run(run).info.status for run in runs] == [status, status]


@pytest.mark.parametrize(
    ("failure", "status"), [(None, "FINISHED"), (ClusterError("x"), "FAILED"),
                            (KeyboardInterrupt(), "KILLED")],
)  # fmt: skip
def test_a_block_gives_its_runs_the_status_that_it_deserves(
    uri, client, workspace, failure, status
):
    config = make_config(workspace=str(workspace), tracking={"uri": uri})

    def work():
        with tracking(config) as tracker:
            tracker.identify("k")
            runs.append(tracker.child("fusion").run_id)
            if failure:
                raise failure

    runs = []
    if failure:
        with pytest.raises(type(failure)):
            work()
    else:
        work()

    assert client.get_run(runs[0]).info.status == status


def test_a_dataset_and_a_file_are_kept_with_the_run(open_tracker, client, tmp_path):
    run = open_tracker().parent()
    (tmp_path / "table.csv").write_text("a,b\n")

    run.log_file(tmp_path / "table.csv", folder="rejections/text")
    run.log_dataset({"name": "pets", "digest": "f0", "source": "m.jsonl", "samples": 3})

    logged = client.get_run(run.run_id).inputs.dataset_inputs[0].dataset
    assert (logged.name, logged.digest) == ("pets", "f0")
    assert json.loads(logged.source) == {"uri": "m.jsonl"}
    assert json.loads(logged.profile)["samples"] == 3
    found = client.list_artifacts(run.run_id, "rejections/text")
    assert [file.path for file in found] == ["rejections/text/table.csv"]


def test_an_experiment_that_was_deleted_is_told_and_not_a_traceback(open_tracker, client, uri):
    open_tracker(experiment="gone")
    client.delete_experiment(client.get_experiment_by_name("gone").experiment_id)

    with pytest.raises(ClusterError, match="the experiment 'gone' was deleted") as caught:
        open_tracker(experiment="gone")

    assert caught.value.where == f"tracking.uri: {uri}"
    assert "tracking.experiment" in caught.value.hint


# --- a server that is away ------------------------------------------------------------------


def test_metrics_wait_while_the_server_is_away_and_are_delivered_in_order(tmp_path, caplog):
    client = AwayClient(away=2)
    run = MLflowRun(client, "r", tmp_path / UNDELIVERED)

    with caplog.at_level(logging.WARNING):
        for epoch in (1, 2, 3):
            run.log_metrics({"loss": epoch / 10}, step=epoch)
    run.end()

    assert client.delivered == [("loss", 0.1, 1), ("loss", 0.2, 2), ("loss", 0.3, 3)]
    assert "2 metrics wait for the tracking server: connection refused" in caplog.text
    assert not (tmp_path / UNDELIVERED).exists()
    assert client.ended == "FINISHED"


def test_what_was_delivered_before_the_server_went_away_is_not_sent_again(tmp_path):
    client = AwayClient(refuses=lambda metrics: len(metrics) < 1000)
    run = MLflowRun(client, "r", tmp_path / UNDELIVERED)

    run.log_metrics({f"m{number}": number for number in range(1500)})
    client.refuses = lambda metrics: False
    run.end()

    assert [name for name, _, _ in client.delivered] == [f"m{number}" for number in range(1500)]


def test_metrics_that_never_arrive_are_kept_in_a_file_and_delivered_at_the_next_opening(
    open_tracker, client, workspace
):
    tracker = open_tracker()
    run_id = tracker.parent().run_id
    away = MLflowRun(AwayClient(away=99), run_id, workspace / UNDELIVERED)
    for epoch, loss in ((1, 0.5), (2, float("nan"))):
        away.log_metrics({"loss": loss}, step=epoch)

    away.end()
    kept = (workspace / UNDELIVERED).read_text().splitlines()
    open_tracker()

    assert [json.loads(line)["step"] for line in kept] == [1, 2]
    assert not (workspace / UNDELIVERED).exists()
    history = client.get_metric_history(run_id, "loss")
    assert [metric.step for metric in history] == [1, 2]
    assert history[0].value == 0.5
    assert history[1].value != history[1].value


def test_metrics_of_a_run_that_is_gone_stay_in_the_file_and_hold_nothing_up(
    open_tracker, client, workspace, caplog
):
    run_id = open_tracker().parent().run_id
    for run, key in (("0" * 32, "lost"), (run_id, "loss")):
        away = MLflowRun(AwayClient(away=99), run, workspace / UNDELIVERED)
        away.log_metrics({key: 0.5}, step=1)
        away.end()

    open_tracker()

    assert client.get_run(run_id).data.metrics == {"loss": 0.5}
    kept = (workspace / UNDELIVERED).read_text().splitlines()
    assert [json.loads(line)["key"] for line in kept] == ["lost"]
    assert "1 entries of an earlier process were refused" in caplog.text


def test_a_store_that_does_not_answer_is_told_with_what_to_do(workspace, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(ClusterError, match="the tracking store does not answer") as caught:
        MLflowTracker(
            uri="http://127.0.0.1:9/nothing", experiment="e", name="pets", workspace=workspace
        )

    assert caught.value.where == "tracking.uri: http://127.0.0.1:9/nothing"
    assert "start the server" in caught.value.hint
    assert list(workspace.iterdir()) == []


def test_the_store_of_one_workflow_is_not_left_to_the_next_process(open_tracker, uri, monkeypatch):
    for inherited in (None, "http://elsewhere:5000"):
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        if inherited is not None:
            monkeypatch.setenv("MLFLOW_TRACKING_URI", inherited)

        open_tracker().close()
        with fluent(uri):
            assert mlflow.get_tracking_uri() == uri

        assert os.environ.get("MLFLOW_TRACKING_URI") == inherited
