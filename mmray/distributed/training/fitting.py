"""Training on Ray Train: one group of workers trains one or several models, one after the other."""

from collections.abc import Sequence
from pathlib import Path

from mmray.config.training.train import TrainConfig
from mmray.distributed.training.epoch_listener import OnEpoch
from mmray.distributed.training.group import TrainingGroup
from mmray.distributed.training.share import WorkerShare, plan_workers
from mmray.run.training_job import TrainingJob

__all__ = ["WorkerShare", "fit_runs", "plan_workers"]


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
