"""Killed in extract, stopped in train, and run again: the same as never disturbed."""

import re
import signal

import numpy as np
import pytest
from safetensors.torch import load_file

from mmray.core.file.atomic import read_success
from mmray.core.spec import spec_from_dict
from mmray.features.store import read_features, read_index
from tests.support.stored import read_outcomes
from tests.support.workflow import CONFIGS, kill_when, run_workflow, small_corpus

pytestmark = pytest.mark.e2e


def last_line(text):
    return text.strip().splitlines()[-1]


def only(pattern, folder):
    found = list(folder.glob(pattern))
    assert len(found) == 1, found
    return found[0]


def test_a_workflow_that_is_killed_goes_on_to_the_same_features_and_weights(tmp_path):
    manifest = small_corpus(tmp_path / "corpus", samples=240)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    overrides = (
        f"data.manifest={manifest}", "evaluation.alone=false", "evaluation.seeds=1",
        "train.epochs=8", "train.workers=1", "train.lr=1e-3",
        "modalities.audio.decode.denoise=spectral",  # slow enough to be caught in the middle
    )  # fmt: skip
    config = CONFIGS / "quickstart.yaml"

    def in_extract():
        shards = list(killed.glob("features/audio/*/shard-*.parquet"))
        return bool(shards)

    def in_train():
        return any(
            len(path.read_text().splitlines()) >= 2
            for path in killed.glob("train/*/fusion/epochs.jsonl")
        )

    kill_when(in_extract, config, *overrides, f"workspace={killed}", cwd=tmp_path)
    assert not list(killed.glob("features/audio/*/_SUCCESS.json"))
    early = {path.name for path in killed.glob("features/audio/*/shard-*.parquet")}
    code, said = kill_when(
        in_train, config, *overrides, f"workspace={killed}", cwd=tmp_path, number=signal.SIGTERM
    )
    assert code == 143
    assert re.match(r"stopped after epoch \d; run the same command to resume$", last_line(said))
    assert not list(killed.glob("train/*/fusion/_SUCCESS.json"))
    run_workflow(config, *overrides, f"workspace={killed}", cwd=tmp_path)
    run_workflow(config, *overrides, f"workspace={whole}", cwd=tmp_path)

    for modality in ("text", "image", "audio"):
        same_features(*(only(f"features/{modality}/*/index.parquet", w) for w in (whole, killed)))
    kept = {path.name for path in killed.glob("features/audio/*/shard-*.parquet")}
    assert early <= kept
    assert len(early) < len(kept)
    weights = [
        load_file(only("train/*/fusion/model.safetensors", work)) for work in (whole, killed)
    ]
    for name, tensor in weights[0].items():
        assert (tensor == weights[1][name]).all(), name
    same_statuses(killed)


def same_features(*indices):
    whole, killed = (path.parent for path in indices)
    assert read_index(whole) == read_index(killed)
    assert read_outcomes(whole) == read_outcomes(killed)
    ids = sorted(read_index(whole))
    spec = spec_from_dict(read_success(whole)["spec"])
    expected, found = (read_features(folder, ids, spec) for folder in (whole, killed))
    np.testing.assert_array_equal(expected.values, found.values)
    np.testing.assert_array_equal(expected.present, found.present)


def same_statuses(workspace):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{workspace / 'mlflow.db'}")
    experiments = [e.experiment_id for e in client.search_experiments()]
    runs = client.search_runs(experiments)
    assert {run.info.status for run in runs} == {"FINISHED"}
    fusion = next(r for r in runs if r.data.tags["mlflow.runName"] == "fusion")
    steps = {m.step for m in client.get_metric_history(fusion.info.run_id, "val/loss")}
    assert steps == set(range(1, 9))
