"""A model that is registered after its run has ended."""

import pytest
from mlflow import MlflowClient
from mlflow.entities import LoggedModelOutput

from mmray.tracking.store import MLflowTracker


@pytest.fixture
def open_run(tmp_path):
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"

    def open_once():
        tracker = MLflowTracker(uri=uri, experiment="e", name="pets", workspace=tmp_path)
        tracker.identify("k")
        return MlflowClient(tracking_uri=uri), tracker.child("fusion")

    return open_once


def test_a_model_of_an_earlier_process_is_registered_once_under_each_name(open_run, caplog, capsys):
    client, run = open_run()
    assert run.register("pets") is False
    info = client.get_run(run.run_id).info
    model = client.create_logged_model(info.experiment_id, "model", source_run_id=run.run_id)
    client.log_outputs(run.run_id, [LoggedModelOutput(model.model_id, 0)])
    client.finalize_logged_model(model.model_id, "READY")
    run.end()

    client, run = open_run()
    caplog.set_level("INFO", "mmray")
    assert [run.register(name) for name in ("pets", "pets", "other's")] == [True] * 3

    versions = client.search_model_versions(f"run_id='{run.run_id}'")
    assert sorted((each.name, int(each.version)) for each in versions) == [
        ("other's", 1), ("pets", 1),
    ]  # fmt: skip
    assert caplog.text.count("the model is version 1 of 'pets'") == 2
    assert "Created version" not in capsys.readouterr().err
