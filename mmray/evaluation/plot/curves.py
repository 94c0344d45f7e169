"""Learning curves of one or several trainings of the same model."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from mmray.config.task.metric import Metric
from mmray.evaluation.metric_text import axis_title
from mmray.evaluation.plot.figure import INK, drawing, style

LIGHT = "#8aa5bd"
Epochs = Sequence[Mapping[str, Any]]
"""Epochs of one training in order: ``epoch`` from one, and ``metrics``."""


def plot_curves(
    trainings: Mapping[str, Epochs],
    path: Path,
    *,
    title: str,
    panels: Sequence[tuple[str, Metric, str]] = (),
    best: Sequence[int] = (),
) -> None:
    """Plot the losses, and a panel per metric, over the epochs.

    Args:
        trainings: by name; the first is drawn strongest.
        path: of the SVG file.
        title: of the figure.
        panels: task, metric and the unit of its label.
        best: epochs whose weights the first training kept.
    """
    columns = min(2, 1 + len(panels))
    rows = math.ceil((1 + len(panels)) / columns)
    first_width = columns * rows - len(panels)  # no cell of the grid stays empty
    with drawing(path, 4.6 * columns, 2.9 * rows + 0.4, layout="constrained") as figure:
        grid = figure.add_gridspec(rows, columns)
        axes = figure.add_subplot(grid[0, :first_width])
        _draw_losses(axes, trainings)
        _mark_best(axes, best, is_named=True)
        for number, (task, metric, unit) in enumerate(panels, start=first_width):
            axes = figure.add_subplot(grid[number // columns, number % columns])
            for index, epochs in enumerate(trainings.values()):
                _draw_line(axes, epochs, f"val/{task}/{metric.name}", INK, is_first=index == 0)
            _mark_best(axes, best)
            _end_at_bound(axes, metric)
            style(axes, "epoch")
            axes.set_title(f"{task}, val split\n{axis_title(metric, unit)}", fontsize=8.5)
        figure.suptitle(title, fontsize=10.5)


def _draw_losses(axes: Axes, trainings: Mapping[str, Epochs]) -> None:
    for index, epochs in enumerate(trainings.values()):
        for split, colour in (("train", LIGHT), ("val", INK)):
            _draw_line(axes, epochs, f"{split}/loss", colour, is_first=index == 0, label=split)
    axes.legend(frameon=False, fontsize=8)
    style(axes, "epoch")
    axes.set_title("loss of all tasks (lower is better)", fontsize=8.5)


def _draw_line(
    axes: Axes, epochs: Epochs, name: str, colour: str, *, is_first: bool, label: str = ""
) -> None:
    steps = [record["epoch"] for record in epochs]
    values = [record["metrics"].get(name, math.nan) for record in epochs]
    axes.plot(
        steps, values, color=colour, label=label if is_first else None,
        marker="o" if is_first else None, markersize=3,
        linewidth=1.6 if is_first else 0.8, alpha=1.0 if is_first else 0.45,
    )  # fmt: skip
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _mark_best(axes: Axes, best: Sequence[int], *, is_named: bool = False) -> None:
    for epoch in best:
        axes.axvline(epoch, color="#666666", linestyle="--", linewidth=1, zorder=0)
    if best and is_named:
        shown = f"best epoch {best[0]}" if len(best) == 1 else f"soup of {len(best)} epochs"
        axes.annotate(
            shown, (best[0], 1.0), xycoords=axes.get_xaxis_transform(), xytext=(3, -2),
            textcoords="offset points", va="top", fontsize=7.5, color="#555555",
        )  # fmt: skip


def _end_at_bound(axes: Axes, metric: Metric) -> None:
    if metric.high is not None:
        axes.set_ylim(top=metric.high)
        if axes.get_ylim()[0] >= 0.0 or metric.low == 0.0:
            axes.set_ylim(bottom=0.0)
