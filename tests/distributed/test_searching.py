"""A search on a real Tune: how many trials at a time, and what a second search repeats."""

import os
import signal
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import ray

from mmray.config.training.search import SearchConfig
from mmray.core.file.atomic import read_success
from mmray.distributed.search.searching import search_trials
from mmray.distributed.search.trial_actor import LOCK
from mmray.errors import DiskFullError
from mmray.search.study import read_trials
from tests.support.process import wait_for
from tests.support.run import make_run_plan

pytestmark = pytest.mark.ray
# Workers find no module of the working folder; so they get this one's functions as they are.
ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])


def plan_trial(sample, plan):
    lr = sample.get("train.lr", 1e-2)
    train = plan.config.train.model_copy(update={"lr": lr})
    config = plan.config.model_copy(update={"train": train})
    return replace(plan, config=config, folder=f"{plan.folder}/trials/{lr:.8f}")


def search(plan, cluster, folder, on_epoch, **section):
    """Search; ``on_epoch`` is a function or a list of the epochs that were heard."""
    heard = on_epoch

    def append(record, metrics):
        heard.append((record.number, record.epochs))

    default = {
        "objective": {"metric": "val/loss"},
        "trials": 3,
        "space": {"train.lr": {"loguniform": [1e-4, 1e-1]}},
        "stop": {"kind": "asha", "grace_epochs": 1, "reduction": 2},
    }
    return search_trials(
        partial(plan_trial, plan=plan),
        search=SearchConfig(**default | section),
        document={"train.lr": 1e-2},
        train=plan.config.train,
        size=cluster,
        folder=folder,
        on_epoch=on_epoch if callable(on_epoch) else append,
        on_change=lambda record: None,
    )


def is_free():
    """Say whether nothing is reserved any more."""
    return ray.available_resources().get("CPU", 0) == ray.cluster_resources()["CPU"]


def test_trials_run_two_at_a_time_and_one_that_is_stopped_frees_its_process(cluster, tmp_path):
    plan, heard = make_run_plan(tmp_path, name="search"), []

    records = search(plan, cluster, tmp_path, heard, trials=6)

    wait_for(is_free, timeout_s=20)
    assert [r.number for r in records] == [1, 2, 3, 4, 5, 6]
    assert sorted(heard) == sorted((r.number, e + 1) for r in records for e in range(r.epochs))
    assert {r.state for r in records} == {"complete", "stopped"}
    for record in records:
        assert (record.state == "complete") == (read_success(Path(record.folder)) is not None)
    assert read_trials(tmp_path) == records


def told(records):
    """What must be the same however a search was disturbed."""
    return [(r.number, r.sample, r.state, r.values, r.epochs, r.reason) for r in records]


def test_a_search_that_is_stopped_and_loses_a_process_ends_as_if_it_never_had(cluster, tmp_path):
    quiet, disturbed = (tmp_path / name for name in ("quiet", "disturbed"))
    plans = {folder: make_run_plan(folder, name="search") for folder in (quiet, disturbed)}
    one = {"concurrent": 1, "trials": 4, "stop": {"kind": "asha", "grace_epochs": 2}}
    expected = search(plans[quiet], cluster, quiet, [], **one)
    heard = []

    def disturb(record, metrics):
        heard.append((record.number, record.epochs))
        if heard == [(1, 1)]:
            os.kill(int((Path(record.folder) / LOCK).read_text()), signal.SIGKILL)
        if record.number == 3:
            raise DiskFullError("no space left")

    with pytest.raises(DiskFullError):
        search(plans[disturbed], cluster, disturbed, disturb, **one)
    wait_for(is_free, timeout_s=20)
    before = read_trials(disturbed)
    records = search(plans[disturbed], cluster, disturbed, heard, **one)

    assert [r.state for r in before][2:] == ["running"]
    assert told(records) == told(expected)
    assert len(heard) == sum(r.epochs for r in records) + 1  # that of the error, twice
    assert [r.started for r in records[:3]] == [r.started for r in before]


def test_a_trial_that_fails_is_recorded_with_its_reason_and_its_process_serves_the_next(
    cluster, tmp_path
):
    plan, pids = make_run_plan(tmp_path, name="search"), set()

    def note_process(record, metrics):
        pids.add((Path(record.folder) / LOCK).read_text())

    records = search(
        plan, cluster, tmp_path, note_process,
        concurrent=1, sampler="grid", space={"train.lr": {"choice": [1e20, 1e-2]}},
    )  # fmt: skip

    assert [r.state for r in records] == ["complete", "failed", "complete"]
    assert records[1].reason.startswith("the loss is no longer a finite number; lower train.lr")
    assert len(pids) == 1


def test_a_trial_of_several_workers_that_is_stopped_frees_all_of_them(cluster, tmp_path):
    plan = make_run_plan(tmp_path, name="search")

    records = search(
        plan, cluster, tmp_path, [],
        workers=2, sampler="grid", space={"train.lr": {"choice": [1e-7, 1e-2]}},
    )  # fmt: skip

    wait_for(is_free, timeout_s=20)
    assert [r.number for r in records] == [1, 2, 3]
    assert [(r.state, r.epochs) for r in records[:2]] == [("complete", 3), ("stopped", 1)]
    assert records[1].reason == "not among the best 1 of 2 after epoch 1"
