"""The bundle as MLflow's model: rows keep their index, and a server reads no file of its own."""

import base64
import json
from types import SimpleNamespace

import mlflow
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.pyfunc.scoring_server import init as serve
from starlette.testclient import TestClient

from mmray.config.reading.load import check_document
from mmray.errors import BundleError
from mmray.run.bundle.example import example_record
from mmray.run.bundle.served import interface_of
from mmray.tracking.bundle_model import BundleModel, settings_of
from mmray.tracking.run import MLflowRun, fluent
from tests.support.bundle import make_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return make_bundle(tmp_path_factory.mktemp("bundle") / "model")


def log(bundle, folder, *, register_as):
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    client = MlflowClient(uri)
    experiment = client.create_experiment("pets", artifact_location=str(folder / "artifacts"))
    run_id = client.create_run(experiment).info.run_id
    document = json.loads((bundle / "bundle.json").read_text())["config"]
    interface = interface_of(check_document(document, where=""))
    MLflowRun(client, run_id, folder / "spill").log_bundle(
        bundle, interface, register_as=register_as
    )
    return client, uri


@pytest.fixture(scope="module")
def logged(bundle, tmp_path_factory):
    """The model as evaluate logs it, loaded back."""
    client, uri = log(bundle, tmp_path_factory.mktemp("store"), register_as=None)
    (experiment,) = client.search_experiments(filter_string="name = 'pets'")
    with fluent(uri):
        (model,) = mlflow.search_logged_models([experiment.experiment_id], output_format="list")
        yield mlflow.pyfunc.load_model(model.model_uri)


@pytest.fixture(scope="module")
def server(logged):
    return TestClient(serve(logged))


def ask(server, **body):
    answer = server.post("/invocations", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["predictions"]


def test_predictions_keep_their_row_of_a_shuffled_and_of_a_filtered_frame(logged):
    frame = pd.DataFrame({"note": ["a cat", None, "a dog", None], "age": [1, 2, 3, None]})
    expected = logged.predict(frame)["animal"]

    shuffled = frame.iloc[[2, 0, 3, 1]]
    assert (
        shuffled.assign(found=logged.predict(shuffled)["animal"])
        .found.sort_index()
        .equals(expected.rename("found"))
    )
    named = frame[frame.note.notna()].set_index(pd.Index(["x", "y"]))
    assert list(logged.predict(named).index) == ["x", "y"]


def test_a_model_that_is_registered_when_it_is_logged_can_be_loaded_by_its_name(
    bundle, tmp_path, caplog, capfd
):
    caplog.set_level("INFO", "mmray")

    client, uri = log(bundle, tmp_path, register_as="pets")

    with fluent(uri):
        model = mlflow.pyfunc.load_model("models:/pets/1")
    assert model.predict(pd.DataFrame({"note": ["a cat"]}))["animal"].notna().all()
    assert [each.version for each in client.search_model_versions("name='pets'")] in ([1], ["1"])
    assert "the model is version 1 of 'pets'" in caplog.text
    printed = capfd.readouterr()
    assert "registered model" not in printed.out + printed.err


def test_every_column_is_there_with_no_usable_row_and_with_no_row(logged):
    nothing = logged.predict(pd.DataFrame({"note": [None], "age": [None]}))
    none_at_all = logged.predict(pd.DataFrame({"note": []}))

    columns = logged.metadata.get_output_schema().input_names()
    assert list(nothing.columns) == list(none_at_all.columns) == columns
    assert nothing["animal"][0] is None
    assert (len(nothing), len(none_at_all)) == (1, 0)


def test_the_example_that_is_logged_gives_a_prediction_of_all_modalities(logged):
    found = logged.predict(logged.input_example)

    assert found["present"][0] == ["text", "image", "table"]
    assert found["rejected"][0] == "{}"


def test_a_picture_by_http_in_base64_is_answered_with_probabilities(server, logged):
    uri = logged.input_example["photo"][0]
    (one,), (other,) = (
        ask(server, dataframe_records=[{"photo": photo}]) for photo in (uri, uri.split(",")[1])
    )

    assert one == other
    assert one["present"] == ["image"]
    assert sum(one["animal_probabilities"].values()) == pytest.approx(1.0, abs=1e-5)
    assert one["size_low"] <= one["size"] <= one["size_high"]


def test_a_record_by_http_gets_one_answer_whatever_it_holds(server):
    for record in ({"foto": "x", "note": None}, {"photo": 7}, {"age": [1]}):
        assert len(ask(server, dataframe_records=[record, record])) == 2
    nothing, something = ask(server, dataframe_records=[{"foto": "x"}, {"age": 1}])
    assert nothing["size"] is nothing["animal"] is nothing["animal_probabilities"] is None
    assert something["size"] is not None


def test_records_of_unknown_columns_alone_are_refused_by_name(server):
    answer = server.post("/invocations", json={"dataframe_records": [{"foto": "x"}]})

    assert answer.status_code == 400
    assert "no column of these records is an input of the model: note, photo" in answer.text


def test_no_path_is_read_by_http(server, tmp_path):
    (tmp_path / "secret.png").write_bytes(base64.b64decode("iVBORw0KGgo="))
    for path in (f"{tmp_path}/secret.png", f"file://{tmp_path}/secret.png", "http://127.0.0.1/x"):
        (row,) = ask(server, dataframe_records=[{"photo": path}])
        assert json.loads(row["rejected"])["image"]["reason"] == "not_base64"


def test_a_folder_is_read_when_the_server_names_it(bundle, tmp_path):
    code = example_record(check_document(
        json.loads((bundle / "bundle.json").read_text())["config"], where=""))["photo"]  # fmt: skip
    (tmp_path / "a.png").write_bytes(base64.b64decode(code.split(",")[1]))
    model = BundleModel()
    model.load_context(
        SimpleNamespace(artifacts={"bundle": str(bundle)}, model_config={"folder": str(tmp_path)})
    )

    assert model.predict(None, [{"photo": "a.png"}])["present"][0] == ["image"]
    assert model.predict(None, {"photo": "/etc/passwd"})["present"][0] == []


def test_settings_come_from_the_model_config_or_the_environment():
    told = {"MMRAY_TRUST": "1", "MMRAY_FOLDER": "/data", "MMRAY_ALLOW": "s3://a/, /more"}

    assert settings_of({"trust": False, "folder": ""}, told) == {
        "trust": True, "folder": "/data", "allow": ["s3://a/", "/more"],
    }  # fmt: skip
    assert settings_of({}, {}) == {"trust": False, "folder": "", "allow": []}
    assert settings_of({"trust": "yes"}, {})["trust"] is False
    assert settings_of({"folder": "/other", "allow": ["/x"]}, told)["allow"] == ["/x"]


def test_code_that_a_document_names_is_refused_where_mlflow_loads_it(tmp_path):
    from tests.unit.run.test_foreign_code import ANIMAL, CUSTOM, FACTORY

    (tmp_path / "theirs.py").write_text(FACTORY)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        bundle = make_bundle(tmp_path / "model", modalities=CUSTOM, tasks=ANIMAL)

    with pytest.raises(BundleError, match="'theirs:make'"):
        BundleModel().load_context(
            SimpleNamespace(artifacts={"bundle": str(bundle)}, model_config={})
        )
