"""Plots for the tracking store: learning curves, confusion matrix, what fusion adds."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK = "#1f4e79"
MUTED = "#9db4c8"
ACCENT = "#c8553d"


def plot_curves(epochs: Sequence[Mapping[str, Any]], path: Path, *, title: str) -> None:
    """Plot loss and the tasks' metrics over the epochs of one run."""
    names = [
        name for name in epochs[-1]["metrics"] if name.startswith("val/") and name.count("/") == 2
    ]
    main = [n for n in names if n.rsplit("/", 1)[-1] in ("accuracy", "f1_macro", "mae", "r2")]
    panels = [["train/loss", "val/loss"], *([name] for name in main)]
    columns = min(3, len(panels))
    rows = math.ceil(len(panels) / columns)
    figure = _figure(4.2 * columns, 3.2 * rows)
    steps = [record["epoch"] for record in epochs]
    for number, panel in enumerate(panels):
        axes = figure.add_subplot(rows, columns, number + 1)
        for name, colour in zip(panel, (MUTED, INK) if len(panel) > 1 else (INK,), strict=True):
            values = [record["metrics"].get(name, math.nan) for record in epochs]
            axes.plot(steps, values, color=colour, marker="o", markersize=3, label=name)
        _style(axes, "epoch", "")
        axes.set_title("loss" if len(panel) > 1 else panel[0], fontsize=10)
        if len(panel) > 1:
            axes.legend(frameon=False, fontsize=8)
    figure.suptitle(title, fontsize=11)
    figure.savefig(path)


def plot_confusion(
    matrix: Sequence[Sequence[int]], classes: Sequence[str], path: Path, *, title: str
) -> None:
    """Plot a confusion matrix: truth in rows, prediction in columns, counts in the cells."""
    size = max(4.0, 0.5 * len(classes) + 1.5)
    figure = _figure(size, size)
    axes = figure.add_subplot(1, 1, 1)
    axes.imshow(matrix, cmap="Blues")
    highest = max((max(row) for row in matrix), default=0)
    for row, counts in enumerate(matrix):
        for column, count in enumerate(counts):
            colour = "white" if count > highest / 2 else "#333333"
            axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(len(classes)), classes, rotation=45 if len(classes) > 12 else 0)
    axes.set_yticks(range(len(classes)), classes)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(title, fontsize=11)
    figure.savefig(path)


def plot_alone(
    scores: Mapping[str, tuple[float, float]],
    path: Path,
    *,
    title: str,
    metric: str,
    accent: str = "fusion",
) -> None:
    """Plot one bar per model with its deviation over seeds: each modality alone, and fusion."""
    figure = _figure(5.5, 0.6 * len(scores) + 1.4)
    axes = figure.add_subplot(1, 1, 1)
    names = list(scores)[::-1]
    values = [scores[name][0] for name in names]
    errors = [scores[name][1] for name in names]
    colours = [ACCENT if name == accent else MUTED for name in names]
    axes.barh(names, values, xerr=errors, color=colours, height=0.6)
    for row, value in enumerate(values):
        axes.text(value, row, f"  {value:.3f}", va="center", fontsize=9)
    _style(axes, metric, "")
    axes.set_xlim(left=min(0.0, *values), right=max(values) * 1.15 if max(values) > 0 else None)
    axes.set_title(title, fontsize=11)
    figure.savefig(path)


def _figure(width: float, height: float) -> Figure:
    # The object interface, not pyplot: no global state, no display.
    mpl.rcParams["font.family"] = "DejaVu Sans"
    return Figure(figsize=(width, height), dpi=130, layout="constrained")


def _style(axes: Axes, x: str, y: str) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
