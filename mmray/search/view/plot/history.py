"""The course of a search: each trial's value, and the best so far."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from mmray.config.training.train import ObjectiveConfig
from mmray.evaluation.plot.figure import drawing, style
from mmray.search.record import TrialRecord
from mmray.search.table import history
from mmray.search.view.plot.hover import add_hover, mark
from mmray.search.view.plot.trial_style import BEST, STATES, WIDTH, hover_text, set_scale
from mmray.search.view.text import objective_title, value_text


def plot_history(
    trials: Sequence[TrialRecord], objectives: Sequence[ObjectiveConfig], path: Path
) -> None:
    """Plot a panel per objective: a dot per trial, and a line of the best value so far."""
    with drawing(path, WIDTH, 3.1 * len(objectives) + 0.2, layout="constrained") as figure:
        for index, objective in enumerate(objectives):
            axes = figure.add_subplot(len(objectives), 1, index + 1)
            _draw(axes, trials, objective, index)
    add_hover(path, {trial.number: hover_text(trial, objectives) for trial in trials})


def _draw(
    axes: Axes, trials: Sequence[TrialRecord], objective: ObjectiveConfig, index: int
) -> None:
    rows = history(trials, objective, index=index)
    failed = [trial for trial in trials if trial.state == "failed"]
    if rows:
        numbers = [trial.number for trial, _ in rows]
        best = [value for _, value in rows]
        axes.step(numbers, best, where="post", color=BEST, linewidth=1.6, label="best so far")
        last = value_text(best[-1], objective)
        axes.annotate(
            last, (numbers[-1], best[-1]), xytext=(9, 0), textcoords="offset points",
            va="center", fontsize=8.5, color=BEST,
        )  # fmt: skip
    for state, (colour, caption) in STATES.items():
        label: str | None = caption
        for trial in (t for t, _ in rows if t.state == state):
            (dot,) = axes.plot(
                [trial.number],
                [trial.values[index]],
                "o",
                color=colour,
                markersize=5.5,
                label=label,
            )
            mark(dot, trial.number)
            label = None
    for trial in failed:
        (cross,) = axes.plot(
            [trial.number], [0.02], "x", color=STATES["failed"][0], markersize=6,
            transform=axes.get_xaxis_transform(), label="failed" if trial is failed[0] else None,
        )  # fmt: skip
        mark(cross, trial.number)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlim(0.4, max((trial.number for trial in trials), default=1) + 0.6)
    axes.margins(y=0.12)
    set_scale(axes, [trial.values[index] for trial, _ in rows], of="y")
    style(axes, "trial")
    axes.set_title(objective_title(objective), fontsize=9.5, loc="left")
    if rows or failed:
        axes.legend(
            frameon=False, fontsize=8, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=5
        )
