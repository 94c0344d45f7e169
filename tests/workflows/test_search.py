"""Search: trials share the features, the best is trained again and evaluated."""

import json

import pytest

from tests.support.workflow import CONFIGS, demo_overrides, run_workflow, small_corpus

pytestmark = pytest.mark.e2e


def test_a_search_trains_and_judges_its_best_trial(tmp_path):
    from mlflow import MlflowClient

    manifest = small_corpus(tmp_path / "corpus", samples=120)

    report = run_workflow(
        CONFIGS / "search.yaml", *demo_overrides(manifest, tmp_path / "work"),
        "search.trials=3", "search.grace_epochs=1", "search.reduction=2",
        cwd=tmp_path, workflow="search",
    )  # fmt: skip

    search = next(stage for stage in report["stages"] if stage["stage"] == "search")
    trials = json.loads(next((tmp_path / "work").glob("search/*/trials.json")).read_text())
    best = max(trials, key=lambda trial: trial["objective"])
    assert search["counts"]["trials"] == len(trials) == 3
    assert search["metrics"]["best"] == best["sample"] == trials[0]["sample"]
    bundle = json.loads((tmp_path / "work" / "model" / "bundle.json").read_text())
    assert bundle["config"]["model"]["width"] == best["sample"]["model.width"]
    assert bundle["config"]["model"]["fusion"]["kind"] == best["sample"]["model.fusion"]
    client = MlflowClient(f"sqlite:///{tmp_path / 'work' / 'mlflow.db'}")
    runs = client.search_runs([e.experiment_id for e in client.search_experiments()])
    names = [run.data.tags["mlflow.runName"] for run in runs]
    assert sum(name.startswith("trial ") for name in names) == 3
    assert {run.info.status for run in runs} == {"FINISHED"}
    extracted = list((tmp_path / "work").glob("features/*/*/index.parquet"))
    assert len(extracted) == 2
