"""Ray Train with two workers against one worker with the same global batches."""

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

from mmray.config.training.train import TrainConfig
from mmray.distributed.node.session import ClusterSize
from mmray.distributed.training.fitting import WorkerShare, fit_runs, plan_workers
from mmray.errors import TrainingError
from tests.support.run import make_run_plan

pytestmark = pytest.mark.ray


def lines(plan):
    text = (Path(plan.folder) / "epochs.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_two_workers_train_one_model_and_the_same_as_one_worker(cluster, tmp_path):
    heard = []
    plans = {workers: make_run_plan(tmp_path, name=f"by {workers}") for workers in (1, 2)}

    for workers, plan in plans.items():
        fit_runs(
            [plan],
            config=plan.config.train,
            share=WorkerShare(workers, 0.9, False),
            storage=tmp_path / "ray",
            on_epoch=lambda name, record: heard.append((name, record["epoch"])),
        )

    hashes = [line["weights_hashes"] for line in lines(plans[2])]
    assert [len(of_epoch) for of_epoch in hashes] == [2, 2, 2]
    assert all(first == second for first, second in hashes)
    assert len({first for first, _ in hashes}) == 3
    one, two = (load_file(Path(plans[w].folder) / "model.safetensors") for w in (1, 2))
    for name, weights in one.items():
        assert (weights - two[name]).abs().max() < 1e-5, name
    assert heard == [(f"by {workers}", epoch) for workers in (1, 2) for epoch in (1, 2, 3)]


def test_what_a_worker_raises_arrives_as_our_own_error(cluster, tmp_path):
    plan = make_run_plan(tmp_path, name="wrong", keep_best={"metric": "train/animal/accuracy"})
    once = TrainConfig(max_failures=0)

    with pytest.raises(TrainingError, match="train/animal/accuracy"):
        fit_runs([plan], config=once, share=WorkerShare(1, 0.9, False), storage=tmp_path / "ray")


@pytest.mark.parametrize(
    ("workers", "cpus", "gpus", "expected"),
    [
        ("auto", 2, 0, WorkerShare(1, 2, False)),
        (2, 2, 0, WorkerShare(2, 1, False)),
        (2, 1, 0, WorkerShare(2, 0.5, False)),
        ("auto", 16, 4, WorkerShare(4, 4, True)),
        ({"min": 1, "max": 4}, 16, 2, WorkerShare(4, 4, True, least=1)),
        ({"min": 2, "max": 4}, 8, 0, WorkerShare(4, 2, False, least=2)),
        ({"min": 1, "max": 4}, 2, 0, WorkerShare(4, 1, False, least=1)),
    ],
)
def test_workers_always_fit_the_cluster(workers, cpus, gpus, expected):
    found = plan_workers(TrainConfig(workers=workers), ClusterSize(cpus, gpus))

    assert found == expected
    assert (found.least or found.workers) * found.cpus <= cpus
