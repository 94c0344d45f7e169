"""Trainings with each balancing method, on one worker or as one of two processes."""

import os
from pathlib import Path

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from mmray.config.training.balance import GradientBlendingConfig, MmParetoConfig, OgmGeConfig
from mmray.config.training.train import TrainConfig
from mmray.training.loop.loop import fit
from mmray.training.parallel.worker_context import WorkerContext
from tests.support.sample import make_model
from tests.support.training import identity, ignore, make_plan

METHODS = {
    "ogm_ge": OgmGeConfig(alpha=0.7, start=1, end=3),
    "gradient_blending": GradientBlendingConfig(every=2),
    "mmpareto": MmParetoConfig(),
}


def train(
    name, *, epochs=3, context=None, folder=None, wrap=identity, on_epoch=ignore, dropout=0.0
):
    config = TrainConfig(epochs=epochs, batch_size=8, lr=3e-3, balance=METHODS[name])
    plan = make_plan(config=config, context=context, folder=folder, train=39)
    model = make_model(plan.train, dropout=dropout)
    return model, fit(model, plan, wrap=wrap, on_epoch=on_epoch)


def run_worker(rank, world, folder):
    """One of several processes that train with DDP, with one method after the other."""
    torch.set_num_threads(1)
    store = f"file://{folder}/rendezvous"
    dist.init_process_group("gloo", init_method=store, rank=rank, world_size=world)
    found = {}
    for name in METHODS:
        context = WorkerContext(rank, world)
        model, report = train(name, context=context, wrap=DistributedDataParallel)
        found[name] = model.state_dict(), [record.metrics for record in report.records]
    if rank == 0:
        torch.save(found, Path(folder, "found.pt"))
    dist.destroy_process_group()
    # Torch's threads need not be waited for: all is written.
    os._exit(0)
