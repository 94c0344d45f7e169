"""Training: epochs, validation, checkpoints. Knows neither Ray nor MLflow."""

import hashlib
import logging
import math
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mmray.errors import TrainingError
from mmray.models.fusion_model import FusionModel
from mmray.training.augment.augment import Shares, augmented
from mmray.training.data.epoch import num_train_batches, train_batches
from mmray.training.data.samples import count_labels
from mmray.training.data.sampling import epoch_order
from mmray.training.loop.background import Background, prefetched
from mmray.training.loop.checkpoint import (
    Weights,
    load_latest,
    prune_checkpoints,
    save_checkpoint,
)
from mmray.training.loop.plan import EpochRecord, FitReport, Soup, TrainPlan
from mmray.training.loop.progress import TrainingProgress, objective_value
from mmray.training.loop.soup import greedy_soup
from mmray.training.loop.state import Snapshot, TrainState
from mmray.training.loop.step import train_step
from mmray.training.loop.validation import metric_names, validate
from mmray.training.optimisation.compiled import compiled, compiling
from mmray.training.optimisation.schedule import learning_rate, set_learning_rate
from mmray.training.parallel.exchange import agree, gather
from mmray.training.parallel.worker_context import WorkerContext
from mmray.training.tasks.weighting import task_weights

logger = logging.getLogger(__name__)


def fit(
    model: FusionModel,
    plan: TrainPlan,
    *,
    wrap: Callable[[nn.Module], nn.Module],
    on_epoch: Callable[[EpochRecord], None],
) -> FitReport:
    """Train ``model`` in place and leave it with the weights of its best epoch, or of a soup.

    ``wrap`` makes it data parallel (DDP), shards it (FSDP), or returns it as it is. Resumes from
    the newest checkpoint in ``plan.folder``, with the same result as if it had never stopped.
    """
    _check_plan(plan)
    model.to(plan.context.device)
    state = TrainState(model, plan, wrap)
    progress, best_weights = _resume(state, plan)
    resumed_from = progress.epoch or None
    wrapped = compiled(state.wrapped, plan.config)
    with Background() as writer:
        while not progress.is_done(plan.config):
            started = time.monotonic()
            state.modalities.begin_epoch(progress.epoch, progress.records)
            metrics = train_epoch(wrapped, state, plan, progress.epoch)
            state.end_epoch(plan.context)
            snapshot = state.snapshot()
            metrics = agree(metrics | _evaluate(state.evaluated, plan), plan.context)
            _check_finite(metrics, progress.epoch)
            record = EpochRecord(
                progress.epoch,
                metrics,
                same_weights(model, plan.context, progress.epoch),
                time.monotonic() - started,
            )
            progress = progress.after(record, plan.config, plan.evaluated_on)
            if progress.best_epoch == record.epoch:
                best_weights = snapshot.evaluated
            if plan.folder is not None and plan.context.rank == 0:
                writer.begin(partial(_save, plan.folder, snapshot, progress, plan))
            on_epoch(record)
    soup = _leave_best(model, state, best_weights, progress, plan)
    return FitReport(progress.records, progress.best_epoch, resumed_from, soup)


def train_epoch(
    wrapped: nn.Module, state: TrainState, plan: TrainPlan, epoch: int
) -> dict[str, float]:
    """Run one pass over the train split and return its metrics."""
    config, context = plan.config, plan.context
    size = config.batch_size
    steps = num_train_batches(len(plan.train), batch_size=size, world=context.world)
    order = epoch_order(plan.train, plan.tasks, config, epoch=epoch)
    batches = train_batches(
        plan.train, order, batch_size=size, rank=context.rank, world=context.world
    )
    shares = Shares(len(plan.train), size, context.rank, context.world)
    batches = augmented(batches, plan.augment, shares, seed=config.seed, epoch=epoch)
    if context.device.type != "cpu" or plan.augment or plan.train.is_streamed:
        # Else a batch is a copy in memory, which takes less time than to hand it over.
        batches = prefetched(batches, pin=context.device.type == "cuda")
    seed_epoch(config.seed, epoch, context.rank)
    wrapped.train()
    started, rate = time.monotonic(), 0.0
    counts = dict.fromkeys(plan.tasks, 0)
    sums = torch.zeros(len(plan.tasks), device=context.device)
    for step, batch in enumerate(batches):
        rate = learning_rate(epoch * steps + step, config.epochs * steps, config)
        set_learning_rate(state.optimizer, rate)
        state.modalities.begin_step(epoch, step)
        with compiling(config):
            sums += train_step(
                wrapped, state.optimizer, plan, batch, state.modalities, scaler=state.scaler
            )
        state.after_step()
        for task in counts:
            counts[task] += batch.label_totals[task]
    metrics = _train_losses(plan, sums, counts) | task_weights(wrapped, plan.tasks)
    metrics |= state.modalities.metrics()
    used = min(steps * size, len(plan.train))
    speed = used / (time.monotonic() - started)
    return metrics | {"train/samples_per_s": speed, "train/lr": rate}


def same_weights(model: nn.Module, context: WorkerContext, epoch: int) -> list[str]:
    """Return every worker's weights hash; workers that have drifted apart are a TrainingError."""
    hashes = gather(weights_hash(model), context)
    if len(set(hashes)) > 1:
        raise TrainingError(
            f"after epoch {epoch + 1} the workers hold different models: {hashes}",
            hint="a custom module may use randomness or state that differs between workers",
        )
    return hashes


