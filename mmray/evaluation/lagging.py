"""Warnings about a fusion that is below one of its modalities during training."""

import math
from collections.abc import Mapping

from mmray.config.document import Config
from mmray.config.task.metric import Metric
from mmray.config.training.balance import GradientBlendingConfig, MmParetoConfig, NoBalanceConfig
from mmray.evaluation.metric_text import difference_text

PATIENCE = 2
"""Number of consecutive epochs that is not chance."""
NOISE = 2.0
"""Standard errors."""


class LagWatch:
    """Warns once per run and task when the fusion has been below a modality for some epochs.

    ``tasks`` gives the main metric of each task. Both are evaluated by the joint model, on samples
    that have the modality; a difference within its noise does not count.
    """

    def __init__(
        self, tasks: Mapping[str, Metric], modalities: tuple[str, ...], advice: str = ""
    ) -> None:
        self._tasks = tasks
        self._modalities = modalities
        self._advice = f"; {advice}" if advice else ""
        self._epochs: dict[tuple[str, str], int] = {}

    def hear(self, run: str, metrics: Mapping[str, float]) -> list[str]:
        """Return warnings about an epoch, usually none."""
        found: list[str] = []
        for task, metric in self._tasks.items():
            is_below = any(is_behind(metrics, task, name) for name in self._modalities)
            epochs = self._epochs.get((run, task), 0)
            if epochs >= PATIENCE:
                continue  # said
            self._epochs[run, task] = epochs + 1 if is_below else 0
            if self._epochs[run, task] == PATIENCE:
                found.append(self._say(run, task, metric, metrics))
        return found

    def _say(self, run: str, task: str, metric: Metric, metrics: Mapping[str, float]) -> str:
        alone = {
            name: metrics[key]
            for name in self._modalities
            if (key := f"val/{task}/{name}/{metric.name}") in metrics
        }
        gains = {name: metrics[f"val/{task}/{name}/gain"] for name in alone}
        ahead = min(gains, key=lambda name: gains[name])
        behind = worst(alone, metric)
        lag = difference_text(-gains[ahead], metric).lstrip("+")
        return (
            f"{run}: {task}: for {PATIENCE} epochs the fusion has been worse than one modality: "
            f"{metric.title} on val is {lag} worse than that of {ahead}; "
            f"{behind} alone is the weakest, with {alone[behind]:.3f}{self._advice}"
        )


def is_behind(metrics: Mapping[str, float], task: str, modality: str) -> bool:
    """Return whether the fusion is worse than one of its modalities, by more than noise."""
    gain = metrics.get(f"val/{task}/{modality}/gain", 0.0)
    return gain < -NOISE * metrics.get(f"val/{task}/{modality}/gain_error", math.inf)


def worst(values: Mapping[str, float], metric: Metric) -> str:
    """Return the name of the worst value."""
    return min(values, key=lambda name: metric.sign * values[name])


def advice_for(config: Config) -> str:
    """Return unused settings that may help a fusion that is worse than one modality."""
    balance = config.train.balance
    is_own_weighting = isinstance(balance, GradientBlendingConfig | MmParetoConfig)
    options = {
        "train.balance": isinstance(balance, NoBalanceConfig),
        "model.auxiliary": config.auxiliary == 0.0 and not is_own_weighting,
        "model.modality_dropout": config.model.modality_dropout == 0.0,
    }
    names = [f"'{name}'" for name, is_open in options.items() if is_open]
    return f"try {' or '.join(names)}" if names else ""
