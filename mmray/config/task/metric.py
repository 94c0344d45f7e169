"""The names of all metrics that a training can report: what an objective may be."""

from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import assert_never

from mmray.config.task.loss import QuantileLossConfig
from mmray.config.task.task import (
    AlignmentConfig,
    BinaryConfig,
    ClassificationConfig,
    MultilabelConfig,
    OrdinalConfig,
    RegressionConfig,
    TaskConfig,
)
from mmray.config.training.balance import (
    BalanceConfig,
    GradientBlendingConfig,
    MmParetoConfig,
    NoBalanceConfig,
    OgmGeConfig,
)
from mmray.config.training.train import TrainConfig

AVERAGED = ("precision", "recall", "f1")
AVERAGES = ("macro", "weighted")
CLASSIFICATION = ("accuracy", *(f"{name}_{mean}" for mean in AVERAGES for name in AVERAGED))
BINARY = ("accuracy", "precision", "recall", "f1", "auroc", "average_precision")
MULTILABEL = ("f1_micro", "f1_macro", "subset_accuracy", "mean_average_precision")
ORDINAL = ("mae", "quadratic_weighted_kappa", "accuracy")
REGRESSION = ("mae", "rmse", "r2")
QUANTILES = ("pinball", "coverage", "interval_width")
CUTS = (1, 5)
"""An alignment's recalls count a payload as found that is among so many nearest."""

Tasks = Mapping[str, TaskConfig]


def task_metric_names(task: TaskConfig, modalities: Sequence[str]) -> tuple[str, ...]:
    """Return the metrics that a task can have; which there are depends on the labels."""
    match task:
        case ClassificationConfig():
            return CLASSIFICATION
        case BinaryConfig():
            return BINARY
        case MultilabelConfig():
            return MULTILABEL
        case OrdinalConfig():
            return ORDINAL
        case RegressionConfig():
            return REGRESSION + (QUANTILES if isinstance(task.loss, QuantileLossConfig) else ())
        case AlignmentConfig():
            return recall_names(modalities)
        case _:
            assert_never(task)


def recall_names(modalities: Sequence[str]) -> tuple[str, ...]:
    """Return the names of an alignment's recalls: over all pairs of modalities, and of each."""
    pairs = list(permutations(modalities, 2))
    single = [f"recall_at_{cut}_{a}_to_{b}" for cut in CUTS for a, b in pairs]
    return (*(f"recall_at_{cut}" for cut in CUTS), *single)


def metric_names(
    tasks: Tasks, modalities: Sequence[str], train: TrainConfig, *, evaluated_on: str = "val"
) -> set[str]:
    """Return the names of all metrics that an epoch can have."""
    names = {"loss"}
    for name, task in tasks.items():
        names |= {f"{name}/{one}" for one in ("loss", *task_metric_names(task, modalities))}
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
    return is_asked and len(modalities) > 1 and bool(_independent(tasks))


def modality_metric_names(tasks: Tasks, modalities: Sequence[str]) -> set[str]:
    """Return the names of what tells how good each modality is alone."""
    return {
        f"{name}/{modality}/{metric}"
        for name, task in _independent(tasks).items()
        for modality in modalities
        for metric in ("loss", task.main_metric, "gain", "gain_error")
    }


def watch_metric_names(tasks: Tasks, modalities: Sequence[str], train: TrainConfig) -> set[str]:
    """Return the names of what the steps of an epoch tell of each modality."""
    names = {f"train/{name}/gradient_{what}" for name in modalities for what in ("norm", "share")}
    if train.parallel == "fsdp":  # of sharded weights no worker has the whole gradient
        names = set()
    return names | {f"train/{t}/{name}/loss" for t in _independent(tasks) for name in modalities}


def balance_metric_names(balance: BalanceConfig, modalities: Sequence[str]) -> set[str]:
    """Return the names of what a method of balance tells of an epoch."""
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


def _independent(tasks: Tasks) -> Tasks:
    return {name: task for name, task in tasks.items() if not isinstance(task, AlignmentConfig)}
