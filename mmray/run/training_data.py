"""What a training reads: its samples, and the tasks that were fitted to them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mmray.config.document import Config
from mmray.core.kind import Split
from mmray.data.manifest.manifest import Manifest, read_manifest
from mmray.data.split.folds import fold_manifest
from mmray.errors import located
from mmray.run.feature_folder import FeatureFolder, open_features
from mmray.run.memory_plan import MemoryPlan, plan_memory
from mmray.run.samples import load_samples, samples_bytes
from mmray.run.training_job import TrainingJob
from mmray.training.data.samples import Samples
from mmray.training.parallel.exchange import in_turn
from mmray.training.parallel.worker_context import WorkerContext
from mmray.training.tasks.build import fit_task
from mmray.training.tasks.task import Task, Tasks

logger = logging.getLogger(__name__)

SPILL = "streamed"
"""File of a running training: features that do not fit in memory, in the order of its samples."""


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The samples of one training, with what they were read by."""

    manifest: Manifest
    features: dict[str, FeatureFolder]
    tasks: Tasks
    train: Samples
    val: Samples
    capacity: MemoryPlan


def load_training_data(plan: TrainingJob, context: WorkerContext) -> TrainingData:
    """Read the samples of a training; with several workers, call it on each."""
    spill = Path(plan.folder) / SPILL
    return _load(plan, context, lambda is_streamed: spill if is_streamed else None)


class SharedData:
    """The samples of trainings that differ in their models only: one copy for all processes.

    The features lie in files, which all processes of a machine map into memory; a process keeps
    what it has read for its next training.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key: Any = None
        self._data: TrainingData | None = None

    def load(self, plan: TrainingJob, context: WorkerContext) -> TrainingData:
        """Read the samples of a training, unless the last one had the same."""
        splits = (plan.manifest, plan.folds, plan.fold)
        key = (splits, plan.features, plan.config.tasks, plan.config.train.stream)
        if self._data is None or key != self._key:
            self._data = None  # before the next is read: both may not fit
            data = _load(plan, context, lambda _: self._folder)
            if not data.capacity.is_streamed:
                data = replace(data, train=_kept(data.train), val=_kept(data.val))
            self._key, self._data = key, data
        tasks = fit_tasks(plan.config, self._data.manifest, list(self._data.features))
        return replace(self._data, tasks=tasks)


def _load(plan: TrainingJob, context: WorkerContext, spill_of: Any) -> TrainingData:  # noqa: ANN401
    manifest = read_manifest(Path(plan.manifest))
    if plan.folds is not None and plan.fold is not None:
        manifest = fold_manifest(manifest, plan.fold, plan.folds)
    features = {name: open_features(Path(path)) for name, path in plan.features.items()}
    tasks = fit_tasks(plan.config, manifest, list(features))
    splits = (Split.TRAIN, Split.VAL)
    capacity = plan_memory(samples_bytes(manifest, splits, features), plan.config.train, context)
    logger.info("features are %s", capacity.to_dict())
    spill = spill_of(capacity.is_streamed)
    with in_turn(context):  # the first worker writes what is streamed, the others find it
        train, val = (
            load_samples(manifest, split, features, tasks, require_payload=True, spill=spill)
            for split in splits
        )
    return TrainingData(manifest, features, tasks, train, val, capacity)


def _kept(samples: Samples) -> Samples:
    """Return samples whose mapped features are not given back after each batch."""
    modalities = {
        name: replace(features, values=features.values.view(np.ndarray))
        for name, features in samples.modalities.items()
    }
    return replace(samples, modalities=modalities)


def fit_tasks(config: Config, manifest: Manifest, modalities: Sequence[str]) -> dict[str, Task]:
    """Fit classes, weights, means and deviations on the train split's labels.

    Alignments are left out for a single modality.
    """
    rows, absent = manifest.rows_of(Split.TRAIN), [None] * len(manifest)
    tasks: dict[str, Task] = {}
    for name, task in config.tasks_of(len(modalities)).items():
        labels = manifest.labels.get(name, absent)
        with located(f"tasks.{name}"):
            tasks[name] = fit_task(task, [labels[row] for row in rows], modalities)
    return tasks
