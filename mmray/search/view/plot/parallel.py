"""Parallel coordinates: a line per trial through its parameters to its values."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.axes import Axes

from mmray.config.training.train import ObjectiveConfig
from mmray.evaluation.plot.figure import drawing, inches
from mmray.search.front import pareto_front
from mmray.search.importance import Importances
from mmray.search.record import TrialRecord
from mmray.search.table import parameter_names, ranked
from mmray.search.view.plot.hover import add_hover, mark
from mmray.search.view.plot.importance import cut_name
from mmray.search.view.plot.parallel_axis import ParallelAxis, parallel_axis
from mmray.search.view.plot.trial_style import BEST, WIDTH, hover_text, spans_orders
from mmray.search.view.text import objective_name, value_text

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

MOST_PARAMETERS = 10
UNUSED = -0.14
"""Height of a parameter that a trial does not have: of another branch, or of the document, whose
value is not in the space."""
SPREAD = 0.05
"""Lines through the same category lie this far apart, so that each can be seen."""
LIGHTEST = 0.25
BEHIND_TEXT = {"boxstyle": "square,pad=0.1", "facecolor": "white", "alpha": 0.8, "linewidth": 0}


def plot_parallel(
    trials: Sequence[TrialRecord],
    drawn: Mapping[int, "FrozenTrial"],
    found: Importances,
    objectives: Sequence[ObjectiveConfig],
    path: Path,
) -> tuple[int, int]:
    """Plot the trials with a value, the best one strongest.

    Returns the number of parameters in the plot, and of all that differ between trials.

    Args:
        trials: of the search.
        drawn: each trial's parameters and their distributions, by its number.
        found: the importances; of many parameters, the most important ones are shown.
        objectives: of the search.
        path: of the SVG file.
    """
    shown = [t for t in ranked(trials, objectives) if t.values and t.state != "failed"]
    params = {trial.number: drawn[trial.number].params for trial in shown}
    names = _parameters(shown, params, found)
    axes_of = [
        parallel_axis(
            cut_name(name),
            [each.get(name) for each in params.values()],
            is_log=_is_log(name, drawn),
        )
        for name in names[:MOST_PARAMETERS]
    ]
    for index, objective in enumerate(objectives):
        values = [trial.values[index] for trial in shown]
        label = partial(value_text, objective=objective)
        title, is_log = objective_name(objective), spans_orders(values)
        axes_of.append(parallel_axis(title, values, is_log=is_log, label=label))
    right = inches([axis.title for axis in axes_of[-len(objectives) :]], 8.5) / WIDTH
    with drawing(path, WIDTH, 4.4) as figure:
        axes = figure.add_axes((0.02, 0.04, 0.97 - right, 0.76))
        _draw_axes(axes, axes_of, len(objectives))
        _draw_lines(axes, axes_of, shown, _strongest(shown, objectives))
    add_hover(path, {trial.number: hover_text(trial, objectives) for trial in shown})
    return min(len(names), MOST_PARAMETERS), len(names)


def _parameters(
    trials: Sequence[TrialRecord], params: Mapping[int, Mapping[str, Any]], found: Importances
) -> list[str]:
    """Return the parameters that differ between trials, the most important first."""
    order = [row.name for row in found.parameters]
    names = [*order, *(n for n in parameter_names(params.values()) if n not in order)]
    return [name for name in names if len({repr(params[t.number].get(name)) for t in trials}) > 1]


def _is_log(name: str, drawn: Mapping[int, "FrozenTrial"]) -> bool:
    distributions = (trial.distributions.get(name) for trial in drawn.values())
    return any(getattr(distribution, "log", False) for distribution in distributions)


def _draw_axes(axes: Axes, axes_of: Sequence[ParallelAxis], num_objectives: int) -> None:
    axes.set_axis_off()
    last = len(axes_of) - 1
    axes.set_xlim(-0.02 * max(last, 1), max(last, 1) * 1.005)
    axes.set_ylim(UNUSED - 0.04, 1.03)
    for x, axis in enumerate(axes_of):
        is_objective = x > last - num_objectives
        axes.plot([x, x], [0, 1], color="#333333", linewidth=1.4 if is_objective else 0.9, zorder=3)
        axes.annotate(
            axis.title, (x, 1.0), xytext=(0, 8), textcoords="offset points", rotation=18,
            fontsize=8.5, ha="left", va="bottom", fontweight="bold" if is_objective else "normal",
        )  # fmt: skip
        ticks = [*axis.ticks, *([(UNUSED, "none")] if None in axis.heights else [])]
        for height, label in ticks:
            axes.annotate(
                label, (x, height), xytext=(4, 0), textcoords="offset points", va="center",
                fontsize=7.5, zorder=4,
                bbox=BEHIND_TEXT,
            )  # fmt: skip
            axes.plot([x], [height], "_", color="#333333", markersize=5, zorder=3)


def _strongest(shown: Sequence[TrialRecord], objectives: Sequence[ObjectiveConfig]) -> set[int]:
    """Return the number of the best trial; of several objectives, those of the front."""
    best = shown[:1] if len(objectives) == 1 else pareto_front(shown, objectives)
    return {trial.number for trial in best}


def _draw_lines(
    axes: Axes,
    axes_of: Sequence[ParallelAxis],
    shown: Sequence[TrialRecord],
    strongest: Collection[int],
) -> None:
    colours = mpl.colormaps["Blues"]
    for rank in reversed(range(len(shown))):  # the best last, above the others
        share = 1 - rank / max(1, len(shown) - 1)
        offset = SPREAD * (share - 0.5)
        is_strong = shown[rank].number in strongest
        heights = [_height(axis, axis.heights[rank], offset) for axis in axes_of]
        (line,) = axes.plot(
            range(len(axes_of)), heights, linewidth=2.2 if is_strong else 1.1,
            color=BEST if is_strong else colours(LIGHTEST + (0.95 - LIGHTEST) * share),
            zorder=2.5 if is_strong else 1 + share, solid_joinstyle="round",
        )  # fmt: skip
        mark(line, shown[rank].number)


def _height(axis: ParallelAxis, height: float | None, offset: float) -> float:
    if height is None:
        return UNUSED + offset / 2
    return height + offset if axis.is_categorical else height
