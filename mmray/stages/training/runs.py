"""The runs of trainings in the tracking store, each with its duration, epochs and result."""

import logging
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from mmray.config.document import Config
from mmray.config.task.kind import main_metric
from mmray.evaluation.lagging import LagWatch, advice_for
from mmray.run.epoch_file import EPOCHS, epoch_lines
from mmray.stages.training.variant import Variant, run_folder, run_success
from mmray.stages.workspace import Workspace
from mmray.tracking.tracker import Run, Tracker

logger = logging.getLogger(__name__)


class TrainingRuns:
    """Opens the run of a training when it starts: trainings run one after another.

    ``anew`` are the trainings that start over: their epochs do not belong to an earlier run.
    """

    def __init__(
        self,
        tracker: Tracker,
        config: Config,
        variants: Sequence[Variant],
        anew: Collection[str] = (),
    ) -> None:
        self._anew = frozenset(anew)
        self._tracker = tracker
        self._config = config
        self._variants = {variant.name: variant for variant in variants}
        self._open: set[str] = set()
        main_metrics = {name: main_metric(task) for name, task in config.tasks_of(1).items()}
        self._lag = LagWatch(main_metrics, config.modality_order(), advice_for(config))

    def open(self, name: str, *, started: float | None = None) -> Run:
        """Return the run of a training; ``started`` is in seconds since 1970, by default now."""
        variant = self._variants[name]
        run = self._tracker.child(
            name, under=variant.first, started=started, is_new=name in self._anew
        )
        if name not in self._open:
            self._open.add(name)
            run.log_params(_run_params(self._config, variant))
        return run

    def hear(self, name: str, record: dict[str, Any]) -> str:
        """Log an epoch, warn if the fusion lags, and return a line about it."""
        metrics: dict[str, float] = record["metrics"]
        run = self.open(name, started=time.time() - record["seconds"])
        run.log_metrics(metrics, step=record["epoch"])
        shown = [f"loss {metrics['train/loss']:.3f}"]
        shown += [
            f"{key} {metrics[key]:.3f}"
            for name, task in self._config.tasks.items()
            if (key := f"val/{name}/{main_metric(task).name}") in metrics
        ]
        for warning in self._lag.hear(name, metrics):
            logger.warning("%s", warning)
        return (
            f"epoch {record['epoch']}/{self._config.train.epochs}, {', '.join(shown)}, "
            f"{metrics['train/samples_per_s']:.0f} samples/s"
        )

    def close(self, name: str, success: dict[str, Any], folder: Path) -> None:
        """Log the result of a training."""
        run = self.open(name)
        best = {
            f"best/{key}": value
            for key, value in success["best_metrics"].items()
            if key.startswith("val/")
        }
        run.log_metrics(best | {"best/epoch": success["best_epoch"]})
        run.log_metrics({"parameters": success["parameters"], "samples": success["samples"]})
        run.spent(training_seconds(folder))


def log_complete(variant: Variant, workspace: Workspace, tracker: Tracker) -> None:
    """Log a training that this workflow has not seen; what its run has already stays."""
    folder = run_folder(workspace, variant)
    runs = TrainingRuns(tracker, workspace.config, [variant])
    runs.open(variant.name, started=time.time() - training_seconds(folder))
    for line in epoch_lines(folder / EPOCHS):
        runs.hear(variant.name, line)
    runs.close(variant.name, run_success(workspace, variant), folder)


def training_seconds(folder: Path) -> float:
    """Return the duration of a training's epochs, including those before an interruption."""
    return sum(line["seconds"] for line in epoch_lines(folder / EPOCHS))


def _run_params(config: Config, variant: Variant) -> dict[str, Any]:
    document = config.model_dump(mode="json", include={"model", "train", "tasks"})
    names = variant.modalities
    encoders = {name: config.modalities[name].encode.model_dump(mode="json") for name in names}
    document["train"]["seed"] = variant.seed
    return document | {"encode": encoders, "modalities": ", ".join(names)}
