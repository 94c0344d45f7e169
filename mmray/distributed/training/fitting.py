"""Training on Ray Train: one group of workers trains one or several models, one after the other."""

import contextlib
import json
import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray.train
import ray.train.torch
import torch
from ray.exceptions import RayActorError
from ray.train import TrainingFailedError

from mmray.config.training.train import ElasticWorkers, TrainConfig
from mmray.core.file.atomic import read_complete, writing
from mmray.distributed.failure import to_own_error
from mmray.distributed.node.session import ClusterSize
from mmray.distributed.ray_internals.use import trainer_class
from mmray.distributed.training.epoch_listener import HEARD, OnEpoch, watching
from mmray.distributed.training.loopback_torch import LoopbackTorchConfig
from mmray.distributed.training.reservation import noted
from mmray.errors import TrainingError
from mmray.run.epoch_file import EPOCHS, epoch_line, epoch_lines
from mmray.run.training_job import TrainingJob

if TYPE_CHECKING:
    from mmray.training.loop.plan import EpochRecord
    from mmray.training.parallel.worker_context import WorkerContext

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WorkerShare:
    """The number of workers, and the resources of each."""

    workers: int
    cpus: float
    use_gpu: bool
    least: int | None = None
    """Smallest number of workers that training continues with."""

    @property
    def num_workers(self) -> int | tuple[int, int]:
        """Return the number as Ray Train takes it."""
        return self.workers if self.least is None else (self.least, self.workers)


def plan_workers(config: TrainConfig, size: ClusterSize) -> WorkerShare:
    """Fit the workers into the cluster so that Ray can always start all of them."""
    match config.workers:
        case ElasticWorkers(min=least, max=wanted):
            use_gpu = size.gpus >= least
        case "auto":
            least, wanted, use_gpu = None, max(1, size.gpus), size.gpus > 0
        case wanted:
            least, use_gpu = None, size.gpus >= wanted
    # Whole cores where there are enough; a fraction lets two workers share one core. Where there
    # may be fewer workers, Ray counts how many have room, and miscounts fractions.
    is_whole = size.cpus >= wanted or least is not None
    cpus = max(1, size.cpus // wanted) if is_whole else size.cpus / wanted
    return WorkerShare(workers=wanted, cpus=cpus, use_gpu=use_gpu, least=least)


def fit_runs(
    plans: Sequence[TrainingJob],
    *,
    config: TrainConfig,
    share: WorkerShare,
    storage: Path,
    on_epoch: OnEpoch | None = None,
    note: Path | None = None,
) -> None:
    """Train every plan that is not complete yet; ``on_epoch(run name, record)`` gets each epoch.

    ``note`` names a file for the placement group of the workers, see ``reservation``.

    Raises:
        MMRayError: what a worker raised, if it was one of ours; else a TrainingError.
    """
    is_local = plans[0].config.runtime.mode == "local"
    trainer = trainer_class(is_local=is_local)(
        _worker,
        train_loop_config={"plans": list(plans), "threads": max(1, int(share.cpus)), "note": note},
        scaling_config=ray.train.ScalingConfig(
            num_workers=share.num_workers,
            use_gpu=share.use_gpu,
            resources_per_worker={"CPU": share.cpus, **({"GPU": 1} if share.use_gpu else {})},
        ),
        run_config=ray.train.RunConfig(
            # A fresh name: mmray's own checkpoints say where to go on, not Ray's.
            name=f"mmray-{uuid.uuid4().hex[:8]}",
            storage_path=str(storage.resolve()),
            failure_config=ray.train.FailureConfig(max_failures=config.max_failures),
        ),
        torch_config=LoopbackTorchConfig() if is_local else None,
    )
    _forget_earlier(plans)
    watched = {plan.name: Path(plan.folder) / EPOCHS for plan in plans}
    needed = Path(plans[0].manifest)
    try:
        with watching(watched, on_epoch, needed=needed) if on_epoch else contextlib.nullcontext():
            trainer.fit()
    except KeyboardInterrupt as stop:
        stop.add_note(_reached(plans))
        raise
    except TrainingFailedError as error:
        raise to_own_error(error) from error
    except RayActorError as error:
        raise TrainingError(
            "the process that leads the workers was lost",
            hint="was memory short? run the same command to resume from the last epoch",
        ) from error


def _forget_earlier(plans: Sequence[TrainingJob]) -> None:
    """Remove what was heard of an earlier training where that says nothing of this one."""
    for plan in plans:
        if plan.starts_anew:
            for name in (EPOCHS, HEARD):
                (Path(plan.folder) / name).unlink(missing_ok=True)


def _reached(plans: Sequence[TrainingJob]) -> str:
    """Return the epoch from which the running training would resume, and its number of several."""
    plan = next((each for each in plans if read_complete(Path(each.folder)) is None), plans[-1])
    lines = epoch_lines(Path(plan.folder) / EPOCHS)
    of = f" of {plan.name!r}" if len(plans) > 1 else ""
    return f"after epoch {lines[-1]['epoch']}{of}" if lines else f"before the first epoch{of}"


def _worker(settings: dict[str, Any]) -> None:
    """Train all plans on this worker: a shell around ``train_job``."""
    # Here and not above: the controller, which only passes this on, would load all of it too.
    from mmray.run.cross_validation import train_job
    from mmray.training.parallel.sharded import shard
    from mmray.training.parallel.worker_context import WorkerContext

    torch.set_num_threads(settings["threads"])
    context = ray.train.get_context()
    context = WorkerContext(
        rank=context.get_world_rank(),
        world=context.get_world_size(),
        device=ray.train.torch.get_device(),
    )
    note = settings["note"] if context.rank == 0 else None
    with noted(note) if note else contextlib.nullcontext():
        for plan in settings["plans"]:
            if read_complete(Path(plan.folder)) is not None:
                continue
            is_sharded = plan.config.train.parallel == "fsdp"
            train_job(
                plan,
                context=context,
                wrap=shard if is_sharded else ray.train.torch.prepare_model,
                on_epoch=lambda record, plan=plan: _on_epoch(plan, context, record),
            )


def _on_epoch(plan: TrainingJob, context: "WorkerContext", record: "EpochRecord") -> None:
    ray.train.report({"run": plan.name, **record.metrics})
    if context.rank == 0:
        path = Path(plan.folder) / EPOCHS
        with writing(path), path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(epoch_line(plan.name, record)) + "\n")
