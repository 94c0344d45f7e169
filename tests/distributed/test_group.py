"""A group of workers that trains one job after the other."""

from dataclasses import replace
from pathlib import Path

import pytest
import ray
from safetensors.torch import load_file

from mmray.distributed.training.group import TrainingGroup
from mmray.distributed.training.share import WorkerShare
from mmray.errors import TrainingError
from mmray.stages.training.workers import TrainingWorkers
from tests.support.mortal import pids_in
from tests.support.run import make_run_plan

pytestmark = pytest.mark.ray
TWO = WorkerShare(2, 0.9, False)
EPOCHS = [1, 2, 3]


def group_of(tmp_path, share=TWO, max_failures=0):
    return TrainingGroup(share, max_failures=max_failures, is_local=True, storage=tmp_path / "ray")


def make_mortal(tmp_path, *, name, at=0):
    """A training that leaves the ids of its processes in the folder 'pids of NAME'."""
    plan = make_run_plan(tmp_path, name=name)
    encode = {
        "kind": "custom",
        "factory": "tests.support.mortal:MortalEncoder",
        "options": {"folder": str(tmp_path / f"pids of {name}"), "at": at},
    }
    image = plan.config.modalities["image"]
    image = type(image).model_validate(image.model_dump(mode="json") | {"encode": encode})
    modalities = {**plan.config.modalities, "image": image}
    return replace(plan, config=plan.config.model_copy(update={"modalities": modalities}))


def check_free():
    """All cores can be had again."""
    assert ray.get(ray.remote(num_cpus=2)(lambda: "here").remote(), timeout=60) == "here"


def test_the_next_training_has_the_same_processes_and_then_all_cores_are_free(cluster, tmp_path):
    heard = []
    plans = [make_mortal(tmp_path, name=name) for name in ("first", "second")]

    with group_of(tmp_path) as group:
        for plan in plans:
            group.train([plan], on_epoch=lambda name, line: heard.append((name, line["epoch"])))

    assert heard == [(name, epoch) for name in ("first", "second") for epoch in EPOCHS]
    first, second = (pids_in(tmp_path / f"pids of {name}") for name in ("first", "second"))
    assert len(first) == 2
    assert first == second
    assert not list((tmp_path / "ray").iterdir())
    check_free()


def test_a_worker_that_is_killed_in_the_second_training_resumes_it(cluster, tmp_path):
    heard = []
    plans = [make_mortal(tmp_path, name="whole"), make_mortal(tmp_path, name="killed", at=14)]

    with group_of(tmp_path, max_failures=1) as group:
        group.train(plans[:1])
        assert not group.was_restarted
        group.train(plans[1:], on_epoch=lambda _, line: heard.append(line["epoch"]))
        assert group.was_restarted

    assert heard == EPOCHS
    assert (tmp_path / "pids of killed" / "scar").exists()
    whole, killed = (load_file(Path(plan.folder) / "model.safetensors") for plan in plans)
    assert all((whole[name] == killed[name]).all() for name in whole)


def raises(error):
    def refuse(name, line):
        raise error

    return refuse


def test_a_training_whose_epochs_nobody_takes_is_ended(cluster, tmp_path):
    plan = make_run_plan(tmp_path, name="refused")

    with pytest.raises(ValueError, match="no room"), group_of(tmp_path) as group:
        group.train([plan], on_epoch=raises(ValueError("no room for epoch 1")))

    check_free()


def test_a_stop_by_the_user_says_from_where_training_would_resume(cluster, tmp_path):
    plan = make_run_plan(tmp_path, name="stopped")

    with pytest.raises(KeyboardInterrupt) as caught, group_of(tmp_path) as group:
        group.train([plan], on_epoch=raises(KeyboardInterrupt()))

    assert caught.value.__notes__[0].startswith("after epoch ")


def test_a_training_whose_workspace_is_removed_is_ended(cluster, tmp_path):
    plan = make_run_plan(tmp_path, name="removed")

    with pytest.raises(TrainingError, match="removed or moved"), group_of(tmp_path) as group:
        group.train([plan], on_epoch=lambda _, __: Path(plan.manifest).unlink(missing_ok=True))


def test_the_workers_of_a_command_stay_until_others_are_wanted_or_one_was_lost(cluster, tmp_path):
    made = []
    mortal = make_mortal(tmp_path, name="killed", at=3)
    train = mortal.config.train.model_copy(update={"max_failures": 1})
    config = mortal.config.model_copy(update={"train": train})

    with TrainingWorkers() as workers:
        for share in (TWO, TWO, WorkerShare(1, 0.9, False)):
            with workers.using(config, share, tmp_path / "ray") as group:
                made.append(group)
                if share.workers == 1:
                    group.train([replace(mortal, config=config)])
        with workers.using(config, share, tmp_path / "ray") as group:
            made.append(group)

    assert made[0] is made[1]
    assert len(set(made)) == 3
    check_free()
