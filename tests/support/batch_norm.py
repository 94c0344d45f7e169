"""Trainings whose pictures are normalised by statistics of the batch, as one of two processes."""

import os

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from mmray.config.model.encoder import LeNetEncoderConfig, LinearEncoderConfig
from mmray.config.model.model import ModelConfig
from mmray.config.training.train import TrainConfig
from mmray.models.build import build_model
from mmray.training.loop.loop import fit
from mmray.training.parallel.sharded import shard
from mmray.training.parallel.worker_context import WorkerContext
from tests.support.sample import TASKS
from tests.support.training import ignore, make_plan

ENCODERS = {
    "text": LinearEncoderConfig(),
    "image": LeNetEncoderConfig(channels=4, layers=2),
    "audio": LeNetEncoderConfig(channels=4, layers=2),
}


def make_lenets(samples, seed=0):
    torch.manual_seed(seed)
    specs = {name: features.spec for name, features in samples.modalities.items()}
    heads = {name: task.head for name, task in TASKS.items()}
    return build_model(
        ModelConfig(width=8, dropout=0.0, modality_dropout=0.0), ENCODERS, specs, heads
    )


def train_lenets(rank: int, world: int, folder: str) -> None:
    torch.set_num_threads(1)
    store = f"file://{folder}/rendezvous"
    dist.init_process_group("gloo", init_method=store, rank=rank, world_size=world)
    for parallel, wrap in (("ddp", DistributedDataParallel), ("fsdp", shard)):
        ema = 0.5 if parallel == "ddp" else None
        config = TrainConfig(epochs=2, batch_size=8, ema=ema, parallel=parallel, accumulate=2)
        # The last batch is of 3: one worker could cut its two in two parts, the other not its one.
        plan = make_plan(config=config, context=WorkerContext(rank, world), absent=0.4, train=35)
        model = make_lenets(plan.train)
        fit(model, plan, wrap=wrap, on_epoch=ignore)
        torch.save(model.state_dict(), f"{folder}/{parallel}-{rank}.pt")
    dist.destroy_process_group()
    os._exit(0)  # torch's threads need not be waited for
