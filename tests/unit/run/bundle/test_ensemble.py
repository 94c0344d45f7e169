"""A bundle of several models predicts their weighted mean."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

import mmray
from mmray.errors import BundleError
from mmray.run.bundle.served import output_columns, to_columns
from mmray.run.predict.mean import mean_outputs
from tests.support.bundle import make_bundle, reseal

RECORDS = [{"note": "a small cat", "age": 4, "sex": "f"}, {"note": "the dog"}, {}]


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return make_bundle(tmp_path_factory.mktemp("sound") / "model", weights=(0.25, 0.75))


@pytest.fixture
def bundle(sound, tmp_path):
    return shutil.copytree(sound, tmp_path / "model")


def alone(sound, folder, number):
    """One model of the ensemble as a bundle of its own."""
    shutil.copytree(sound, folder)
    for name in ("bundle.json", "model.safetensors"):
        if number > 1:
            shutil.copy(folder / "members" / str(number) / name, folder / name)
    shutil.rmtree(folder / "members")
    document = json.loads((folder / "bundle.json").read_text())
    document.pop("weights", None)
    (folder / "bundle.json").write_text(json.dumps(document))
    reseal(folder)
    return folder


def probabilities(rows):
    """Probabilities of the animal of each record that has any payload (N, C)."""
    return np.array(
        [list(row["predictions"]["animal"]["probabilities"].values()) for row in rows[:2]]
    )


def test_an_ensemble_predicts_the_weighted_mean_of_its_models(sound, tmp_path):
    rows = mmray.load(sound).predict(RECORDS)
    first, second = (
        mmray.load(alone(sound, tmp_path / str(n), n)).predict(RECORDS) for n in (1, 2)
    )

    mean = 0.25 * probabilities(first) + 0.75 * probabilities(second)
    assert np.abs(probabilities(first) - probabilities(second)).max() > 0.01
    assert probabilities(rows) == pytest.approx(mean, abs=1e-6)
    sizes = [each[0]["predictions"]["size"]["value"] for each in (first, second, rows)]
    assert sizes[2] == pytest.approx(0.25 * sizes[0] + 0.75 * sizes[1], abs=1e-5)
    assert rows[2]["predictions"] is None


def test_mlflow_serves_the_same_numbers(sound, tmp_path):
    import mlflow

    from mmray.tracking.bundle_model import BundleModel
    from mmray.tracking.run import fluent

    frame = pd.DataFrame(RECORDS[:2], dtype="object")
    with fluent(f"sqlite:///{tmp_path / 'mlflow.db'}"):
        mlflow.pyfunc.save_model(
            tmp_path / "saved", python_model=BundleModel(), artifacts={"bundle": str(sound)}
        )
        found = mlflow.pyfunc.load_model(str(tmp_path / "saved")).predict(frame)

    predictor = mmray.load(sound)
    columns = list(output_columns(predictor.config))
    expected = [to_columns(row, columns) for row in predictor.predict(RECORDS[:2])]
    assert found["animal_probabilities"].tolist() == [e["animal_probabilities"] for e in expected]
    assert found["size"].tolist() == [e["size"] for e in expected]


def test_the_model_card_says_that_it_is_an_ensemble(sound):
    assert "weighted mean of 2 models" in (sound / "README.md").read_text()


def change(path, **values):
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize("weights", [[0.5, 0.6], [1.5, -0.5], [0.01] * 101, [1.0, 0.0]])
def test_weights_that_are_no_shares_are_refused(bundle, weights):
    change(bundle / "bundle.json", weights=weights)
    reseal(bundle)

    with pytest.raises(BundleError, match="not shares"):
        mmray.load(bundle)


def test_a_model_that_is_not_there_or_was_changed_is_refused(bundle):
    change(bundle / "bundle.json", weights=[0.5, 0.25, 0.25])
    reseal(bundle)
    with pytest.raises(BundleError, match=r"bundle\.json"):
        mmray.load(bundle)

    (bundle / "members" / "2" / "model.safetensors").write_bytes(b"other")
    with pytest.raises(BundleError, match=r"members/2/model\.safetensors"):
        mmray.load(bundle)


def test_models_that_predict_different_things_are_refused(bundle):
    path = bundle / "members" / "2" / "bundle.json"
    tasks = json.loads(path.read_text())["tasks"]
    tasks["animal"]["classes"] = ["cat", "owl", "dog"]
    change(path, tasks=tasks)
    reseal(bundle)

    with pytest.raises(BundleError, match="predict different things"):
        mmray.load(bundle)


def test_code_that_only_a_further_model_names_is_refused(bundle):
    path = bundle / "members" / "2" / "bundle.json"
    config = json.loads(path.read_text())["config"]
    config["model"]["fusion"] = {"kind": "custom", "factory": "os:system"}
    change(path, config=config)
    reseal(bundle)

    with pytest.raises(BundleError, match="'os:system'"):
        mmray.load(bundle)


def test_a_mean_is_of_each_task_and_in_the_weights():
    outputs = [{"a": np.array([1.0, 2.0])}, {"a": np.array([3.0, 6.0])}]

    assert mean_outputs(outputs, [0.25, 0.75])["a"].tolist() == [2.5, 5.0]
