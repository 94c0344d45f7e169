"""One training, from the feature store to a folder with a model: what every worker executes."""

import json
import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from mmray.config.document import Config
from mmray.core.file.atomic import mark_success, read_complete, read_json, replacing, write_json
from mmray.core.kind import Split
from mmray.data.manifest.manifest import Manifest, read_manifest
from mmray.data.split.folds import fold_manifest
from mmray.errors import TrainingError, located
from mmray.models.build import build_model, save_encoders
from mmray.models.fit_check import check_augment
from mmray.models.fusion_model import FusionModel
from mmray.models.pretrained_check import check_pretrained
from mmray.run.epoch_file import EPOCHS, epoch_line
from mmray.run.feature_folder import FeatureFolder, open_features
from mmray.run.memory_plan import MemoryPlan, plan_memory
from mmray.run.samples import load_samples, samples_bytes
from mmray.run.training_job import TrainingJob
from mmray.training.augment.build import build_augmentation
from mmray.training.data.statistics import fit_statistics
from mmray.training.loop.loop import fit
from mmray.training.loop.plan import EpochRecord, FitReport, TrainPlan
from mmray.training.parallel.exchange import gather, in_turn
from mmray.training.parallel.worker_context import WorkerContext
from mmray.training.tasks.build import fit_task, restore_task
from mmray.training.tasks.task import Task, Tasks

logger = logging.getLogger(__name__)

WEIGHTS = "model.safetensors"
TASKS = "tasks.json"
SPILL = "streamed"
"""File of a running training: features that do not fit in memory, in the order of its samples."""
ENCODERS = "encoders"
"""Folder of a run or a bundle: what pretrained encoders are built from, without weights."""


def train_run(
    plan: TrainingJob,
    *,
    context: WorkerContext,
    wrap: Callable[[nn.Module], nn.Module],
    on_epoch: Callable[[EpochRecord], None],
) -> None:
    """Train one model and write it to the plan's folder; with several workers, call it on each."""
    folder = Path(plan.folder)
    manifest = read_manifest(Path(plan.manifest))
    if plan.folds is not None and plan.fold is not None:
        manifest = fold_manifest(manifest, plan.fold, plan.folds)
    features = {name: open_features(Path(path)) for name, path in plan.features.items()}
    tasks = fit_tasks(plan.config, manifest, list(features))
    splits = (Split.TRAIN, Split.VAL)
    capacity = plan_memory(samples_bytes(manifest, splits, features), plan.config.train, context)
    logger.info("features are %s", capacity.to_dict())
    with in_turn(context):  # the first worker writes what is streamed, the others find it
        train, val = (
            load_samples(
                manifest, split, features, tasks,
                require_payload=True, spill=folder / SPILL if capacity.is_streamed else None,
            )
            for split in splits
        )  # fmt: skip
    if len(train) == 0:
        raise TrainingError(
            f"no sample of the train split has both a payload and a label for {plan.name!r}",
            where=plan.manifest,
            hint="look at the rejections of 'mmray extract'",
        )
    torch.manual_seed(plan.seed)
    model = assemble_model(plan.config, features, tasks)
    fit_statistics(model, train)
    report = fit(
        model,
        TrainPlan(
            tasks=tasks,
            train=train,
            val=val,
            config=plan.config.train.model_copy(update={"seed": plan.seed}),
            context=context,
            folder=plan.checkpoints,
            auxiliary=plan.config.model.auxiliary,
            augment=build_augmentation(
                plan.config.modalities, train, {n: f.state for n, f in features.items()}
            ),
        ),
        wrap=wrap,
        on_epoch=on_epoch,
    )
    gather(None, context)  # nobody needs the checkpoints any more
    if context.rank == 0:
        _finish(plan, model, tasks, report, samples=len(train), capacity=capacity)


def _finish(
    plan: TrainingJob,
    model: FusionModel,
    tasks: Tasks,
    report: FitReport,
    *,
    samples: int,
    capacity: MemoryPlan,
) -> None:
    folder = Path(plan.folder)
    shutil.rmtree(folder / SPILL, ignore_errors=True)
    write_json(folder / TASKS, {name: task.to_dict() for name, task in tasks.items()})
    save_weights(model, folder / WEIGHTS)
    save_encoders(model, folder / ENCODERS)
    # A worker killed between checkpoint and line leaves a gap in the lines, not in the records.
    with replacing(folder / EPOCHS) as temporary:
        lines = [json.dumps(epoch_line(plan.name, record)) + "\n" for record in report.records]
        temporary.write_text("".join(lines), encoding="utf-8")
    mark_success(
        folder,
        {
            "name": plan.name,
            "modalities": list(plan.features),
            "seed": plan.seed,
            "samples": samples,
            "features": capacity.to_dict(),
            "parameters": sum(weights.numel() for weights in model.parameters()),
            "epochs": report.stopped_after,
            "best_epoch": report.best_epoch + 1,
            "best_metrics": report.metrics,
            "soup": None if report.soup is None else [n + 1 for n in report.soup.epochs],
        },
        files=_model_files(folder),
    )
    shutil.rmtree(plan.checkpoints, ignore_errors=True)  # ten times the model, and of no more use


def _model_files(folder: Path) -> list[str]:
    """Return the files without which there is no model."""
    encoders = (path for path in (folder / ENCODERS).rglob("*") if path.is_file())
    return [WEIGHTS, TASKS, *(str(path.relative_to(folder)) for path in encoders)]


def assemble_model(
    config: Config,
    features: dict[str, FeatureFolder],
    tasks: Tasks,
    *,
    saved: Path | None = None,
) -> FusionModel:
    """Build the model for these modalities and tasks, with fresh weights or those of checkpoints.

    ``saved`` is the folder of a run or a bundle whose weights will be loaded: then no checkpoint is
    read.
    """
    specs = {name: folder.spec for name, folder in features.items()}
    if saved is None:
        check_pretrained(config.modalities, specs)
        check_augment(config.modalities, specs)
    return build_model(
        config.model,
        {name: config.modalities[name].encode for name in features},
        specs,
        {name: task.head for name, task in tasks.items()},
        config.train.task_weighting,
        saved=None if saved is None else saved / ENCODERS,
    )


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


def save_weights(model: nn.Module, path: Path) -> None:
    """Write the weights as safetensors, atomically."""
    weights = {
        name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()
    }
    with replacing(path) as temporary:
        save_file(weights, temporary)


def load_run(folder: Path, config: Config, features: dict[str, FeatureFolder]) -> FusionModel:
    """Load the model of a complete run, in evaluation mode."""
    if read_complete(folder) is None:
        raise TrainingError(
            "there is no trained model", where=str(folder), hint="run 'mmray train CONFIG' first"
        )
    model = assemble_model(config, features, load_tasks(folder, config), saved=folder)
    model.load_state_dict(load_file(folder / WEIGHTS))
    return model.eval()


def load_tasks(folder: Path, config: Config) -> dict[str, Task]:
    """Load the fitted tasks."""
    return restore_tasks(config, read_json(folder / TASKS))


def restore_tasks(config: Config, document: Mapping[str, Any]) -> dict[str, Task]:
    """Restore each task from its ``to_dict``."""
    tasks: dict[str, Task] = {}
    for name, task in document.items():
        with located(f"tasks.{name}"):
            tasks[name] = restore_task(config.tasks[name], task)
    return tasks
