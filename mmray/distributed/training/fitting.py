"""Training on Ray Train: one group of workers trains one or several models, one after the other."""

from collections.abc import Sequence
from pathlib import Path

from mmray.config.training.train import ElasticWorkers, TrainConfig
from mmray.distributed.node.session import ClusterSize
from mmray.distributed.training.epoch_listener import OnEpoch
from mmray.distributed.training.group import TrainingGroup
from mmray.distributed.training.share import WorkerShare
from mmray.run.training_job import TrainingJob

__all__ = ["WorkerShare", "fit_runs", "plan_workers"]


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
    """Train every plan that is not complete yet, by workers that end afterwards.

    ``on_epoch(run name, record)`` gets each epoch. ``note`` names a file for the placement group of
    the workers, see ``reservation``.

    Raises:
        MMRayError: what a worker raised, if it was one of ours; else a TrainingError.
    """
    with TrainingGroup(
        share,
        max_failures=config.max_failures,
        is_local=plans[0].config.runtime.mode == "local",
        storage=storage,
        note=note,
    ) as group:
        group.train(plans, on_epoch=on_epoch)
