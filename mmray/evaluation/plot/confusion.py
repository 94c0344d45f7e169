"""Confusion matrices; of many classes the worst ones, and the rest as one. Axes: C classes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from mmray.evaluation.plot.figure import drawing, inches, short_name

MOST_CLASSES = 30
CELL = 0.42
"""Inches."""
FONT = 8.0


def plot_confusion(
    matrix: Sequence[Sequence[float]], classes: Sequence[str], path: Path, *, title: str
) -> None:
    """Plot truth in rows and prediction in columns: counts, coloured by their share of the row."""
    counts, names = worst_classes(np.asarray(matrix, dtype=np.float64), classes)
    labels = [short_name(name) for name in names]
    if len(names) < len(classes):
        title += f"\nthe {MOST_CLASSES} classes with most errors, and the others as one"
    side, margin = CELL * len(labels), max(0.5, inches(labels, FONT) + 0.2)
    is_wide = inches(labels, FONT) > CELL - 0.06
    below = (margin if is_wide else 0.3) + 0.35
    left, above, right = margin + 0.4, 0.85, 0.3
    width = max(left + side + right, inches(title.split("\n"), 10.0) + 0.4)
    height = below + side + above
    with drawing(path, width, height) as figure:
        axes = figure.add_axes((left / width, below / height, side / width, side / height))
        _draw_cells(axes, counts)
        axes.set_xticks(range(len(labels)), labels, rotation=90 if is_wide else 0, fontsize=FONT)
        axes.set_yticks(range(len(labels)), labels, fontsize=FONT)
        axes.set_xlabel("predicted")
        axes.set_ylabel("true")
        figure.text(0.2 / width, 1 - 0.12 / height, title, va="top", fontsize=10)


def worst_classes(
    matrix: Float[np.ndarray, "C C"], classes: Sequence[str], limit: int = MOST_CLASSES
) -> tuple[Float[np.ndarray, "K K"], list[str]]:
    """Return the matrix of the ``limit`` classes with most errors, and of the rest as one class.

    An error counts for both the true and the predicted class. The classes keep their order. Of
    ``limit`` classes or one more, all are returned.
    """
    if len(classes) <= limit + 1:
        return matrix, list(classes)
    errors = matrix.sum(axis=0) + matrix.sum(axis=1) - 2 * matrix.diagonal()  # (C)
    kept = np.sort(np.argsort(-errors, kind="stable")[:limit])
    group_of = np.full(len(classes), limit)
    group_of[kept] = np.arange(limit)
    grouped = np.zeros((limit + 1, limit + 1))
    np.add.at(grouped, (group_of[:, None], group_of[None, :]), matrix)
    return grouped, [*(classes[int(n)] for n in kept), f"{len(classes) - limit} others"]


def _draw_cells(axes: Axes, counts: Float[np.ndarray, "K K"]) -> None:
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    edges: Any = np.arange(len(counts) + 1) - 0.5
    axes.pcolormesh(
        edges, edges, shares, cmap="Blues", vmin=0.0, vmax=1.0, edgecolors="#e6e9ec", linewidth=0.4
    )
    axes.invert_yaxis()
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if shares[row, column] > 0.5 else "#333333" if count else "#b9c2cb"
        text = f"{count:.0f}" if float(count).is_integer() or count >= 100 else f"{count:.1f}"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=7.5)
