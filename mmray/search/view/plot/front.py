"""The Pareto front: two objectives against each other."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

from matplotlib.axes import Axes

from mmray.config.task.metric import Direction
from mmray.config.training.train import ObjectiveConfig
from mmray.evaluation.plot.figure import INK, MUTED, drawing, style
from mmray.search.front import pareto_front
from mmray.search.record import TrialRecord
from mmray.search.view.plot.hover import add_hover, mark
from mmray.search.view.plot.trial_style import BEST, WIDTH, hover_text, set_scale
from mmray.search.view.text import objective_title

MOST_PANELS = 3


def plot_front(
    trials: Sequence[TrialRecord], objectives: Sequence[ObjectiveConfig], path: Path
) -> None:
    """Plot a panel per pair of objectives; the trials of the front are joined and numbered."""
    pairs = list(combinations(range(len(objectives)), 2))[:MOST_PANELS]
    valued = [trial for trial in trials if trial.values and trial.state != "failed"]
    front = pareto_front(valued, objectives)
    with drawing(path, WIDTH, 4.2, layout="constrained") as figure:
        for number, (first, second) in enumerate(pairs, 1):
            axes = figure.add_subplot(1, len(pairs), number)
            # The first objective upwards: it is the one that people look for.
            _draw(
                axes,
                valued,
                front,
                (second, first),
                line=objectives[second].direction if len(objectives) == 2 else None,
            )
            set_scale(axes, [trial.values[second] for trial in valued], of="x")
            set_scale(axes, [trial.values[first] for trial in valued], of="y")
            style(axes, objective_title(objectives[second]), objective_title(objectives[first]))
            axes.legend(frameon=False, fontsize=8)
    add_hover(path, {trial.number: hover_text(trial, objectives) for trial in trials})


def _draw(
    axes: Axes,
    trials: Sequence[TrialRecord],
    front: Sequence[TrialRecord],
    pair: tuple[int, int],
    *,
    line: Direction | None,
) -> None:
    x, y = pair
    on_front = {trial.number for trial in front}
    behind = [trial for trial in trials if trial.number not in on_front]
    if line is not None:  # what is reached at a given x; the direction of x says where it holds
        steps = sorted(front, key=lambda trial: trial.values[x])
        axes.step(
            [t.values[x] for t in steps], [t.values[y] for t in steps], color=BEST, linewidth=1.2,
            zorder=1, where="post" if line == "min" else "pre",
        )  # fmt: skip
    for group, colour, size, label in (
        (behind, MUTED, 5, "behind the front"),
        (front, BEST, 7, "front: no other trial is as good in all and better in one"),
    ):
        for trial in group:
            (dot,) = axes.plot(
                [trial.values[x]], [trial.values[y]], "o", color=colour, markersize=size,
                markeredgecolor=INK if group is front else colour, markeredgewidth=0.6,
                label=label if trial is group[0] else None,
            )  # fmt: skip
            mark(dot, trial.number)
    for trial in front:
        axes.annotate(
            str(trial.number), (trial.values[x], trial.values[y]), xytext=(5, 4),
            textcoords="offset points", fontsize=8,
        )  # fmt: skip
    axes.margins(0.08)
