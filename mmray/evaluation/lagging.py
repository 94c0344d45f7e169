"""A fusion that is below its best modality: what to say, and when. Plain numbers alone."""

from collections.abc import Mapping

from mmray.config.train import SMALLER_IS_BETTER

ADVICE = "try 'train.balance', 'model.auxiliary' or 'model.modality_dropout'"
PATIENCE = 2
"""Epochs in a row that are not an accident."""


class LagWatch:
    """Warns once of each run and task, when the fusion has been below a modality for some epochs.

    ``tasks`` gives the main metric of each task. Both are judged by the joint model, on samples
    that have the modality.
    """

    def __init__(self, tasks: Mapping[str, str], modalities: tuple[str, ...]) -> None:
        self._tasks = tasks
        self._modalities = modalities
        self._epochs: dict[tuple[str, str], int] = {}

    def hear(self, run: str, metrics: Mapping[str, float]) -> list[str]:
        """Return what is to be said after an epoch; mostly nothing."""
        found: list[str] = []
        for task, metric in self._tasks.items():
            gains = {m: metrics.get(f"val/{task}/{m}/gain", 0.0) for m in self._modalities}
            is_below = min(gains.values(), default=0.0) < 0.0
            epochs = self._epochs.get((run, task), 0)
            if epochs >= PATIENCE:
                continue  # said
            self._epochs[run, task] = epochs + 1 if is_below else 0
            if self._epochs[run, task] == PATIENCE:
                found.append(self._say(run, task, metric, metrics))
        return found

    def _say(self, run: str, task: str, metric: str, metrics: Mapping[str, float]) -> str:
        alone = {
            name: metrics[key]
            for name in self._modalities
            if (key := f"val/{task}/{name}/{metric}") in metrics
        }
        gains = {name: metrics[f"val/{task}/{name}/gain"] for name in alone}
        ahead = min(gains, key=lambda name: gains[name])
        behind = worst(alone, metric)
        return (
            f"{run}: {task}: for {PATIENCE} epochs the fusion has been worse than a modality "
            f"alone: {metric} on val is {difference(gains[ahead], metric)} beside {ahead}; "
            f"{behind} is furthest behind alone, with {alone[behind]:.3f}; {ADVICE}"
        )


def worst(values: Mapping[str, float], metric: str) -> str:
    """Return the name of the worst value."""
    pick = max if metric in SMALLER_IS_BETTER else min
    return pick(values, key=lambda name: values[name])


def difference(gain: float, metric: str) -> str:
    """Return a gain, above zero if better, in points of a share, or in the metric's unit."""
    return f"{gain:+.4g}" if metric in SMALLER_IS_BETTER else f"{100 * gain:+.1f} points"


def compare(
    task: str, metric: str, scores: Mapping[str, float], inside: Mapping[str, float] | None = None
) -> str | None:
    """Say whether a fusion is better than its best modality; nothing where none was trained alone.

    Args:
        task: its name.
        metric: the one that all these are of.
        scores: of ``fusion``, and of each modality trained alone.
        inside: of each modality alone in the joint model: the one that has lost most lags.
    """
    sign = -1.0 if metric in SMALLER_IS_BETTER else 1.0
    alone = {name: value for name, value in scores.items() if name != "fusion"}
    if not alone:
        return None
    best = max(alone, key=lambda name: sign * alone[name])
    gain = sign * (scores["fusion"] - alone[best])
    shown = difference(gain, metric)
    if gain > 0:
        return f"{task}: fusion is better than the best modality, {best}: {shown}"
    inside = inside or {}
    lost = {name: sign * (alone[name] - value) for name, value in inside.items() if name in alone}
    lags = ""
    if lost and max(lost.values()) > 0:
        name = max(lost, key=lambda name: lost[name])
        lags = (
            f"; {name} lags: {inside[name]:.4f} alone in the joint model, "
            f"{alone[name]:.4f} trained alone"
        )
    return f"warning: {task}: fusion is not better than {best} alone: {shown}{lags}; {ADVICE}"
