"""The process that runs a group of workers on Ray Train, so that who asked for it stays free."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import ray
from ray.exceptions import RayActorError

from mmray.distributed.failure import to_own_error
from mmray.distributed.training.share import WorkerShare
from mmray.distributed.training.worker import WorkerSettings, work
from mmray.errors import TrainingError


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """What a group of workers is made from."""

    share: WorkerShare
    max_failures: int
    is_local: bool
    storage: Path
    name: str
    environment: Mapping[str, str]
    """Variables of the process that asks, which Ray Train reads."""


@ray.remote(num_cpus=0, max_retries=0)
def lead(settings: GroupSettings, for_workers: WorkerSettings) -> None:
    """Run the workers until they end.

    Raises:
        MMRayError: what a worker raised, if it was one of ours; else a TrainingError.
    """
    os.environ.update(settings.environment)
    # Here and not above: the process that asks needs none of it.
    import ray.train

    from mmray.distributed.ray_internals.train import build_trainer
    from mmray.distributed.training.loopback_torch import LoopbackTorchConfig

    share = settings.share
    trainer = build_trainer(
        work,
        given=dict(for_workers),
        scaling=ray.train.ScalingConfig(
            num_workers=share.num_workers,
            use_gpu=share.use_gpu,
            resources_per_worker={"CPU": share.cpus, **({"GPU": 1} if share.use_gpu else {})},
        ),
        run=ray.train.RunConfig(
            # A fresh name: mmray's own checkpoints say where to resume, not Ray's.
            name=settings.name,
            storage_path=str(settings.storage),
            failure_config=ray.train.FailureConfig(max_failures=settings.max_failures),
        ),
        backend=LoopbackTorchConfig() if settings.is_local else None,
    )
    try:
        trainer.fit()
    except ray.train.TrainingFailedError as error:
        raise to_own_error(error) from error
    except RayActorError as error:
        raise TrainingError(
            "the process that leads the workers was lost",
            hint="was memory short? run the same command to resume from the last epoch",
        ) from error
