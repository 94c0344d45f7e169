"""The names of all metrics that a training can report, and so of all objectives."""

from collections.abc import Mapping, Sequence
from typing import assert_never

from mmray.config.task.kind import independent, main_metric, task_metrics
from mmray.config.task.task import TaskConfig
from mmray.config.training.balance import (
    BalanceConfig,
    GradientBlendingConfig,
    MmParetoConfig,
    NoBalanceConfig,
    OgmGeConfig,
)
from mmray.config.training.train import TrainConfig

Tasks = Mapping[str, TaskConfig]


def metric_names(
    tasks: Tasks, modalities: Sequence[str], train: TrainConfig, *, evaluated_on: str = "val"
) -> set[str]:
    """Return the names of all metrics that an epoch can have."""
    names = {"loss"}
    for name, task in tasks.items():
        own = (metric.name for metric in task_metrics(task, modalities))
        names |= {f"{name}/{one}" for one in ("loss", *own)}
    trained = {f"train/{name}/{what}" for name in tasks for what in ("loss", "weight")}
    trained |= {"train/loss", "train/lr", "train/samples_per_s"}
    if looks_at_modalities(tasks, modalities, train):
        names |= modality_metric_names(tasks, modalities)
        trained |= watch_metric_names(tasks, modalities, train)
        trained |= balance_metric_names(train.balance, modalities)
    return {f"{evaluated_on}/{name}" for name in names} | trained


def looks_at_modalities(tasks: Tasks, modalities: Sequence[str], train: TrainConfig) -> bool:
    """Return whether each modality is evaluated alone; gradient blending needs it."""
    is_asked = train.watch_modalities or isinstance(train.balance, GradientBlendingConfig)
    return is_asked and len(modalities) > 1 and bool(independent(tasks))


def modality_metric_names(tasks: Tasks, modalities: Sequence[str]) -> set[str]:
    """Return the names of the metrics of each modality alone."""
    return {
        f"{name}/{modality}/{metric}"
        for name, task in independent(tasks).items()
        for modality in modalities
        for metric in ("loss", main_metric(task).name, "gain", "gain_error")
    }


def watch_metric_names(tasks: Tasks, modalities: Sequence[str], train: TrainConfig) -> set[str]:
    """Return the names of the metrics that training steps report per modality."""
    names = {f"train/{name}/gradient_{what}" for name in modalities for what in ("norm", "share")}
    if train.parallel == "fsdp":  # no worker has the complete gradient
        names = set()
    return names | {f"train/{t}/{name}/loss" for t in independent(tasks) for name in modalities}


def balance_metric_names(balance: BalanceConfig, modalities: Sequence[str]) -> set[str]:
    """Return the names of the metrics that a method of balance reports per epoch."""
    match balance:
        case NoBalanceConfig():
            return set()
        case OgmGeConfig():
            return {f"train/{name}/modulation" for name in modalities}
        case GradientBlendingConfig():
            return {"train/blend"} | {f"train/{name}/blend" for name in modalities}
        case MmParetoConfig():
            return {f"train/{name}/conflict" for name in modalities}
        case _:
            assert_never(balance)
