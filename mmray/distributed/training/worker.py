"""One worker of a training, on Ray Train: a shell around ``train_job``."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mmray.core.file.atomic import read_complete
from mmray.distributed.training.inbox import Inbox
from mmray.distributed.training.reservation import noted
from mmray.run.epoch_file import EPOCHS, append_epoch
from mmray.run.training_job import TrainingJob

if TYPE_CHECKING:
    from mmray.training.loop.plan import EpochRecord
    from mmray.training.parallel.worker_context import WorkerContext

SETTINGS = "settings"
"""Key of what Ray Train passes on to every worker."""


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What every worker of a group is told."""

    inbox: Inbox
    threads: int
    note: Path
    """File for the placement group of the workers, see ``reservation``."""


def work(given: Mapping[str, WorkerSettings]) -> None:
    """Train the jobs of the inbox, one after the other, until it is closed."""
    settings = given[SETTINGS]
    # Here and not above: the controller, which only passes this on, would load all of it too.
    import ray.train.torch
    import torch

    from mmray.training.parallel.worker_context import WorkerContext

    torch.set_num_threads(settings.threads)
    ray_context, device = ray.train.get_context(), ray.train.torch.get_device()
    if device.type == "cuda":
        torch.cuda.set_device(device)
    rank = ray_context.get_world_rank()
    context = WorkerContext(rank=rank, world=ray_context.get_world_size(), device=device)
    with noted(settings.note) if rank == 0 else contextlib.nullcontext():
        if rank == 0:
            settings.inbox.note_start()
        for number, trainings in settings.inbox.jobs():
            for training in trainings:
                if read_complete(Path(training.folder)) is None:
                    _train(training, context)
            if rank == 0:
                settings.inbox.note_done(number)


def _train(training: TrainingJob, context: "WorkerContext") -> None:
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


def _note(training: TrainingJob, context: "WorkerContext", record: "EpochRecord") -> None:
    """Write an epoch to the file of the training, where the group's owner reads it.

    Nothing is reported to Ray Train: every report would wait for the next poll of its controller.
    """
    if context.rank == 0:
        append_epoch(Path(training.folder) / EPOCHS, training.name, record)
