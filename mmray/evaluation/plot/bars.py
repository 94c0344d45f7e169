"""Models side by side: a bar and an interval each, and the constant answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes

from mmray.config.task.metric import Metric
from mmray.evaluation.metric_text import axis_title
from mmray.evaluation.plot.figure import (
    EMPHASIS,
    MUTED,
    drawing,
    inches,
    inner_box,
    short_name,
    style,
)

ROW = 0.42
"""Inches."""
FONT = 9.0
NUMBERS = 1.9
"""Inches to the right of the bars, for the figures as text."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One model's figure with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class BarText:
    """The texts of a bar plot."""

    title: str
    caption: str
    """The caption of bars and lines."""
    metric: Metric
    unit: str = ""
    emphasis: str = ""
    """The bar in the darker colour."""
    floor: float | None = None
    """Result of a constant answer, a dashed line."""


def plot_bars(bars: Mapping[str, Bar], path: Path, *, text: BarText) -> None:
    """Plot the best first; a figure is written beside its bar with its interval."""
    names = sorted(bars, key=lambda name: (-text.metric.sign * bars[name].value, name))
    labels = [short_name(name) for name in names]
    left, right, above, below = inches(labels, FONT) + 0.35, NUMBERS, 0.5, 0.95
    width = max(left + 3.6 + right, inches([text.title], 10.5) + 0.4, inches([text.caption], 8))
    height = above + ROW * len(bars) + below
    box = inner_box(width, height, left=left, right=right, above=above, below=below)
    with drawing(path, width, height) as figure:
        axes = figure.add_axes(box)
        _draw(axes, [bars[name] for name in names], [name == text.emphasis for name in names])
        axes.set_yticks(range(len(names)), labels, fontsize=FONT)
        _limit(axes, bars, text)
        style(axes, axis_title(text.metric, text.unit))
        if text.floor is not None:
            axes.axvline(text.floor, color="#666666", linestyle="--", linewidth=1)
        figure.text(0.15 / width, 1 - 0.12 / height, text.title, va="top", fontsize=10.5)
        figure.text(0.15 / width, 0.1 / height, text.caption, va="bottom", fontsize=7.5,
                    color="#555555")  # fmt: skip


def _draw(axes: Axes, bars: list[Bar], emphasis: list[bool]) -> None:
    rows, values = list(range(len(bars))), [bar.value for bar in bars]
    colours = [EMPHASIS if is_emphasis else MUTED for is_emphasis in emphasis]
    errors = [
        [max(0.0, bar.value - bar.low) for bar in bars],
        [max(0.0, bar.high - bar.value) for bar in bars],
    ]
    axes.barh(rows, values, color=colours, height=0.55)
    axes.errorbar(values, rows, xerr=errors, fmt="none", ecolor="#333333", elinewidth=1, capsize=3)
    for row, bar in enumerate(bars):
        axes.text(
            1.02, row, f"{bar.value:.3f}  [{bar.low:.3f}, {bar.high:.3f}]", va="center",
            fontsize=8, transform=axes.get_yaxis_transform(),
        )  # fmt: skip
    axes.invert_yaxis()


def _limit(axes: Axes, bars: Mapping[str, Bar], text: BarText) -> None:
    """End the axis at one if no figure can exceed it; begin at zero unless one is below."""
    values = [v for bar in bars.values() for v in (bar.value, bar.low, bar.high)]
    values += [] if text.floor is None else [text.floor]
    low, high = min(0.0, *values), max(values)
    right = high * 1.05 if text.metric.high is None else text.metric.high
    axes.set_xlim(low * 1.05, right if right > low else low + 1.0)
