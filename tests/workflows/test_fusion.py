"""The product as a person meets it: one corpus, one document, one command."""

import json
import shutil
import subprocess
import sys

import pytest

from tests.support.workflow import CONFIGS, demo_overrides, environment, run_workflow, small_corpus

pytestmark = pytest.mark.e2e
QUICKSTART = CONFIGS / "quickstart.yaml"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A finished run on a small corpus."""
    folder = tmp_path_factory.mktemp("demo")
    manifest = small_corpus(folder / "corpus")
    overrides = demo_overrides(manifest, folder / "work")
    run_workflow(QUICKSTART, *overrides, cwd=folder)
    return folder, overrides


def read_report(folder):
    return json.loads((folder / "work" / "report.json").read_text(encoding="utf-8"))


def test_the_report_reconciles_and_names_every_model(demo):
    report = read_report(demo[0])

    assert report["samples"] == report["usable"] + report["unusable"] == 160
    for counts in report["modalities"].values():
        rejected = sum(counts["rejected"].values())
        assert counts["extracted"] + counts["missing"] + rejected == 160
    assert sum(len(c["rejected"]) for c in report["modalities"].values()) >= 8
    assert set(report["metrics"]) == {"fusion", "text", "image", "audio"}
    for tasks in report["metrics"].values():
        assert {"accuracy", "recall_macro", "f1_macro"} <= set(tasks["digit"])
        assert {"mae", "r2"} <= set(tasks["rate"])
    assert set(report["seconds"]) == {"prepare", "extract", "train", "evaluate"}
    for task, metric in (("digit", "accuracy"), ("rate", "mae")):
        table = report["ablation"][task]
        fused = report["metrics"]["fusion"][task][metric]
        assert len(table["subsets"]) == 8
        assert table["subsets"]["text-image-audio"] == pytest.approx(fused, rel=1e-5)
        added = fused - table["subsets"]["nothing"]
        assert sum(table["shapley"].values()) == pytest.approx(added, rel=1e-4)


def test_ray_without_private_parts_gives_the_same_numbers(demo, tmp_path, monkeypatch):
    monkeypatch.setenv("MMRAY_PLAIN_RAY", "1")
    overrides = demo_overrides(demo[0] / "corpus" / "manifest.jsonl", tmp_path / "work")

    run_workflow(QUICKSTART, *overrides, cwd=tmp_path)

    plain, report = read_report(tmp_path), read_report(demo[0])
    counts = ("extracted", "missing", "rejected", "computed")
    for name, found in report["modalities"].items():
        assert [plain["modalities"][name][key] for key in counts] == [found[key] for key in counts]
    assert flat(plain["metrics"]) == pytest.approx(flat(report["metrics"]), rel=1e-5)


def flat(metrics, at=""):
    """Return every number of a report's metrics, by its path."""
    if not isinstance(metrics, dict):
        return {at: metrics}
    found = [flat(each, f"{at}/{name}") for name, each in metrics.items()]
    return {path: value for each in found for path, value in each.items()}


def test_every_metric_is_on_the_run_it_belongs_to_and_no_run_is_left_running(demo):
    from mlflow import MlflowClient

    report = read_report(demo[0])
    client = MlflowClient(report["mlflow"]["uri"])
    parent = client.get_run(report["mlflow"]["run_id"])
    runs = client.search_runs([parent.info.experiment_id])
    children = {
        run.data.tags["mlflow.runName"]: run
        for run in runs
        if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id
    }

    assert {run.info.status for run in runs} == {"FINISHED"}
    assert set(children) == {"fusion", "text alone", "image alone", "audio alone"}
    for name, run in children.items():
        epochs = client.get_metric_history(run.info.run_id, "val/loss")
        assert [metric.step for metric in epochs] == [1, 2], name
    own = {"val/digit/text/accuracy", "train/text/gradient_norm", "train/text/gradient_share"}
    assert own <= set(children["fusion"].data.metrics)
    assert not own & set(children["text alone"].data.metrics)
    assert set(parent.data.metrics) == {"usable", "seconds/total"} | {
        f"test/{task}/{figure}"
        for task, metric in (("digit", "accuracy"), ("rate", "mae"))
        for figure in (metric, "gain_over_constant_answer", "gain_over_best_alone", "samples")
    }
    assert "fusion" in parent.data.tags["mlflow.note.content"]
    tables = {entry.path for entry in client.list_artifacts(parent.info.run_id, "tables")}
    assert tables == {
        f"tables/{name}.csv"
        for name in ("extraction", "metrics", "rejections", "shapley", "subsets")
    }
    fusion = children["fusion"].data.metrics["test/digit/accuracy"]
    assert fusion == pytest.approx(report["metrics"]["fusion"]["digit"]["accuracy"])
    assert parent.data.params["train.epochs"] == "2"
    assert parent.inputs.dataset_inputs[0].dataset.name == "digits"


