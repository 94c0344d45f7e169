"""One training, from the feature store to a folder with a model: what every worker executes."""

import json
import logging
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from mmray.config.document import Config
from mmray.core.file.atomic import mark_success, read_complete, read_json, replacing, write_json
from mmray.errors import TrainingError, located
from mmray.models.build import build_model, save_encoders
from mmray.models.fit_check import check_augment
from mmray.models.fusion_model import FusionModel
from mmray.models.pretrained_check import check_pretrained
from mmray.run.epoch_file import EPOCHS, epoch_line
from mmray.run.feature_folder import FeatureFolder
from mmray.run.memory_plan import MemoryPlan
from mmray.run.training_data import SPILL, TrainingData, load_training_data
from mmray.run.training_job import TrainingJob
from mmray.training.augment.build import build_augmentation
from mmray.training.data.samples import Samples
from mmray.training.data.statistics import fit_statistics
from mmray.training.loop.loop import fit
from mmray.training.loop.plan import EpochRecord, FitReport, TrainPlan
from mmray.training.parallel.exchange import gather
from mmray.training.parallel.worker_context import WorkerContext
from mmray.training.tasks.build import restore_task
from mmray.training.tasks.task import Task, Tasks

logger = logging.getLogger(__name__)

WEIGHTS = "model.safetensors"
TASKS = "tasks.json"
ENCODERS = "encoders"
"""Folder of a run or a bundle: what pretrained encoders are built from, without weights."""


def train_run(
    plan: TrainingJob,
    *,
    context: WorkerContext,
    wrap: Callable[[nn.Module], nn.Module],
    on_epoch: Callable[[EpochRecord], None],
    load: Callable[[TrainingJob, WorkerContext], TrainingData] = load_training_data,
    on_start: Callable[[FusionModel, Samples], None] | None = None,
) -> None:
    """Train one model and write it to the plan's folder; with several workers, call it on each.

    ``on_start`` gets the model before it is trained, and the samples of the train split.
    """
    data = load(plan, context)
    features, tasks, train = data.features, data.tasks, data.train
    if len(train) == 0:
        raise TrainingError(
            f"no sample of the train split has both a payload and a label for {plan.name!r}",
            where=plan.manifest,
            hint="look at the rejections of 'mmray extract'",
        )
    torch.manual_seed(plan.seed)
    model = assemble_model(plan.config, features, tasks)
    fit_statistics(model, train)
    if on_start is not None:
        on_start(model.to(context.device), train)
    report = fit(
        model,
        TrainPlan(
            tasks=tasks,
            train=train,
            val=data.val,
            config=plan.config.train.model_copy(update={"seed": plan.seed}),
            context=context,
            folder=plan.checkpoints,
            auxiliary=plan.config.auxiliary,
            augment=build_augmentation(
                plan.config.modalities, train, {n: f.state for n, f in features.items()}
            ),
        ),
        wrap=wrap,
        on_epoch=on_epoch,
    )
    gather(None, context)  # nobody needs the checkpoints any more
    if context.rank == 0:
        _finish(plan, model, tasks, report, samples=len(train), capacity=data.capacity)


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
