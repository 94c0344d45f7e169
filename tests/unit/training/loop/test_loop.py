import json
import math
import shutil

import pytest
import torch

from mmray.config.training.train import EarlyStopConfig, ObjectiveConfig, TrainConfig
from mmray.errors import TrainingError
from mmray.training.loop.checkpoint import load_latest
from mmray.training.loop.loop import fit, seed_epoch
from mmray.training.loop.validation import validate
from tests.support.sample import make_model
from tests.support.training import identity, ignore, make_plan, run_worker
from tests.support.workers import in_one_process, run_on_two


def train(plan, *, dropout=0.0, wrap=identity, on_epoch=ignore):
    model = make_model(plan.train, dropout=dropout)
    return model, fit(model, plan, wrap=wrap, on_epoch=on_epoch)


def timeless(report):
    """The records without what depends on the clock."""
    return [
        (r.epoch, r.weights_hashes, {k: v for k, v in r.metrics.items() if "per_s" not in k})
        for r in report.records
    ]


def test_a_small_problem_is_learnt():
    config = TrainConfig(epochs=10, batch_size=16, lr=1e-2)
    plan = make_plan(config=config, train=300, val=300, absent=0.0)

    model, report = train(plan)

    assert report.best.metrics["val/digit/accuracy"] > 0.85
    assert report.best.metrics["val/rate/r2"] > 0.8
    assert report.best.metrics["train/loss"] < 0.5 * report.records[0].metrics["train/loss"]
    assert validate(model, plan.val, plan)["loss"] == report.best.metrics["val/loss"]


class WorkerDiedError(Exception):
    pass


ALL_TOGETHER = {
    "accumulate": 2, "sampling": "balanced", "schedule": "one_cycle", "warmup": 0.3, "ema": 0.8,
}  # fmt: skip


@pytest.mark.parametrize(("after", "more"), [(1, {}), (2, ALL_TOGETHER), (4, ALL_TOGETHER)])
def test_going_on_from_a_checkpoint_equals_never_having_stopped(tmp_path, after, more):
    config = TrainConfig(epochs=4, batch_size=8, lr=3e-3, **more)

    def die(record):
        if record.epoch + 1 == after:
            raise WorkerDiedError

    plan = make_plan(config=config, folder=tmp_path)
    with pytest.raises(WorkerDiedError):
        train(plan, dropout=0.3, on_epoch=die)
    torch.manual_seed(99)
    resumed, report = train(plan, dropout=0.3)
    undisturbed, expected = train(make_plan(config=config), dropout=0.3)

    assert (report.resumed_from, expected.resumed_from) == (after, None)
    assert timeless(report) == timeless(expected)
    torch.testing.assert_close(resumed.state_dict(), undisturbed.state_dict(), atol=0, rtol=0)


AVERAGED = TrainConfig(
    epochs=4, batch_size=8, lr=3e-3, sampling="balanced", ema=0.8, keep_checkpoints=4
)
UNAVERAGED = AVERAGED.model_copy(update={"ema": None})


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory):
    """What two processes left after 20 steps, each step in two parts: with DDP and with FSDP."""
    folder = tmp_path_factory.mktemp("workers")
    in_parts = AVERAGED.model_copy(update={"accumulate": 2})
    run_on_two(run_worker, str(folder), True, in_parts)
    return folder


@in_one_process
def test_two_workers_train_the_same_model_as_one(two_workers):
    model, report = train(make_plan(config=AVERAGED))

    records = [json.loads((two_workers / f"records-{rank}.json").read_text()) for rank in (0, 1)]
    hashes = [record["weights_hashes"] for record in records[0]]
    weights = torch.load(two_workers / "weights-0.pt")
    assert all(first == second for first, second in hashes)
    assert len({first for first, _ in hashes}) == 4
    torch.testing.assert_close(weights, model.state_dict(), atol=1e-5, rtol=0)
    for alone, together in zip(report.records, records[0], strict=True):
        assert set(alone.metrics) == set(together["metrics"])
        for name in ("val/loss", "train/loss"):
            assert together["metrics"][name] == pytest.approx(alone.metrics[name], abs=1e-4)


@in_one_process
def test_workers_drop_out_other_units(two_workers):
    seeds = [int((two_workers / f"seed-{rank}").read_text()) for rank in (0, 1)]

    assert seeds[0] != seeds[1]


