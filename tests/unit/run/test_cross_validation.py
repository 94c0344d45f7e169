from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file

from mmray.core.file.atomic import SUCCESS, read_success
from mmray.core.kind import Split
from mmray.data.manifest.manifest import read_manifest
from mmray.data.split.folds import fold_manifest
from mmray.run.cross_validation import fold_jobs, mean_over_folds, train_job
from mmray.run.epoch_file import EPOCHS, epoch_lines
from mmray.training.parallel.worker_context import WorkerContext
from tests.support.run import make_run_plan
from tests.support.training import identity

ACCURACY = "val/animal/accuracy"


def train(job):
    """Train a job and return the epochs that it reported."""
    records = []
    Path(job.folder).mkdir(exist_ok=True)
    train_job(job, context=WorkerContext(), wrap=identity, on_epoch=records.append)
    return records


@pytest.fixture(scope="module")
def validated(tmp_path_factory):
    """A cross-validation with three folds, and what it reported."""
    job = replace(make_run_plan(tmp_path_factory.mktemp("folds"), name="trial 1"), folds=3)
    return job, train(job)


def test_a_cross_validation_reports_the_mean_over_its_folds_once(validated):
    job, records = validated
    folds = [read_success(Path(each.folder)) for each in fold_jobs(job)]
    reached = [success["best_metrics"][ACCURACY] for success in folds]

    assert len(set(reached)) > 1
    assert [record.metrics[ACCURACY] for record in records] == [pytest.approx(sum(reached) / 3)]
    assert records[0].epoch + 1 == 3
    success = read_success(Path(job.folder))
    assert success["best_metrics"] == records[0].metrics
    assert [each[ACCURACY] for each in success["folds"]] == reached
    assert epoch_lines(Path(job.folder) / EPOCHS)[0]["metrics"] == records[0].metrics


def test_each_fold_is_trained_on_the_others(validated):
    job, _ = validated
    manifest = read_manifest(Path(job.manifest))

    for each in fold_jobs(job):
        there = fold_manifest(manifest, each.fold, 3).rows_of(Split.TRAIN)
        assert 0 < read_success(Path(each.folder))["samples"] <= len(there) < 45
    weights = [load_file(Path(each.folder) / "model.safetensors") for each in fold_jobs(job)]
    name = next(name for name in weights[0] if name.endswith("weight"))
    assert not weights[0][name].equal(weights[1][name])


def test_a_fold_that_is_complete_is_not_trained_again(validated):
    job, records = validated
    first, second, third = (Path(each.folder) for each in fold_jobs(job))
    before = [(folder / SUCCESS).stat().st_mtime_ns for folder in (first, second, third)]
    (second / SUCCESS).unlink()
    (Path(job.folder) / SUCCESS).unlink()

    again = train(job)

    after = [(folder / SUCCESS).stat().st_mtime_ns for folder in (first, second, third)]
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, True]
    assert again[0].metrics[ACCURACY] == records[0].metrics[ACCURACY]


def test_a_job_without_folds_is_one_training(tmp_path):
    job = make_run_plan(tmp_path, name="fusion")

    assert [record.epoch for record in train(job)] == [0, 1, 2]
    assert "folds" not in read_success(Path(job.folder))


def test_a_metric_that_a_fold_lacks_is_the_mean_of_the_others():
    found = mean_over_folds([{"auroc": 0.5, "loss": 1.0}, {"loss": 3.0}])

    assert found == {"auroc": 0.5, "loss": 2.0}
