from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from mmray.config.training.train import TrainConfig
from mmray.core.file.atomic import read_success
from mmray.core.kind import Split
from mmray.data.manifest.manifest import read_manifest
from mmray.errors import TrainingError
from mmray.features.store.spill import zeros_on_disk
from mmray.run.feature_folder import open_features
from mmray.run.memory_plan import plan_memory
from mmray.run.samples import load_samples, samples_bytes
from mmray.run.training_data import SPILL, fit_tasks
from mmray.run.training_run import train_run
from mmray.training.parallel.worker_context import WorkerContext
from tests.support.run import make_run_plan
from tests.support.training import identity, ignore


def trained(folder, stream):
    plan = make_run_plan(folder, name=stream)
    train = plan.config.train.model_copy(update={"stream": stream})
    plan = replace(plan, config=plan.config.model_copy(update={"train": train}))
    Path(plan.folder).mkdir()
    train_run(plan, context=WorkerContext(), wrap=identity, on_epoch=ignore)
    return plan, load_file(Path(plan.folder) / "model.safetensors")


def test_streamed_features_train_the_same_model_bit_by_bit(tmp_path):
    _, in_memory = trained(tmp_path, "never")
    plan, streamed = trained(tmp_path, "always")

    assert all(streamed[name].equal(value) for name, value in in_memory.items())
    said = read_success(Path(plan.folder))["features"]
    assert said["kept"] == "streamed"
    assert not (Path(plan.folder) / SPILL).exists()


def test_streamed_batches_are_those_in_memory_and_the_file_is_written_once(tmp_path):
    plan = make_run_plan(tmp_path, name="x")
    manifest = read_manifest(Path(plan.manifest))
    features = {name: open_features(Path(path)) for name, path in plan.features.items()}
    tasks = fit_tasks(plan.config, manifest, list(features))

    def load(spill):
        return load_samples(
            manifest, Split.TRAIN, features, tasks, require_payload=True, spill=spill
        )

    whole, streamed = load(None), load(tmp_path / "spill")
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "spill").iterdir()}
    again = load(tmp_path / "spill")

    rows = np.random.default_rng(0).permutation(len(whole))[:9]
    for samples in (streamed, again):
        assert isinstance(samples.modalities["audio"].values, np.memmap)
        for name, feature in samples.batch(rows).features.items():
            assert feature.values.equal(whole.batch(rows).features[name].values)
    assert {path: path.stat().st_mtime_ns for path in written} == written
    assert len(written) == 2
    sizes = sum(part.values.nbytes for part in whole.modalities.values())
    assert sizes <= samples_bytes(manifest, [Split.TRAIN], features)


@pytest.mark.parametrize(
    ("stream", "needed", "expected"),
    [("auto", 1, False), ("auto", 2**60, True), ("never", 2**60, False), ("always", 1, True)],
)
def test_what_does_not_fit_is_streamed(stream, needed, expected):
    assert plan_memory(needed, TrainConfig(stream=stream), WorkerContext()).is_streamed == expected


def test_workers_share_the_memory_that_they_may_take():
    one = plan_memory(1, TrainConfig(stream="never", memory_fraction=0.5), WorkerContext())
    four = plan_memory(1, TrainConfig(stream="never", memory_fraction=0.5), WorkerContext(0, 4))

    assert four.allowed == pytest.approx(one.allowed / 4, rel=0.2)


def test_no_room_to_stream_is_an_error_before_anything_is_written(tmp_path, small_files):
    with pytest.raises(TrainingError, match="features cannot be streamed from this disk") as caught:
        zeros_on_disk(tmp_path / "x.npy", (100, 100), "float32")

    assert "'train.stream: never'" in caught.value.hint
