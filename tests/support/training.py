"""Small trainings for tests, on one worker or as one of two processes."""

import contextlib
import json
import os
from dataclasses import asdict
from pathlib import Path

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from mmray.config.training.train import TrainConfig
from mmray.training.loop.loop import fit
from mmray.training.loop.plan import TrainPlan
from mmray.training.parallel.sharded import shard
from mmray.training.parallel.worker_context import WorkerContext
from tests.support.sample import TASKS, make_model, make_samples


def identity(model):
    return model


def ignore(record):
    pass


def make_plan(*, config=None, context=None, folder=None, val=20, train=40, absent=0.2):
    samples = make_samples(train + val, absent=absent, unlabelled=0.2)
    parts = take(samples, 0, train), take(samples, train, train + val)
    config = config or TrainConfig(epochs=3, batch_size=8, lr=3e-3)
    return TrainPlan(TASKS, *parts, config, context or WorkerContext(), folder)


def take(samples, start, stop):
    """The samples from start to stop."""
    from mmray.training.data.samples import ModalityFeatures, Samples

    def cut(features):
        present = features.present[start:stop]
        if features.offsets is None:
            return ModalityFeatures(features.spec, features.values[start:stop], None, present)
        offsets = features.offsets[start : stop + 1]
        return ModalityFeatures(features.spec, features.values, offsets, present)

    return Samples(
        samples.ids[start:stop],
        {name: cut(features) for name, features in samples.modalities.items()},
        {task: labels[start:stop] for task, labels in samples.labels.items()},
    )


class StoppedError(Exception):
    pass


def run_sharded(*, context, folder, config):
    """Train with the weights shared out, be stopped after the first epoch, and go on."""
    config = config.model_copy(update={"parallel": "fsdp", "ema": None})
    plan = make_plan(context=context, config=config, folder=folder / "checkpoints")

    def stop(record):
        raise StoppedError

    with contextlib.suppress(StoppedError):
        fit(make_model(plan.train), plan, wrap=shard, on_epoch=stop)
    dist.barrier()
    model = make_model(plan.train, seed=1)
    report = fit(model, plan, wrap=shard, on_epoch=ignore)
    torch.save((report.resumed_from, model.state_dict()), folder / f"sharded-{context.rank}.pt")


def run_worker(
    rank: int, world: int, folder: str, is_synchronised: bool = True, config=None
) -> None:
    """One of several processes: trains with DDP, or without, and writes down what came of it."""
    torch.set_num_threads(1)
    store = f"file://{folder}/rendezvous"
    dist.init_process_group("gloo", init_method=store, rank=rank, world_size=world)
    plan = make_plan(context=WorkerContext(rank, world), config=config)
    model = make_model(plan.train)
    wrap = DistributedDataParallel if is_synchronised else identity
    report = fit(model, plan, wrap=wrap, on_epoch=ignore)
    torch.save(model.state_dict(), f"{folder}/weights-{rank}.pt")
    Path(folder, f"seed-{rank}").write_text(str(torch.initial_seed()))
    records = [asdict(record) for record in report.records]
    Path(folder, f"records-{rank}.json").write_text(json.dumps(records))
    if config is not None:
        run_sharded(context=plan.context, folder=Path(folder), config=config)
    dist.destroy_process_group()
    # Torch's threads need not be waited for: all is written.
    os._exit(0)
