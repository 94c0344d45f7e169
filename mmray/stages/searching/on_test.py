"""Predictions of several trainings for the same samples, and their comparison. Axes: N samples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mmray.config.document import Config
from mmray.config.task.kind import main_metric
from mmray.core.kind import Split
from mmray.data.manifest.manifest import read_manifest
from mmray.evaluation.comparison import Difference, Figure, compare, summarise
from mmray.evaluation.evaluate import EvaluationResult, evaluate
from mmray.run.feature_folder import open_features
from mmray.run.samples import load_samples
from mmray.run.training_job import TrainingJob
from mmray.run.training_run import load_run, load_tasks
from mmray.training.loop.predict import predict
from mmray.training.tasks.task import Tasks

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Predicted:
    """What one training predicts for a split."""

    ids: Sequence[str]
    outputs: Mapping[str, Array]
    """By task (N, ...), as people read them."""
    labels: Mapping[str, Array]
    """By task (N, ...), encoded."""
    tasks: Tasks

    def results(self) -> dict[str, EvaluationResult]:
        """Return the figures of each task that has a label here."""
        return evaluate(self.outputs, self.labels, self.tasks)

    def take(self, ids: Sequence[str]) -> "Predicted":
        """Return these samples, in this order."""
        if list(ids) == list(self.ids):
            return self
        row_of = {sample: row for row, sample in enumerate(self.ids)}
        rows = np.array([row_of[sample] for sample in ids], dtype=np.int64)
        return Predicted(
            ids,
            {task: values[rows] for task, values in self.outputs.items()},
            {task: values[rows] for task, values in self.labels.items()},
            self.tasks,
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """How one model compares with another on the test split, in one task's main metric."""

    ours: Figure
    other: Figure
    difference: Difference

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON types."""
        return {
            "ours": self.ours.to_dict(),
            "other": self.other.to_dict(),
            "difference": self.difference.to_dict(),
        }


def predict_split(job: TrainingJob, split: Split) -> Predicted:
    """Return what a complete training predicts for the samples that it can use."""
    features = {name: open_features(Path(folder)) for name, folder in job.features.items()}
    model = load_run(Path(job.folder), job.config, features)
    tasks = load_tasks(Path(job.folder), job.config)
    manifest = read_manifest(Path(job.manifest))
    samples = load_samples(manifest, split, features, tasks, require_payload=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    size = job.config.train.batch_size
    outputs = predict(model.to(device), samples, tasks, batch_size=size, device=device)
    return Predicted(samples.ids, outputs, samples.labels, tasks)


def on_same_samples(predicted: Sequence[Predicted]) -> list[Predicted]:
    """Return the samples that all of them have: other extractors reject other payloads."""
    shared = set(predicted[0].ids).intersection(*(each.ids for each in predicted[1:]))
    ids = [sample for sample in predicted[0].ids if sample in shared]
    return [each.take(ids) for each in predicted]


def compare_models(
    ours: Sequence[Predicted], others: Sequence[Predicted], config: Config
) -> dict[str, Comparison]:
    """Compare two models, each by its trainings, sample by sample; by task."""
    same = on_same_samples([*ours, *others])
    found = [each.results() for each in same]
    one, other = found[: len(ours)], found[len(ours) :]
    compared: dict[str, Comparison] = {}
    for task in one[0].keys() & other[0].keys():
        metric, settings = main_metric(config.tasks[task]), config.evaluation
        left, right = [each[task] for each in one], [each[task] for each in other]
        compared[task] = Comparison(
            summarise(left, metric, settings),
            summarise(right, metric, settings),
            compare(left, right, metric, settings),
        )
    return {task: compared[task] for task in config.tasks if task in compared}
