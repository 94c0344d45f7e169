"""One worker of a training, on Ray Train: a shell around ``train_job``.

Functions load what they need: the processes that only pass a worker's settings on load none of it.
"""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from mmray.run.training_job import TrainingJob
    from mmray.training.loop.plan import EpochRecord
    from mmray.training.parallel.worker_context import WorkerContext


class WorkerSettings(TypedDict):
    """The settings that every worker of a group gets."""

    inbox: str
    threads: int
    note: str
    """File for the placement group of the workers, see ``reservation``."""


def work(settings: WorkerSettings) -> None:
    """Train the jobs of the inbox, one after the other, until it is closed."""
    import ray.train.torch
    import torch

    from mmray.core.file.atomic import read_complete
    from mmray.distributed.training.inbox import Inbox
    from mmray.distributed.training.reservation import noted
    from mmray.training.parallel.worker_context import WorkerContext

    torch.set_num_threads(settings["threads"])
    ray_context, device = ray.train.get_context(), ray.train.torch.get_device()
    if device.type == "cuda":
        torch.cuda.set_device(device)
    rank, inbox = ray_context.get_world_rank(), Inbox(Path(settings["inbox"]))
    context = WorkerContext(rank=rank, world=ray_context.get_world_size(), device=device)
    with noted(Path(settings["note"])) if rank == 0 else contextlib.nullcontext():
        if rank == 0:
            inbox.note_start()
        for number, trainings in inbox.jobs():
            for training in trainings:
                if read_complete(Path(training.folder)) is None:
                    _train(training, context)
            if rank == 0:
                inbox.note_done(number)


def _train(training: "TrainingJob", context: "WorkerContext") -> None:
    import ray.train.torch

    from mmray.run.cross_validation import train_job
    from mmray.training.parallel.sharded import shard

    is_sharded = training.config.train.parallel == "fsdp"
    train_job(
        training,
        context=context,
        wrap=shard if is_sharded else ray.train.torch.prepare_model,
        on_epoch=lambda record: _note(training, context, record),
    )


def _note(training: "TrainingJob", context: "WorkerContext", record: "EpochRecord") -> None:
    """Write an epoch to the file of the training, where the group's owner reads it.

    Nothing is reported to Ray Train: every report would wait for the next poll of its controller.
    """
    from mmray.run.epoch_file import EPOCHS, append_epoch

    if context.rank == 0:
        append_epoch(Path(training.folder) / EPOCHS, training.name, record)
