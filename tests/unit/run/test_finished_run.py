"""A training that is complete: what it leaves, and what happens when that is damaged."""

import os
from pathlib import Path

import pytest

from mmray.core.file.atomic import read_complete
from mmray.errors import MMRayError, TrainingError
from mmray.run.epoch_file import EPOCHS, epoch_lines
from mmray.run.feature_folder import open_features
from mmray.run.training_run import load_run, train_run
from mmray.training.parallel.worker_context import WorkerContext
from tests.support.run import make_run_plan
from tests.support.training import identity, ignore


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    plan = make_run_plan(tmp_path_factory.mktemp("run"), name="fusion")
    Path(plan.folder).mkdir()
    train_run(plan, context=WorkerContext(), wrap=identity, on_epoch=ignore)
    return plan


@pytest.fixture
def load(finished):
    features = {name: open_features(Path(path)) for name, path in finished.features.items()}
    return lambda: load_run(Path(finished.folder), finished.config, features)


def test_a_complete_training_keeps_its_model_and_no_checkpoint(finished, load):
    left = sorted(path.name for path in Path(finished.folder).iterdir())

    assert left == ["_SUCCESS.json", "epochs.jsonl", "model.safetensors", "tasks.json"]
    assert load().training is False


@pytest.mark.parametrize("name", ["model.safetensors", "tasks.json", "_SUCCESS.json"])
@pytest.mark.parametrize("damage", [lambda p: os.truncate(p, 0), lambda p: os.truncate(p, 90)])
def test_a_damaged_model_is_no_model_and_is_trained_again(finished, load, name, damage):
    path = Path(finished.folder) / name
    whole = path.read_bytes()
    damage(path)

    with pytest.raises(TrainingError, match="no trained model"):
        load()
    assert read_complete(Path(finished.folder)) is None
    assert finished.starts_anew

    train_run(finished, context=WorkerContext(), wrap=identity, on_epoch=ignore)
    assert path.read_bytes() == whole or name == "_SUCCESS.json"
    assert load().training is False


@pytest.mark.parametrize("name", ["tasks.json", "model.safetensors", "epochs.jsonl"])
def test_a_training_is_not_marked_complete_before_all_of_it_is_written(tmp_path, name):
    plan = make_run_plan(tmp_path, name="fusion")
    Path(plan.folder, name, "something else").mkdir(parents=True)

    with pytest.raises(MMRayError, match=name):
        train_run(plan, context=WorkerContext(), wrap=identity, on_epoch=ignore)

    assert not Path(plan.folder, "_SUCCESS.json").exists()


def test_lines_of_epochs_that_are_damaged_are_passed_over(tmp_path):
    path = tmp_path / EPOCHS
    good = b'{"run": "fusion", "epoch": 2, "seconds": 1.0, "metrics": {}}\n'
    path.write_bytes(b'\xff\n{"epoch": 1}\n[]\n{"run":\n' + b"[" * 99_999 + b"\n" + good)

    assert [line["epoch"] for line in epoch_lines(path)] == [2]
