"""Trainings after the trials, by the command's workers, each in its own run."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmray.config.training.train import ObjectiveConfig
from mmray.core.file.atomic import read_complete
from mmray.display.training_display import TrainingDisplay
from mmray.distributed.node.session import connect
from mmray.distributed.training.share import plan_workers
from mmray.errors import TrainingError
from mmray.run.training_job import TrainingJob
from mmray.stages.workspace import Workspace
from mmray.tracking.tracker import Tracker

logger = logging.getLogger(__name__)


def train_again(
    jobs: Sequence[TrainingJob],
    *,
    objective: ObjectiveConfig,
    workspace: Workspace,
    tracker: Tracker,
) -> None:
    """Train all jobs, one after the other, and log their epochs under the workflow's run.

    One that fails is left incomplete, and the others continue.
    """
    config, storage = workspace.config, workspace.folder / "ray"
    logger.info("%d further trainings of the best trials and the document", len(jobs))
    share = plan_workers(config.train, connect(config.runtime))
    with TrainingDisplay([job.name for job in jobs], config) as display:

        def hear(name: str, record: dict[str, Any]) -> None:
            display.hear(name, record, _log_epoch(tracker, objective, name, record))

        def train(some: Sequence[TrainingJob]) -> None:
            with workspace.workers.using(config, share, storage) as group:
                group.train(some, on_epoch=hear)

        pass_over_failures(jobs, train)


def pass_over_failures(
    jobs: Sequence[TrainingJob], train: Callable[[Sequence[TrainingJob]], None]
) -> None:
    """Train jobs in their order; the one that fails is named, and those after it are trained."""
    pending = list(jobs)
    while pending:
        try:
            train(pending)
        except TrainingError as error:
            if not Path(pending[0].manifest).exists():  # then every other one fails as well
                raise
            failed = [read_complete(Path(job.folder)) is None for job in pending].index(True)
            logger.warning("warning: %s failed: %s", pending[failed].name, error)
            pending = pending[failed + 1 :]
        else:
            return


def _log_epoch(
    tracker: Tracker, objective: ObjectiveConfig, name: str, record: Mapping[str, Any]
) -> str:
    metrics, seconds = record["metrics"], record["seconds"]
    run = tracker.child(name, started=time.time() - seconds)
    run.log_metrics(metrics, step=record["epoch"])
    return f"epoch {record['epoch']}, {objective.metric} {metrics.get(objective.metric, 0.0):.4f}"
