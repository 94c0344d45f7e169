"""What trainings of one search share: features in files, and what a process keeps."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from mmray.run.latency import measure_latency
from mmray.run.training_data import SharedData
from mmray.run.training_run import WEIGHTS, train_run
from mmray.training.parallel.worker_context import WorkerContext
from tests.support.run import make_run_plan
from tests.support.training import identity, ignore


def train(plan, name, **options):
    job = replace(plan, folder=str(Path(plan.folder).parent / name))
    Path(job.folder).mkdir()
    train_run(job, context=WorkerContext(), wrap=identity, on_epoch=ignore, **options)
    return load_file(Path(job.folder) / WEIGHTS)


def test_trainings_share_one_mapped_copy_of_the_features_and_learn_the_same(tmp_path):
    plan = make_run_plan(tmp_path, name="own")
    own = train(plan, "own")
    shared = SharedData(tmp_path / "shared")

    first, second = (train(plan, name, load=shared.load) for name in ("first", "second"))

    assert all(torch.equal(own[name], first[name]) for name in own)
    assert all(torch.equal(own[name], second[name]) for name in own)
    files = sorted(path.name for path in (tmp_path / "shared").iterdir())
    assert [name.rsplit("-", 1)[0] for name in files] == [
        "train-audio", "train-image", "val-audio", "val-image",
    ]  # fmt: skip


def test_samples_are_read_again_only_where_a_training_has_others(tmp_path):
    plan, context = make_run_plan(tmp_path, name="own"), WorkerContext()
    shared = SharedData(tmp_path / "shared")
    faster = plan.config.train.model_copy(update={"lr": 0.1})
    same = replace(plan, config=plan.config.model_copy(update={"train": faster}))
    other = replace(plan, features={"image": plan.features["image"]})

    first, again, less = (shared.load(each, context) for each in (plan, same, other))

    assert again.train is first.train
    assert list(less.train.modalities) == ["image"]
    values = first.train.modalities["image"].values
    assert isinstance(values.base, np.memmap)
    assert not first.train.is_streamed


def test_a_measured_model_is_as_it_was(tmp_path):
    plan, measured = make_run_plan(tmp_path, name="own"), []

    def measure(model, samples):
        model.train()
        measured.append(measure_latency(model, samples, torch.device("cpu")))
        assert model.training

    own, again = train(plan, "own"), train(plan, "measured", on_start=measure)

    assert all(torch.equal(own[name], again[name]) for name in own)
    assert 0.0 < measured[0] < 1000.0
