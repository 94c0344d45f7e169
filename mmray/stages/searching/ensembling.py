"""The greedy ensemble of a search's trials: selected on val, worth what it reaches on test."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mmray.config.document import Config
from mmray.config.task.kind import main_metric, task_metrics
from mmray.config.task.metric import Metric
from mmray.config.training.train import ObjectiveConfig
from mmray.core.file.atomic import read_json
from mmray.core.kind import Split
from mmray.evaluation.comparison import Figure
from mmray.evaluation.evaluate import EvaluationResult
from mmray.run.bundle.bundle import write_bundle
from mmray.run.bundle.ensemble import TrainedModel
from mmray.run.feature_folder import open_features
from mmray.run.predict.mean import mean_outputs
from mmray.run.training_job import TrainingJob
from mmray.run.training_run import TASKS, load_run
from mmray.search.ensemble import select_ensemble
from mmray.search.record import TrialRecord
from mmray.stages.searching.on_test import (
    Comparison,
    Predicted,
    compare_models,
    on_same_samples,
    predict_split,
)
from mmray.training.tasks.label import has_label
from mmray.training.tasks.task import Task

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class EnsembleMember:
    """A trial in an ensemble."""

    trial: TrialRecord
    job: TrainingJob
    weight: float

    @property
    def title(self) -> str:
        """Return its name in a sentence."""
        name = f"trial {self.trial.number}"
        is_first = self.job.seed == self.job.config.train.seed
        return name if is_first else f"{name} with seed {self.job.seed}"


@dataclass(frozen=True, slots=True)
class TrialEnsemble:
    """The members, the heaviest first, and how their mean compares with the best alone."""

    members: tuple[EnsembleMember, ...]
    on_val: float
    """The metric that selected them; a part of its gain is luck."""
    metric: str
    gains: dict[str, Comparison]
    """By task, over the winner's training with the document's seed, on test."""
    metrics: dict[str, dict[str, Any]]
    """By task, on test."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON types."""
        return {
            "members": [
                {
                    "trial": each.trial.number,
                    "seed": each.job.seed,
                    "weight": each.weight,
                    "folder": each.job.folder,
                }
                for each in self.members
            ],
            self.metric: self.on_val,
            "test": {task: found.to_dict() for task, found in self.gains.items()},
        }


def build_ensemble(
    trained: Sequence[tuple[TrialRecord, TrainingJob]],
    *,
    objective: ObjectiveConfig,
    most: int,
    config: Config,
) -> TrialEnsemble:
    """Select an ensemble on val, and compare it on test with the first training alone.

    Trainings with other features than the first one, or with other fitted tasks, are left out.
    """
    best = trained[0][1]
    alike = [(trial, job) for trial, job in trained if _is_alike(job, best)]
    on_val = on_same_samples([predict_split(job, Split.VAL) for _, job in alike])
    task, metric = scored_by(config, objective)
    score = _score(on_val[0].tasks[task], on_val[0].labels[task], metric)
    found = select_ensemble([each.outputs[task] for each in on_val], score, most=most)
    members = tuple(EnsembleMember(*alike[number], w) for number, w in found.weights.items())
    mean, alone = mean_of(members, Split.TEST), predict_split(best, Split.TEST)
    gains = compare_models([mean], [alone], config)
    return TrialEnsemble(
        members=members,
        on_val=metric.sign * found.score,
        metric=f"val/{task}/{metric.name}",
        gains=gains,
        metrics={
            name: _figures(result, gains[name].ours) for name, result in mean.results().items()
        },
    )


def write_ensemble(folder: Path, ensemble: TrialEnsemble) -> None:
    """Write the members as one bundle, whose predictions are their mean."""
    features = {
        name: open_features(Path(path)) for name, path in ensemble.members[0].job.features.items()
    }
    models = [
        TrainedModel(
            each.job.config,
            Path(each.job.folder),
            load_run(Path(each.job.folder), each.job.config, features),
            each.weight,
        )
        for each in ensemble.members
    ]
    write_bundle(folder, models, features=features, metrics=ensemble.metrics)


def _is_alike(job: TrainingJob, best: TrainingJob) -> bool:
    tasks = [read_json(Path(each.folder) / TASKS) for each in (job, best)]
    return job.features == best.features and tasks[0] == tasks[1]


def _figures(result: EvaluationResult, figure: Figure) -> dict[str, Any]:
    interval = {f"{figure.metric.name}_interval": list(figure.interval)}
    return {**result.metrics, "samples": figure.samples, **interval}


def scored_by(config: Config, objective: ObjectiveConfig) -> tuple[str, Metric]:
    """Return the task and metric of an objective that predictions alone have.

    Of a loss or a cost it is the main metric, of its task or the first one.
    """
    _, *named = objective.metric.split("/")
    task = named[0] if named and named[0] in config.tasks else next(iter(config.tasks))
    known = task_metrics(config.tasks[task], config.modality_order())
    own = next((metric for metric in known if metric.name == named[-1]), None) if named else None
    return task, own or main_metric(config.tasks[task])


def mean_of(members: Sequence[EnsembleMember], split: Split) -> Predicted:
    """Return the weighted mean of what the members predict for a split."""
    same = on_same_samples([predict_split(each.job, split) for each in members])
    outputs = mean_outputs([each.outputs for each in same], [each.weight for each in members])
    return replace(same[0], outputs=outputs)


def _score(task: Task, labels: Array, metric: Metric) -> Callable[[Array], float]:
    """Return the worth of predictions for val; more is better."""
    kept = has_label(labels)

    def score(decoded: Array) -> float:
        found = task.metrics(decoded[kept].astype(np.float32), labels[kept])
        return metric.sign * found.get(metric.name, 0.0)  # absent where val has a single class

    return score
