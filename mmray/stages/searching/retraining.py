"""Trainings after the trials, in one group of workers, each in its own run."""

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmray.config.document import Config
from mmray.config.training.train import ObjectiveConfig
from mmray.display.training_display import TrainingDisplay
from mmray.distributed.node.session import connect
from mmray.distributed.training.fitting import fit_runs, plan_workers
from mmray.run.training_job import TrainingJob
from mmray.tracking.tracker import Tracker

logger = logging.getLogger(__name__)


def train_again(
    jobs: Sequence[TrainingJob],
    *,
    config: Config,
    objective: ObjectiveConfig,
    storage: Path,
    tracker: Tracker,
) -> None:
    """Train all jobs, one after the other, and log their epochs under the workflow's run."""
    logger.info("training the best trials with further seeds: %d trainings", len(jobs))
    with TrainingDisplay([job.name for job in jobs], config) as display:

        def hear(name: str, record: dict[str, Any]) -> None:
            display.hear(name, record, _log_epoch(tracker, objective, name, record))

        fit_runs(
            jobs,
            config=config.train,
            share=plan_workers(config.train, connect(config.runtime)),
            storage=storage,
            on_epoch=hear,
        )


def _log_epoch(
    tracker: Tracker, objective: ObjectiveConfig, name: str, record: Mapping[str, Any]
) -> str:
    metrics, seconds = record["metrics"], record["seconds"]
    run = tracker.child(name, started=time.time() - seconds)
    run.log_metrics(metrics, step=record["epoch"])
    return f"epoch {record['epoch']}, {objective.metric} {metrics.get(objective.metric, 0.0):.4f}"
