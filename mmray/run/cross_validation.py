"""A training on the document's splits, or one for each fold: what every worker executes."""

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from mmray.core.file.atomic import mark_success, read_complete, read_success, replacing
from mmray.models.fusion_model import FusionModel
from mmray.run.epoch_file import EPOCHS, append_epoch, epoch_line, epoch_lines
from mmray.run.training_data import TrainingData, load_training_data
from mmray.run.training_job import TrainingJob
from mmray.run.training_run import train_run
from mmray.training.data.samples import Samples
from mmray.training.loop.plan import EpochRecord
from mmray.training.parallel.exchange import gather
from mmray.training.parallel.worker_context import WorkerContext


def train_job(
    job: TrainingJob,
    *,
    context: WorkerContext,
    wrap: Callable[[nn.Module], nn.Module],
    on_epoch: Callable[[EpochRecord], None],
    load: Callable[[TrainingJob, WorkerContext], TrainingData] = load_training_data,
    on_start: Callable[[FusionModel, Samples], None] | None = None,
) -> None:
    """Train one model, or one for each fold; with several workers, call it on each.

    With folds, ``on_epoch`` gets one record: the mean metrics of their models. What each fold has
    reached is in its own folder; a fold that is complete is not trained again.
    """
    if job.folds is None or job.fold is not None:
        train_run(job, context=context, wrap=wrap, on_epoch=on_epoch, load=load, on_start=on_start)
        return
    jobs = fold_jobs(job)
    for each in jobs:
        if read_complete(Path(each.folder)) is None:
            Path(each.folder).mkdir(parents=True, exist_ok=True)
            write = _write_on_first(each, context)
            train_run(
                each, context=context, wrap=wrap, on_epoch=write, load=load, on_start=on_start
            )
    gather(None, context)  # the first worker has written the last fold
    found = [_success(each) for each in jobs]
    record = _mean_record(jobs, found)
    on_epoch(record)
    if context.rank == 0:
        _finish(job, record, found)


def fold_jobs(job: TrainingJob) -> list[TrainingJob]:
    """Return the training of each fold, each in a folder of its own."""
    assert job.folds is not None  # train_job has asked
    return [
        replace(
            job,
            name=f"{job.name}, fold {fold + 1}",
            fold=fold,
            folder=str(Path(job.folder) / f"fold-{fold + 1}"),
        )
        for fold in range(job.folds)
    ]


def _write_on_first(job: TrainingJob, context: WorkerContext) -> Callable[[EpochRecord], None]:
    """Append the epochs of a fold to its file as they come, on the first worker."""

    def write(record: EpochRecord) -> None:
        if context.rank == 0:
            append_epoch(Path(job.folder) / EPOCHS, job.name, record)

    return write


def _success(job: TrainingJob) -> dict[str, Any]:
    success = read_success(Path(job.folder))
    assert success is not None  # train_run has written it
    return success


def _mean_record(jobs: Sequence[TrainingJob], found: Sequence[dict[str, Any]]) -> EpochRecord:
    """Return the folds as one epoch, the last that any of them has trained."""
    seconds = sum(
        line["seconds"] for job in jobs for line in epoch_lines(Path(job.folder) / EPOCHS)
    )
    return EpochRecord(
        epoch=max(success["epochs"] for success in found) - 1,
        metrics=mean_over_folds([success["best_metrics"] for success in found]),
        weights_hashes=[],
        seconds=seconds,
    )


def mean_over_folds(found: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each metric over the folds that have it.

    A fold may lack one, for example an area under a curve where its val has one class.
    """
    names = dict.fromkeys(name for metrics in found for name in metrics)
    return {
        name: statistics.fmean(metrics[name] for metrics in found if name in metrics)
        for name in names
    }


def _finish(job: TrainingJob, record: EpochRecord, found: Sequence[dict[str, Any]]) -> None:
    folder = Path(job.folder)
    with replacing(folder / EPOCHS) as temporary:
        temporary.write_text(json.dumps(epoch_line(job.name, record)) + "\n", encoding="utf-8")
    mark_success(
        folder,
        {
            "name": job.name,
            "modalities": list(job.features),
            "seed": job.seed,
            "samples": max(success["samples"] for success in found),
            "parameters": found[0]["parameters"],
            "epochs": record.epoch + 1,
            "best_epoch": record.epoch + 1,
            "best_metrics": record.metrics,
            "soup": None,
            "folds": [success["best_metrics"] for success in found],
        },
    )