def test_the_same_again_does_nothing_and_says_so(demo):
    folder, overrides = demo
    before = read_report(folder)

    again = run_workflow(QUICKSTART, *overrides, cwd=folder)

    assert all(stage["skipped"] for stage in again["stages"])
    assert read_report(folder) == before


def test_a_changed_setting_of_one_modality_extracts_that_modality_alone(demo):
    folder, overrides = demo

    run_workflow(
        QUICKSTART, *overrides, "modalities.audio.extract.coefficients=20",
        "evaluation.alone=false", cwd=folder,
    )  # fmt: skip

    computed = {name: c["computed"] for name, c in read_report(folder)["modalities"].items()}
    assert computed["text"] == computed["image"] == 0
    assert computed["audio"] > 100


def test_a_workflow_with_other_settings_has_a_run_of_its_own_with_all_settings_and_data(demo):
    from mlflow import MlflowClient

    report = read_report(demo[0])  # of the test before, whose manifest had been prepared already

    run = MlflowClient(report["mlflow"]["uri"]).get_run(report["mlflow"]["run_id"])
    assert run.data.params["modalities.audio.extract.coefficients"] == "20"
    assert [entry.dataset.name for entry in run.inputs.dataset_inputs] == ["digits"]


PREDICT = """
import json, sys, mmray
predictor = mmray.load(sys.argv[1])
print(json.dumps(predictor.predict(json.loads(sys.argv[2]))))
"""


def predict_elsewhere(model, records, cwd):
    """Predict in a process that has never seen the corpus."""
    done = subprocess.run(
        [sys.executable, "-c", PREDICT, str(model), json.dumps(records)],
        cwd=cwd, env=environment(), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def test_a_bundle_predicts_from_raw_files_after_corpus_and_bundle_have_moved(demo, tmp_path):
    folder, _ = demo
    shutil.copytree(folder / "work" / "model", tmp_path / "model")
    lines = (folder / "corpus" / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    whole = next(r for r in rows if r["photo"] and r["speech"] and r["note"])
    for kind in ("photo", "speech"):
        target = tmp_path / whole[kind]
        target.parent.mkdir(exist_ok=True)
        shutil.copy(folder / "corpus" / whole[kind], target)
    record = {key: whole[key] for key in ("photo", "speech", "note")}
    lacking = {"note": whole["note"]}
    bad = {"photo": "photos/none.jpg", "speech": None}

    together = predict_elsewhere(tmp_path / "model", [record, lacking, bad, record], tmp_path)
    alone = predict_elsewhere(tmp_path / "model", [lacking], tmp_path)

    assert together[0]["present"] == ["text", "image", "audio"]
    assert together[1]["present"] == alone[0]["present"] == ["text"]
    probabilities = [row["predictions"]["digit"]["probabilities"] for row in (together[1], *alone)]
    for name, value in probabilities[0].items():
        assert value == pytest.approx(probabilities[1][name], abs=1e-6)
    assert together[2]["predictions"] is None
    assert together[2]["rejected"]["image"]["reason"] == "not_found"
    assert together[0]["predictions"] == together[3]["predictions"]


def test_the_logged_model_predicts_raw_records_through_mlflow(demo):
    import mlflow
    import pandas as pd

    from mmray.tracking.run import fluent

    folder, _ = demo
    report = read_report(folder)
    with fluent(report["mlflow"]["uri"]):
        experiment = mlflow.get_experiment_by_name("digits").experiment_id
        logged = mlflow.search_logged_models(experiment_ids=[experiment], output_format="list")
        model = mlflow.pyfunc.load_model(logged[-1].model_uri)

    frame = model.predict(pd.DataFrame([{"note": "an even figure", "photo": None, "speech": None}]))

    assert frame["digit"][0] in set("0123456789")
    assert json.loads(frame["rejected"][0]) == {}
