"""A search on a real Tune: how many trials at a time, and what a second search repeats."""

import sys
from dataclasses import replace
from functools import partial

import pytest
import ray

from mmray.config.training.search import SearchConfig
from mmray.core.file.atomic import read_json, read_success
from mmray.distributed.search.searching import search_trials
from tests.support.process import wait_for
from tests.support.run import make_run_plan

pytestmark = pytest.mark.ray
# Workers find no module of the working folder; so they get this one's functions as they are.
ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
TRIALS = 3
"""More than the cluster has cores."""


def plan_trial(sample, plan):
    lr = sample["train.lr"]
    train = plan.config.train.model_copy(update={"lr": lr})
    config = plan.config.model_copy(update={"train": train})
    return replace(plan, config=config, folder=f"{plan.folder}/trials/{lr:.8f}")


def search(plan, cluster, folder, sampler, heard):
    return search_trials(
        partial(plan_trial, plan=plan),
        search=SearchConfig(
            objective={"metric": "val/loss"}, trials=TRIALS, sampler=sampler,
            stop={"grace_epochs": 1, "reduction": 2},
            space={"train.lr": {"loguniform": [1e-4, 1e-1]}},
        ),
        train=plan.config.train,
        size=cluster,
        folder=folder,
        on_epoch=lambda number, sample, metrics, epoch: heard.append((number, epoch)),
    )  # fmt: skip


def at_a_time(results):
    """The most trials that had begun and not ended, by the times of their files."""
    times = [
        ((r.folder / "trial.lock").stat().st_mtime, (r.folder / "trial.json").stat().st_mtime)
        for r in results
    ]
    return max(sum(start <= now < end for start, end in times) for now, _ in times)


def is_free():
    """Say whether nothing is reserved any more."""
    return ray.available_resources().get("CPU", 0) == ray.cluster_resources()["CPU"]


def test_as_many_trials_run_at_a_time_as_fit_and_one_that_is_stopped_frees_its_cores(
    cluster, tmp_path
):
    plan, heard = make_run_plan(tmp_path, name="search"), []

    results = search(plan, cluster, tmp_path, "random", heard)

    wait_for(is_free, timeout_s=20)
    assert sorted(r.number for r in results) == [1, 2, 3]
    assert at_a_time(results) == 2
    assert sorted(heard) == sorted((r.number, e + 1) for r in results for e in range(r.epochs))
    assert any(read_success(r.folder) is None for r in results)  # one of them was stopped
    assert results[0].best == min(r.best for r in results)


def test_a_search_by_optuna_is_not_repeated(cluster, tmp_path):
    plan, heard, again = make_run_plan(tmp_path, name="search"), [], []

    results = search(plan, cluster, tmp_path, "optuna", heard)
    most = at_a_time(results)
    repeated = search(plan, cluster, tmp_path, "optuna", again)

    assert most == 2
    assert len(read_json(tmp_path / "samples.json")) == TRIALS
    assert [(r.number, r.sample, r.epochs) for r in repeated] == [
        (r.number, r.sample, r.epochs) for r in results
    ]
    assert again == []
