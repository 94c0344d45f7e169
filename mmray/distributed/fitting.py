"""Training on Ray Train: one group of workers trains one or several models, one after the other."""

import contextlib
import json
import logging
import threading
import uuid
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray.train
import ray.train.torch
import torch
from ray.exceptions import RayActorError
from ray.train import TrainingFailedError
from ray.train.v2._internal.callbacks.datasets import DatasetsCallback
from ray.train.v2._internal.callbacks.placement_group_callback import PlacementGroupCleanerCallback
from ray.train.v2._internal.execution.callback import RayTrainCallback
from ray.train.v2._internal.execution.scaling_policy import FixedScalingPolicy, ScalingPolicy
from ray.train.v2.api.callback import UserCallback

from mmray.assembly.epoch_file import EPOCHS, epoch_line, epoch_lines
from mmray.assembly.run_plan import RunPlan
from mmray.config.train import ElasticWorkers, TrainConfig
from mmray.core.atomic import read_complete, read_json, write_json
from mmray.distributed.failure import to_own_error
from mmray.distributed.session import ClusterSize
from mmray.errors import TrainingError

if TYPE_CHECKING:
    from mmray.training.place import Place
    from mmray.training.plan import EpochRecord

logger = logging.getLogger(__name__)

POLL_S = 0.5
HEARD = "heard.json"
"""Beside a run's epochs: the numbers of those that were passed on."""

OnEpoch = Callable[[str, dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class WorkerShare:
    """How many workers there are, and what each may use."""

    workers: int
    cpus: float
    use_gpu: bool
    least: int | None = None
    """Where the cluster has room for fewer, or loses some, training goes on with so many."""

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
    plans: Sequence[RunPlan],
    *,
    config: TrainConfig,
    share: WorkerShare,
    storage: Path,
    on_epoch: OnEpoch | None = None,
    callbacks: Sequence[UserCallback] = (),
) -> None:
    """Train every plan that is not complete yet; ``on_epoch(run name, record)`` hears each epoch.

    Raises:
        MMRayError: what a worker raised, if it was one of ours; else a TrainingError.
    """
    is_local = plans[0].config.runtime.mode == "local"
    trainer = (_LocalTrainer if is_local else _Trainer)(
        _worker,
        train_loop_config={"plans": list(plans), "threads": max(1, int(share.cpus))},
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
            callbacks=list(callbacks),
        ),
    )
    for plan in plans:
        if plan.starts_anew:  # what was heard of an earlier training says nothing of this one
            for name in (EPOCHS, HEARD):
                (Path(plan.folder) / name).unlink(missing_ok=True)
    watched = {plan.name: Path(plan.folder) / EPOCHS for plan in plans}
    with watching(watched, on_epoch) if on_epoch else contextlib.nullcontext():
        try:
            trainer.fit()
        except TrainingFailedError as error:
            raise to_own_error(error) from error
        except RayActorError as error:
            raise TrainingError(
                "the process that leads the workers was lost",
                hint="was memory short? run the same command again to go on from the last epoch",
            ) from error


class _Trainer(ray.train.torch.TorchTrainer):
    """Trains without what Ray Train does for Ray Data, which no batch of ours comes from.

    That starts a process more, and loads Ray Data in it and in every worker: seconds each time.
    """

    def _create_default_callbacks(self) -> list[RayTrainCallback]:
        callbacks = super()._create_default_callbacks()
        return [each for each in callbacks if not isinstance(each, DatasetsCallback)]


class _LocalTrainer(_Trainer):
    """Trains on a cluster of this process, without two actors that serve clusters of others.

    One cleans up after dead trainings. It asks the dashboard of the cluster that was last started
    by hand on this machine, not ours; where that one has ended, its answer is waited for, and a
    training ends 12 s late. A cluster of our own ends with this process, so there is nothing to
    clean up. The other is asked for nodes, and there can be no more.
    """

    def _create_default_callbacks(self) -> list[RayTrainCallback]:
        callbacks = super()._create_default_callbacks()
        return [each for each in callbacks if not isinstance(each, PlacementGroupCleanerCallback)]

    def _initialize_and_run_controller(
        self,
        *,
        scaling_policy: ScalingPolicy,
        **options: Any,  # noqa: ANN401 (as Ray's)
    ) -> ray.train.Result:
        if isinstance(scaling_policy, FixedScalingPolicy):
            scaling_policy = _GivenWorkers(self.scaling_config)
        return super()._initialize_and_run_controller(scaling_policy=scaling_policy, **options)


class _GivenWorkers(FixedScalingPolicy):
    """As many workers as are wanted, on the nodes that there are."""

    def after_controller_start(self, train_run_context: object) -> None:
        """Ask nobody for nodes."""

    def _maybe_send_resource_request(self) -> None:
        """Do not ask again."""


def _worker(settings: dict[str, Any]) -> None:
    """Train all plans on this worker: a shell around ``train_run``."""
    # Here and not above: the controller, which only passes this on, would load all of it too.
    from mmray.assembly.run import train_run
    from mmray.training.place import Place
    from mmray.training.sharded import shard

    torch.set_num_threads(settings["threads"])
    context = ray.train.get_context()
    place = Place(
        rank=context.get_world_rank(),
        world=context.get_world_size(),
        device=ray.train.torch.get_device(),
    )
    for plan in settings["plans"]:
        if read_complete(Path(plan.folder)) is not None:
            continue
        train_run(
            plan,
            place=place,
            wrap=shard if plan.config.train.parallel == "fsdp" else ray.train.torch.prepare_model,
            on_epoch=lambda record, plan=plan: _on_epoch(plan, place, record),
        )


def _on_epoch(plan: RunPlan, place: "Place", record: "EpochRecord") -> None:
    ray.train.report({"run": plan.name, **record.metrics})
    if place.rank == 0:
        with (Path(plan.folder) / EPOCHS).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(epoch_line(plan.name, record)) + "\n")


class EpochListener:
    """Passes each epoch of some runs on once, also over the death of the process that listens."""

    def __init__(self, files: dict[str, Path], on_epoch: OnEpoch) -> None:
        self._files, self._on_epoch = files, on_epoch
        # A run that goes on has epochs that were heard, and perhaps some that were not.
        self._heard = {name: _heard_before(path) for name, path in files.items()}

    def hear(self) -> None:
        """Pass on what is new."""
        for name, path in self._files.items():
            heard = self._heard[name]
            for line in epoch_lines(path):
                if line["epoch"] not in heard:
                    self._on_epoch(name, line)
                    heard.append(line["epoch"])
                    write_json(path.with_name(HEARD), heard)


def _heard_before(path: Path) -> list[int]:
    """Return the epochs that were passed on; a damaged file says of none, and all are again."""
    try:
        heard = read_json(path.with_name(HEARD))
    except (OSError, ValueError, RecursionError):
        return []
    return heard if isinstance(heard, list) else []


@contextlib.contextmanager
def watching(files: dict[str, Path], on_epoch: OnEpoch) -> Generator[None]:
    """Follow the epoch files while the block runs; every epoch has been heard once when it ends."""
    listener, stop = EpochListener(files, on_epoch), threading.Event()
    failures: list[BaseException] = []

    def follow() -> None:
        try:
            while not stop.wait(POLL_S):
                listener.hear()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=follow, name="epochs", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if failures:
        raise failures[0]
    listener.hear()
