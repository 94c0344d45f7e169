"""Predicted against true numbers."""

from collections.abc import Sequence
from pathlib import Path

from mmray.evaluation.plot.figure import INK, drawing, style


def plot_predicted(
    true: Sequence[float],
    predicted: Sequence[float],
    path: Path,
    *,
    title: str,
    column: str,
    interval: tuple[Sequence[float], Sequence[float]] | None = None,
) -> None:
    """Plot a dot per sample, with its predicted interval if there is one, and the diagonal."""
    low, high = min(*true, *predicted), max(*true, *predicted)
    pad = 0.04 * (high - low) or 1.0
    with drawing(path, 4.8, 4.9, layout="constrained") as figure:
        axes = figure.add_subplot()
        if interval is not None:
            axes.vlines(true, *interval, color=INK, alpha=0.2, linewidth=1)
        axes.plot(
            [low, high], [low, high], color="#666666", linestyle="--", linewidth=1,
            label="right answer",
        )  # fmt: skip
        axes.scatter(true, predicted, s=12, color=INK, alpha=0.5, linewidths=0)
        axes.set_xlim(low - pad, high + pad)
        axes.set_ylim(low - pad, high + pad)
        axes.set_aspect("equal")
        style(axes, f"true {column}", f"predicted {column}")
        axes.legend(frameon=False, fontsize=8, loc="upper left")
        axes.set_title(title, fontsize=10)
