from dataclasses import replace
from pathlib import Path

import pytest

from mmray.core.file.atomic import mark_success
from mmray.errors import TrainingError
from mmray.run.training_job import TrainingJob
from mmray.stages.searching.retraining import pass_over_failures
from tests.support.document import make_config


@pytest.fixture
def jobs(tmp_path):
    manifest = tmp_path / "manifest"
    manifest.touch()
    first = TrainingJob("", make_config(), str(manifest), {}, 0, "")
    return [replace(first, name=name, folder=str(tmp_path / name)) for name in "abcd"]


def trainer(*failing):
    """Train in order, and end at the first that fails, as a group of workers does."""

    def train(some):
        for job in some:
            if job.name in failing:
                raise TrainingError(f"the loss of {job.name} is no longer a finite number")
            mark_success(Path(job.folder), {})

    return train


def complete(jobs):
    return [job.name for job in jobs if (Path(job.folder) / "_SUCCESS.json").exists()]


def test_those_after_a_failure_are_trained_and_the_failure_is_named(jobs, caplog):
    pass_over_failures(jobs, trainer("b", "d"))

    assert complete(jobs) == ["a", "c"]
    assert [r.getMessage() for r in caplog.records] == [
        "warning: b failed: the loss of b is no longer a finite number",
        "warning: d failed: the loss of d is no longer a finite number",
    ]


def test_what_every_training_would_meet_ends_the_search(jobs):
    Path(jobs[0].manifest).unlink()

    with pytest.raises(TrainingError, match="the loss of a"):
        pass_over_failures(jobs, trainer("a", "b", "c", "d"))