@pytest.mark.parametrize("other", [(8, 1, 0), (7, 2, 0), (7, 1, 1)], ids=["seed", "epoch", "rank"])
def test_dropout_follows_from_seed_epoch_and_rank(other):
    drawn = []
    for settings in ((7, 1, 0), (7, 1, 0), other):
        seed_epoch(*settings)
        drawn.append(torch.rand(8))

    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_weights_that_are_shared_out_train_the_same_model_also_when_stopped(two_workers):
    model, _ = train(make_plan(config=UNAVERAGED))

    for rank in (0, 1):
        resumed_from, weights = torch.load(two_workers / f"sharded-{rank}.pt")
        assert resumed_from == 1
        torch.testing.assert_close(weights, model.state_dict(), atol=1e-5, rtol=0)


@in_one_process
def test_one_worker_goes_on_where_two_have_stopped(two_workers, tmp_path):
    checkpoints = shutil.copytree(two_workers / "checkpoints", tmp_path / "checkpoints")
    for epoch in (3, 4):
        shutil.rmtree(checkpoints / f"epoch-{epoch:04d}")

    model, report = train(make_plan(config=UNAVERAGED, folder=checkpoints))
    expected, _ = train(make_plan(config=UNAVERAGED))

    assert report.resumed_from == 2
    torch.testing.assert_close(model.state_dict(), expected.state_dict(), atol=1e-5, rtol=0)


def test_training_stops_when_the_metric_no_longer_becomes_better(tmp_path):
    stop = EarlyStopConfig(metric="train/lr", mode="max", patience=2)
    config = TrainConfig(epochs=9, batch_size=8, warmup=0.0, early_stop=stop)
    plan = make_plan(config=config, folder=tmp_path)

    _, report = train(plan)
    _, again = train(plan)

    assert report.stopped_after == 3
    assert (again.stopped_after, again.resumed_from) == (3, 3)


def test_the_best_epoch_becomes_the_model(tmp_path):
    best = ObjectiveConfig(metric="train/lr", mode="max")
    config = TrainConfig(epochs=4, batch_size=8, warmup=0.0, keep_best=best, keep_checkpoints=1)
    plan = make_plan(config=config, folder=tmp_path)

    model, report = train(plan)

    assert report.best_epoch == 0
    torch.testing.assert_close(model.state_dict(), load_latest(tmp_path).best_model)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["epoch-0001", "epoch-0004"]


def test_an_unknown_metric_is_an_error_before_anything_is_trained():
    config = TrainConfig(keep_best=ObjectiveConfig(metric="val/digit/f1"))

    with pytest.raises(TrainingError, match="there is no metric 'val/digit/f1'") as caught:
        train(make_plan(config=config))

    assert "val/digit/f1_macro" in caught.value.hint


def test_without_val_samples_training_is_evaluated_on_the_train_split(caplog):
    _, report = train(make_plan(val=0))

    assert "the model is evaluated on the train split" in caplog.text
    assert "train/digit/accuracy" in report.best.metrics
    assert not any(name.startswith("val/") for name in report.best.metrics)


def test_a_loss_that_is_not_finite_is_an_error_with_a_hint():
    plan = make_plan()
    plan.train.labels["rate"][:5] = 1e38

    with pytest.raises(TrainingError, match="no longer a finite number") as caught:
        train(plan)

    assert "lower train.lr (now 0.003)" in caught.value.hint


def test_a_val_metric_that_is_not_finite_is_an_error_that_names_it():
    plan = make_plan()
    model = make_model(plan.train)
    # As a user's own module that goes wrong outside of training.
    model.heads[1].register_forward_hook(lambda m, _, out: out if m.training else out * math.nan)

    with pytest.raises(TrainingError, match=r"no finite numbers: val/loss, val/rate/"):
        fit(model, plan, wrap=identity, on_epoch=ignore)


def test_too_few_samples_for_the_workers_are_an_error():
    config = TrainConfig(batch_size=8)

    with pytest.raises(TrainingError, match="too few samples for 1 worker: 0 in batches of 8"):
        train(make_plan(config=config, train=0))


def test_bfloat16_trains_too():
    config = TrainConfig(epochs=6, batch_size=8, lr=1e-2, precision="bfloat16")

    _, report = train(make_plan(config=config))

    losses = [record.metrics["train/loss"] for record in report.records]
    assert losses[-1] < 0.8 * losses[0]


@in_one_process
def test_workers_that_drift_apart_end_the_training(tmp_path):
    with pytest.raises(Exception, match="after epoch 1 the workers hold different models"):
        run_on_two(run_worker, str(tmp_path), False)