def weights_hash(model: nn.Module) -> str:
    """Return a digest of all weights and buffers."""
    total = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        total.update(name.encode())
        total.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()


def seed_epoch(seed: int, epoch: int, rank: int) -> None:
    """Seed dropout in every epoch, so that an exact resume needs no saved generator."""
    state = np.random.SeedSequence([seed, epoch, rank]).generate_state(1, np.uint64)
    torch.manual_seed(int(state[0] >> 1))


def _train_losses(plan: TrainPlan, sums: Tensor, counts: Mapping[str, int]) -> dict[str, float]:
    everywhere = np.sum(gather(sums.cpu().double().numpy(), plan.context), axis=0)
    losses = {
        task: float(total) / max(1, counts[task])
        for task, total in zip(plan.tasks, everywhere, strict=True)
    }
    loss = sum(plan.tasks[task].config.weight * value for task, value in losses.items())
    if not math.isfinite(loss):
        raise TrainingError(
            "the loss is no longer a finite number",
            where="train",
            hint=f"lower train.lr (now {plan.config.lr:g}), or train.clip_norm",
        )
    return {"train/loss": loss} | {f"train/{task}/loss": value for task, value in losses.items()}


def _evaluate(model: FusionModel, plan: TrainPlan) -> dict[str, float]:
    samples = plan.val if len(plan.val) else plan.train
    prefix = plan.evaluated_on
    return {f"{prefix}/{name}": value for name, value in validate(model, samples, plan).items()}


def _check_finite(metrics: Mapping[str, float], epoch: int) -> None:
    """Refuse an epoch that cannot be compared with others."""
    wrong = sorted(name for name, value in metrics.items() if not math.isfinite(value))
    if wrong:
        raise TrainingError(
            f"after epoch {epoch + 1} no finite numbers: {', '.join(wrong)}",
            where="train",
            hint="lower train.lr or train.clip_norm; with precision float16, try bfloat16",
        )


def _check_plan(plan: TrainPlan) -> None:
    names = dict.fromkeys(metric_names(plan), 0.0)
    for objective in (plan.config.keep_best, plan.config.early_stop):
        if objective is not None:
            objective_value(objective, names, plan.evaluated_on)
    size, world = plan.config.batch_size, plan.context.world
    if num_train_batches(len(plan.train), batch_size=size, world=world) == 0:
        raise TrainingError(
            f"too few samples for {world} worker{'s' * (world > 1)}: "
            f"{len(plan.train)} in batches of {size}",
            where="train.batch_size",
            hint="use fewer workers, larger batches or more samples",
        )
    if not sum(count_labels(plan.train.labels).values()):
        raise TrainingError("no training sample has a label", where="tasks")
    if not len(plan.val):
        logger.warning("the val split has no samples: the model is evaluated on the train split")


def _resume(state: TrainState, plan: TrainPlan) -> tuple[TrainingProgress, Weights]:
    found = load_latest(plan.folder) if plan.folder is not None else None
    epochs = gather(0 if found is None else found.progress.epoch, plan.context)
    if len(set(epochs)) > 1:
        raise TrainingError(
            f"the workers see checkpoints of different epochs: {epochs}",
            where=str(plan.folder),
            hint="the workspace must be one folder that all nodes share",
        )
    if found is None:
        return TrainingProgress(), {}
    try:
        state.restore(found)
    except (RuntimeError, ValueError, KeyError, IndexError) as error:
        raise TrainingError(
            f"the checkpoint of epoch {found.progress.epoch} does not fit this model: {error}",
            where=str(plan.folder),
            hint="delete this folder and run again: this training starts over",
        ) from error
    logger.info("resuming after epoch %d", found.progress.epoch)
    return found.progress, found.best_model


def _save(folder: Path, snapshot: Snapshot, progress: TrainingProgress, plan: TrainPlan) -> None:
    """Write a checkpoint, and remove those that nothing needs any more."""
    save_checkpoint(
        folder,
        model=snapshot.model,
        optimizer=snapshot.rest,
        progress=progress,
        average=snapshot.average,
    )
    best = progress.ranked(plan.config, plan.evaluated_on)[: plan.config.soup or 1]
    kept = [epoch + 1 for epoch in (*best, progress.best_epoch)]
    prune_checkpoints(folder, newest=plan.config.keep_checkpoints, epochs=kept)


def _leave_best(
    model: FusionModel,
    state: TrainState,
    best: Weights,
    progress: TrainingProgress,
    plan: TrainPlan,
) -> Soup | None:
    """Leave ``model`` with the weights of the best epoch, or with those of a soup."""
    soup = None
    if plan.config.soup is None or plan.folder is None:
        model.load_state_dict(best)
    else:
        gather(None, plan.context)  # the first worker has written the last checkpoint
        evaluate = partial(_agreed_evaluation, model, plan)
        soup = greedy_soup(model, plan.folder, progress, plan, evaluate)
    return soup


def _agreed_evaluation(model: FusionModel, plan: TrainPlan) -> dict[str, float]:
    return agree(_evaluate(model, plan), plan.context)
