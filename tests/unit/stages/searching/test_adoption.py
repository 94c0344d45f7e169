"""A training of a search is taken over by the workspace of its document."""

from dataclasses import replace
from pathlib import Path

import pytest

from mmray.core.file.atomic import SUCCESS, read_success
from mmray.run.cross_validation import train_job
from mmray.run.training_job import TrainingJob
from mmray.stages import extract, prepare, train
from mmray.stages.searching.adoption import adopt
from mmray.stages.training.variant import fusion_variant, run_folder
from mmray.stages.workspace import Workspace
from mmray.tracking.memory import MemoryTracker
from mmray.training.parallel.worker_context import WorkerContext
from tests.support.document import make_config, write_lines
from tests.support.extraction import Here
from tests.support.training import identity, ignore

SPLITS = ("train", "train", "train", "val", "test")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A workspace with the features of forty notes."""
    folder = tmp_path_factory.mktemp("corpus")
    words = ("purr meow", "bark woof")
    rows = [
        {"note": f"{words[n % 2]} {n}", "label": "cd"[n % 2], "part": SPLITS[n % 5]}
        for n in range(40)
    ]
    config = make_config(
        workspace=str(folder / "job"),
        data={
            "manifest": str(write_lines(folder / "manifest.jsonl", rows)),
            "split": {"column": "part"},
        },
        modalities={"text": {"column": "note", "extract": {"kind": "tfidf"}}},
        train={"epochs": 2, "batch_size": 8},
        model={"width": 8},
    )
    found = Workspace(config)
    prepare.run(found, MemoryTracker())
    extract.run(found, MemoryTracker(), compute=Here())
    return found


@pytest.fixture(scope="module")
def jobs(workspace, tmp_path_factory):
    """Trainings with two seeds, as a search leaves them."""
    folder, trained = tmp_path_factory.mktemp("search"), []
    job = TrainingJob(
        name="trial 1, seed 0",
        config=workspace.config,
        manifest=str(workspace.prepared.path),
        features={name: str(f.folder) for name, f in workspace.extracted.features.items()},
        seed=0,
        folder=str(folder / "seed-0"),
    )
    for each in (job, replace(job, seed=1, folder=str(folder / "seed-1"))):
        Path(each.folder).mkdir()
        train_job(
            each, context=WorkerContext(), wrap=identity,
            on_epoch=ignore,
        )  # fmt: skip
        trained.append(each)
    return trained


def test_the_train_stage_takes_over_what_a_search_has_trained(workspace, jobs):
    adopt(jobs, workspace)
    tracker = MemoryTracker()

    report = train.run(workspace, tracker)

    config = workspace.config
    first, second = (run_folder(workspace, fusion_variant(config, seed)) for seed in (0, 1))
    source = Path(jobs[0].folder)
    weights = (source / "model.safetensors").read_bytes()
    assert (first / "model.safetensors").read_bytes() == weights
    assert (second / "model.safetensors").read_bytes() != weights
    assert report.metrics == read_success(source)["best_metrics"]
    assert not report.skipped
    assert read_success(first)["name"] == "text"
    assert read_success(second)["name"] == "text, seed 1"
    run = tracker.child("text")
    assert [step for step, _ in run.metrics["val/loss"]] == [1, 2]
    assert run.params["modalities"] == "text"
    assert train.run(workspace, MemoryTracker()).skipped


def test_what_is_trained_already_stays(workspace, jobs):
    adopt(jobs, workspace)
    target = run_folder(workspace, fusion_variant(workspace.config, 0))
    before = (target / SUCCESS).stat().st_mtime_ns

    adopt(jobs, workspace)

    assert (target / SUCCESS).stat().st_mtime_ns == before


def test_a_training_that_was_not_completed_is_replaced(workspace, jobs):
    target = run_folder(workspace, fusion_variant(workspace.config, 1))
    adopt(jobs, workspace)
    (target / SUCCESS).unlink()
    (target / "left").write_text("half")

    adopt(jobs, workspace)

    assert read_success(target)["seed"] == 1
    assert not (target / "left").exists()
    assert [path for path in target.parent.iterdir() if path.name.startswith(".")] == []
